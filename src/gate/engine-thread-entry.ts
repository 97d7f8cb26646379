import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineThreadData } from "./engine-protocol.ts";
import { serveEngine } from "./engine-worker.ts";

serveEngine(parentPort as MessagePort, workerData as EngineThreadData);
