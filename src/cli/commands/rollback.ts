import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, keepOption, neededReasonOption } from "../command.ts";

const rollbackJson =
  "{ id: string, atMs: number, from: string, to: string, sequences: { first: string, last: string }[], windows: number, rows: number, keysReleased: boolean, isRewritten: boolean, author: string, reason: string }";

/** `sluice rollback` */
export const rollback: CommandSpec = {
  name: "rollback",
  summary: "Move main back to an earlier version; its rows since then are withdrawn, and nothing is read again",
  details:
    "Positions stay: later windows go on where reading stands, on top of the version gone back to. What is withdrawn stays under the tag withdrawn/ID, for `sluice rollforward`. Withdrawn rows keep their unique keys unless --release-claims gives them back, so that corrected records can be sent under them; then they can't come back.",
  examples: [
    { command: "sluice rollback --to main~1 --dry-run", says: "which windows and rows would go, since when, and who has read them" },
    { command: 'sluice rollback --to before-fix -m "sensor 7 sent metres as feet"', says: "with the reason on record" },
    { command: "sluice rollback --list", says: "rollbacks that can be undone" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--to <version>", description: "A snapshot, a tag, main~N or a time: an earlier version of main" },
    { flags: "--dry-run", description: "Say what would be withdrawn, and change nothing" },
    { flags: "--list", description: "List rollbacks that stand" },
    { flags: "--release-claims", description: "Give back the unique keys of the withdrawn rows" },
    keepOption,
    neededReasonOption,
    jsonOption,
  ],
  json: `{ dataset: string, from: string, to: string, rows: number, windows: { snapshotId: string, windowId: string, kind: string, verdict: string, committedAtMs: number, promoted: number }[], foreignSnapshots: string[], refs: string[], readers: { reader: string, job: string | null, runId: string | null, snapshotId: string, kind: string, atMs: number }[], snapshotId: string | null, rollback: Rollback | null } (snapshotId and rollback: null in a dry run), or { dataset: string, rollbacks: Rollback[] } where Rollback = ${rollbackJson}`,
  run: async (invocation) => (await import("../move-main.ts")).rollBack(invocation),
};

/** `sluice rollforward` */
export const rollforward: CommandSpec = {
  name: "rollforward",
  summary: "Undo a rollback: bring back what it withdrew, on top of what main is now",
  details: "Its very files are appended again, once. What was committed since the rollback stays.",
  examples: [
    { command: 'sluice rollforward -m "the values were right after all"', says: "the newest rollback" },
    { command: 'sluice rollforward 6219341234567890123 -m "only the first was wrong"', says: "one of several, from `rollback --list`" },
  ],
  arguments: [{ name: "[rollback]", description: "Its id (default: the newest that stands)" }],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: `{ dataset: string, snapshotId: string, rollback: Rollback } where Rollback = ${rollbackJson}`,
  run: async (invocation) => (await import("../move-main.ts")).rollForward(invocation),
};
