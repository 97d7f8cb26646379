import { appendFileSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineRequest, EngineThreadData } from "../../src/gate/engine-protocol.ts";
import type { EnginePort } from "../../src/gate/engine-worker.ts";
import { serveEngine } from "../../src/gate/engine-worker.ts";

const port = parentPort as MessagePort;
/** The faults to come, one letter each. */
const plan = process.env["SLUICE_TEST_FAULTS"] as string;
/** Those that happened are written there. */
const happened = process.env["SLUICE_TEST_FAULTS_FILE"] as string;
let requests = 0;

/** An engine thread that falls every now and then: the nth thread of the test by the nth fault of the plan, at its 6th request to judge or settle. */
const struck: EnginePort = {
  on: (_, listener) =>
    port.on("message", (request: EngineRequest) => {
      if (request.type === "add" || request.type === "settle") requests++;
      if (requests === 6) strike();
      listener(request);
    }),
  postMessage: (answer, transfer) => port.postMessage(answer, transfer),
};
serveEngine(struck, workerData as EngineThreadData);

function strike(): void {
  requests++;
  const fault = plan[Number(process.env["SLUICE_TEST_FAULTS_SO_FAR"])];
  if (fault === undefined) return;
  appendFileSync(happened, fault);
  if (fault === "e") process.exit(1);
  if (fault === "t") throw new Error("a planted fault");
  for (;;);
}
