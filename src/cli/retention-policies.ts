import type { Config } from "../config/config.ts";
import type { RetentionPolicy } from "../core/retention.ts";
import { loadContracts } from "./contracts.ts";

/**
 * What becomes of old data, by dataset, as the configured contracts say it; a dataset whose contract says nothing is left out. Rejects with CONTRACT_INVALID: who
 * can't read what should stay removes nothing.
 */
export async function retentionPolicies(config: Config): Promise<ReadonlyMap<string, RetentionPolicy>> {
  const contracts = (await loadContracts(config)).filter(({ retention = [] }) => retention.length > 0);
  return new Map(
    contracts.map(({ dataset, hash, retention = [], owners }) => [
      dataset,
      { contractHash: hash, rules: retention, isOwned: owners.length > 0 },
    ]),
  );
}
