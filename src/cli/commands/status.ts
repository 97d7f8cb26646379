import type { CommandSpec } from "../command.ts";
import { configOption, jsonOption } from "../command.ts";

/** `sluice status` */
export const status: CommandSpec = {
  name: "status",
  summary: "Show every dataset: contract, snapshots, lag, what is held, quarantined or blocked",
  details: "Reads the lake, and asks the cluster for its ends; no worker needs to run.",
  examples: [
    { command: "sluice status", says: "how every dataset stands" },
    { command: "sluice status --json || alert", says: "exit code 3 says that something waits for a person" },
  ],
  options: [configOption, jsonOption],
  json: "{ datasets: { dataset: string, contract: string | null, mainSnapshotId: string | null, lastCommitMs: number | null, windows: number, records: number, promoted: number, quarantined: number, held: number, skipped: number, withdrawn: number, openQuarantine: number, heldWindows: string[], driftLearning: string[], rollbacks: Rollback[], lag: string | null, blocks: Block[] }[] }, Rollback as `rollback --list` prints it",
  findings: "a window is held, or a topic or partition is blocked",
  run: async (invocation) => (await import("../dataset-status.ts")).showStatus(invocation),
};
