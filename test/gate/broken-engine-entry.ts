import { parentPort } from "node:worker_threads";

throw new Error(`this engine never serves ${parentPort === null ? "anybody" : "its host"}`);
