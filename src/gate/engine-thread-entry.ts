import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineThreadData } from "./engine-protocol.ts";
import { serveEngine } from "./engine-worker.ts";

const options = workerData as EngineThreadData;
// Arrow's library is loaded by those who need it; what is sent meanwhile waits at the port.
const createEncodeRows = options.arrow ? (await import("../arrow/arrow-rows.ts")).createArrowRows : null;
serveEngine(parentPort as MessagePort, options, createEncodeRows);
