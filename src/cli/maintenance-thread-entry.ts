/** The thread that looks after a lake's tables; see `maintenance-thread.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { maintain } from "./maintenance-pass.ts";
import type { MaintenanceThreadData } from "./maintenance-thread.ts";
import { openLake } from "./session.ts";

const { config, datasets, holder } = workerData as MaintenanceThreadData;
const lake = await openLake(config, () => {});
try {
  const tell = (outcome: unknown): void => parentPort?.postMessage(outcome);
  await maintain({ lake, settings: config.maintenance, datasets, holder, now: () => Date.now(), tell });
} finally {
  await lake.close();
}
