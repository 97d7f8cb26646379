import type { Contract } from "../core/contract.ts";
import { unpackRecords } from "../core/packed-records.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { ParquetFile } from "../parquet/written-file.ts";
import { CompiledContracts } from "./engine.ts";
import type { EngineAnswer, EngineRequest, EngineThreadData } from "./engine-protocol.ts";
import type { SettledRows } from "./judged-rows.ts";
import { WindowJudge } from "./window-judge.ts";

/** What a thread uses of its port to the host. */
export interface EnginePort {
  on(event: "message", listener: (request: EngineRequest) => void): unknown;
  postMessage(answer: EngineAnswer, transfer: ArrayBuffer[]): void;
}

/** Judges windows in a thread as its host asks, one request after the other. Whatever it throws ends the thread, and its host reads the records again. */
export function serveEngine(
  port: EnginePort,
  options: EngineThreadData & { readonly openReferenceFile: (schema: IcebergSchema) => ParquetFile },
): void {
  const beats = new Int32Array(options.beats);
  const beat = (): void => void Atomics.add(beats, 0, 1);
  const tick = (): number => performance.now();
  const compiled = new CompiledContracts(options);
  const contracts = new Map<number, Contract>();
  const windows = new Map<number, WindowJudge>();
  const answer = (message: EngineAnswer, transfer: readonly ArrayBuffer[]): void => port.postMessage(message, [...transfer]);

  port.on("message", (request) => {
    beat();
    switch (request.type) {
      case "contract":
        contracts.set(request.contract, request.plan);
        break;
      case "forget":
        contracts.delete(request.contract);
        break;
      case "open": {
        const contract = contracts.get(request.contract);
        if (contract === undefined) throw new Error(`bug: contract ${request.contract} was never told to this thread`);
        windows.set(request.window, new WindowJudge(compiled.get(contract, request.kind), { schema: request.schema, tick }));
        break;
      }
      case "add": {
        const window = openWindow(windows, request.window);
        const judged = window.add(unpackRecords(request.records), beat);
        const buffer = window.keepsRecords ? null : request.records.buffer;
        answer({ type: "judged", window: request.window, judged, buffer }, buffer === null ? [] : [buffer]);
        break;
      }
      case "question": {
        const questions = openWindow(windows, request.window).questions(request.closedAtMs, beat);
        answer({ type: "questions", window: request.window, questions }, []);
        break;
      }
      case "settle": {
        const settled = wholeBuffers(openWindow(windows, request.window).settle(request.closedAtMs, request.found, beat));
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

/** The same with bytes that fill their buffers: a view is cloned with all of the buffer that it looks at. */
function wholeBuffers(settled: SettledRows): SettledRows {
  const { file, profile } = settled;
  const whole = (bytes: Uint8Array): Uint8Array => (fillsBuffer(bytes) ? bytes : new Uint8Array(bytes));
  const bounds = (map: ReadonlyMap<number, Uint8Array>): Map<number, Uint8Array> =>
    new Map([...map].map(([id, bytes]) => [id, new Uint8Array(bytes)]));
  return {
    ...settled,
    profile: { ...profile, bytes: whole(profile.bytes) },
    file:
      file === null
        ? null
        : { ...file, pieces: file.pieces.map(whole), lowerBounds: bounds(file.lowerBounds), upperBounds: bounds(file.upperBounds) },
  };
}

function fillsBuffer(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
}

/** What moves to the other thread instead of being copied. */
function buffersOf({ file, profile }: SettledRows): ArrayBuffer[] {
  const all = [...(file?.pieces ?? []), profile.bytes].map(({ buffer }) => buffer as ArrayBuffer);
  return [...new Set(all)];
}
