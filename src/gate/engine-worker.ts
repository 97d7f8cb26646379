import type { Contract } from "../core/contract.ts";
import type { FilePartition } from "../core/encoded-file.ts";
import { unpackRecords } from "../core/packed-records.ts";
import { collectSoon } from "./collect-soon.ts";
import { CompiledContracts, type CreateEncodeRows } from "./engine.ts";
import type { EngineAnswer, EngineRequest, EngineThreadData } from "./engine-protocol.ts";
import type { SettledRows } from "./judged-rows.ts";
import { SlabPool } from "./slab-pool.ts";
import { WindowJudge } from "./window-judge.ts";

/** What a thread uses of its port to the host. */
export interface EnginePort {
  on(event: "message", listener: (request: EngineRequest) => void): unknown;
  postMessage(answer: EngineAnswer, transfer: ArrayBuffer[]): void;
}

/** Judges windows in a thread as its host asks, one request after the other. Whatever it throws ends the thread, and its host reads the records again. */
export function serveEngine(
  port: EnginePort,
  options: Pick<EngineThreadData, "beats">,
  createEncodeRows: CreateEncodeRows | null = null,
): void {
  const beats = new Int32Array(options.beats);
  const beat = (): void => void Atomics.add(beats, 0, 1);
  beat();
  const tick = (): number => performance.now();
  const compiled = new CompiledContracts();
  const contracts = new Map<number, Contract>();
  const windows = new Map<number, WindowJudge>();
  // Shared memory is copied once more: not all that decodes takes views of it, and moving buffers instead has every few of them collected.
  const slabs = new SlabPool((bytes) => new ArrayBuffer(bytes));
  const answer = (message: EngineAnswer, transfer: readonly ArrayBuffer[]): void => port.postMessage(message, [...transfer]);

  port.on("message", (request) => {
    beat();
    switch (request.type) {
      case "contract":
        contracts.set(request.contract, request.plan);
        break;
      case "forget":
        contracts.delete(request.contract);
        collectSoon();
        break;
      case "open": {
        const contract = contracts.get(request.contract);
        if (contract === undefined) throw new Error(`bug: contract ${request.contract} was never told to this thread`);
        windows.set(
          request.window,
          new WindowJudge(compiled.get(contract, request.kind), {
            schema: request.schema,
            ...(request.layout && { layout: request.layout }),
            tick,
            ...(createEncodeRows !== null && { encodeRows: createEncodeRows(contract) }),
          }),
        );
        break;
      }
      case "add": {
        const window = openWindow(windows, request.window);
        const { records } = request;
        const own = slabs.take(records.usedBytes);
        new Uint8Array(own).set(new Uint8Array(records.buffer, 0, records.usedBytes));
        const judged = window.add(unpackRecords({ ...records, buffer: own }), request.schemas, beat);
        if (!window.keepsRecords) slabs.give(own);
        answer({ type: "judged", window: request.window, judged, rejected: window.takeRejected() }, []);
        break;
      }
      case "question": {
        const questions = openWindow(windows, request.window).questions(request.closedAtMs, beat);
        answer({ type: "questions", window: request.window, questions }, []);
        break;
      }
      case "settle": {
        const settled = ownBuffers(openWindow(windows, request.window).settle(request.closedAtMs, request.found, beat));
        windows.delete(request.window);
        answer({ type: "settled", window: request.window, settled }, buffersOf(settled));
        break;
      }
      case "drop":
        windows.get(request.window)?.discard();
        windows.delete(request.window);
        break;
    }
  });
}

function openWindow(windows: ReadonlyMap<number, WindowJudge>, number: number): WindowJudge {
  const window = windows.get(number);
  if (window === undefined) throw new Error(`bug: window ${number} is not open in this thread`);
  return window;
}

/** Bytes alone in their buffer, which can move to the other thread: a view is cloned with all of the buffer that it looks at. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}

/** The same with bytes in buffers of their own. */
function ownBuffers(settled: SettledRows): SettledRows {
  const { files, profile } = settled;
  const bounds = (map: ReadonlyMap<number, Uint8Array>): Map<number, Uint8Array> =>
    new Map([...map].map(([id, bytes]) => [id, own(bytes)]));
  return {
    ...settled,
    profile: { ...profile, bytes: own(profile.bytes) },
    files: files.map((file) => ({
      ...file,
      pieces: file.pieces.map(own),
      lowerBounds: bounds(file.lowerBounds),
      upperBounds: bounds(file.upperBounds),
      ...(file.partition && { partition: ownPartition(file.partition) }),
    })),
  };
}

function ownPartition({ specId, values }: FilePartition): FilePartition {
  return { specId, values: new Map([...values].map(([id, value]) => [id, value instanceof Uint8Array ? own(value) : value])) };
}

/** What moves to the other thread instead of being copied. */
function buffersOf({ files, profile, arrow }: SettledRows): ArrayBuffer[] {
  return [...files.flatMap((file) => file.pieces), ...(arrow ?? []).map(({ bytes }) => bytes), profile.bytes].map(
    ({ buffer }) => buffer as ArrayBuffer,
  );
}
