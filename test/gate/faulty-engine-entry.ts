import { closeSync, openSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineRequest, EngineThreadData } from "../../src/gate/engine-protocol.ts";
import type { EnginePort } from "../../src/gate/engine-worker.ts";
import { serveEngine } from "../../src/gate/engine-worker.ts";

const port = parentPort as MessagePort;
const { SLUICE_TEST_FAULT: fault, SLUICE_TEST_FAULT_AT: at, SLUICE_TEST_FAULT_FLAG: flag } = process.env;
let adds = 0;

/** True for the one thread of the test that makes the flag's file. */
function isFirst(): boolean {
  try {
    closeSync(openSync(flag as string, "wx"));
    return true;
  } catch {
    return false;
  }
}

function strike(request: EngineRequest): void {
  const due = request.type === "settle" ? at === "settle" : request.type === "add" && ++adds === Number(at);
  if (!due || !isFirst()) return;
  if (fault === "exit") process.exit(3);
  if (fault === "throw") throw new Error("a planted fault");
  if (fault === "hang") for (;;);
  if (fault === "memory") for (const held: unknown[] = []; ;) held.push(Array.from({ length: 1e5 }, (_, i) => ({ i })));
}

/** An engine thread that once, at the nth `add` or at a `settle`, ends, throws, hangs or eats all its memory. */
const struck: EnginePort = {
  on: (_, listener) =>
    port.on("message", (request: EngineRequest) => {
      strike(request);
      listener(request);
    }),
  postMessage: (answer, transfer) => port.postMessage(answer, transfer),
};
serveEngine(struck, workerData as EngineThreadData);
