import type { CommandSpec } from "../command.ts";
import { configOption } from "../command.ts";

/** `sluice run` */
export const run: CommandSpec = {
  name: "run",
  summary: "Run a worker: read, judge, promote and quarantine until stopped",
  details:
    "SIGINT or SIGTERM commits what is open and ends it with 0; a second one ends it at once, and nothing is lost: the next worker goes on from the table. A file source ends by itself.",
  examples: [
    { command: "sluice run", says: "a worker, configured by sluice.yaml in this folder" },
    {
      command: "sluice run --config prod.yaml --json 2> worker.log",
      says: "one JSON document a committed window on standard output, the log beside it",
    },
    { command: "SLUICE_WORKER=w2 SLUICE_HTTP_PORT=8651 sluice run", says: "a second worker on this host: they share the partitions" },
  ],
  options: [configOption, { flags: "--json", description: "Print each committed window as one line of JSON" }],
  json: "one line a committed window: { dataset: string, windowId: string, verdict: string, snapshotId: string, counts: RecordCounts, causes: Cause[] }, by schemas/decision.schema.json",
  run: async (invocation) => (await import("../run.ts")).runWorker(invocation),
};
