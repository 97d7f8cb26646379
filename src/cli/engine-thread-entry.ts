import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineThreadData } from "../gate/engine-protocol.ts";
import { serveEngine } from "../gate/engine-worker.ts";
import { openReferenceFile } from "./engine.ts";

serveEngine(parentPort as MessagePort, { ...(workerData as EngineThreadData), openReferenceFile });
