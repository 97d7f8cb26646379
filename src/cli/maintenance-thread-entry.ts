/** The thread that looks after a lake's tables; see `maintenance-thread.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { maintain } from "./maintenance-pass.ts";
import type { MaintenanceThreadData } from "./maintenance-thread.ts";
import { retentionPolicies } from "./retention-policies.ts";
import { openLake } from "./session.ts";

const { config, datasets, holder } = workerData as MaintenanceThreadData;
const lake = await openLake(config, () => {});
try {
  const tell = (outcome: unknown): void => parentPort?.postMessage(outcome);
  let policies: ReturnType<typeof retentionPolicies> | null = null;
  const retention: Parameters<typeof maintain>[0]["retention"] = async (dataset) => {
    policies ??= retentionPolicies(config);
    return (await policies).get(dataset) ?? null;
  };
  await maintain({ lake, settings: config.maintenance, datasets, holder, now: () => Date.now(), retention, tell });
} finally {
  await lake.close();
}
