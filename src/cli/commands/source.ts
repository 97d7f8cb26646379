import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, reasonOption } from "../command.ts";

const answerJson =
  "{ dataset: string, removed: PartitionKey[], set: Position[] } where PartitionKey = { topic: string, topicId: string, partition: number } and Position = PartitionKey & { next: string }";

/** `sluice source status` */
export const sourceStatus: CommandSpec = {
  name: "source status",
  summary: "Show where each partition of a dataset's source stands",
  examples: [{ command: "sluice source status", says: "the table's positions beside the topic's ends, lag, and what is blocked" }],
  options: [configOption, datasetOption, jsonOption],
  json: "{ dataset: string, partitions: { topic: string, topicId: string, partition: number, next: string, begin: string | null, end: string | null, lag: string | null, blocked: string | null }[], blocks: Block[], reachable: boolean } where Block = { topic: string, topicId: string | null, partition: number | null, code: string, message: string, sinceMs: number }",
  findings: "a topic or partition is blocked",
  run: async (invocation) => (await import("../source-answers.ts")).showSource(invocation),
};

/** `sluice source accept` */
export const sourceAccept: CommandSpec = {
  name: "source accept",
  summary: "Accept a topic that was deleted and created again: read the new one from its start",
  details:
    "What was promoted from the old topic stays. A running worker goes on within seconds. For a file source: look at the files again; what is unchanged is read on from where it stood, what changed is read from its start.",
  examples: [{ command: 'sluice source accept -m "topic re-created by the platform team"', says: "with the reason on record" }],
  options: [configOption, datasetOption, reasonOption, jsonOption],
  json: answerJson,
  run: async (invocation) => (await import("../source-answers.ts")).acceptSource(invocation),
};

/** `sluice source reset` */
export const sourceReset: CommandSpec = {
  name: "source reset",
  summary: "Set the position that reading goes on from",
  details:
    "Answers offsets that are out of range, unreadable batches, and a re-created topic. Setting a position back makes records be judged and promoted again; setting it forward leaves records out for ever: both are yours to decide, and are recorded.",
  examples: [
    { command: "sluice source reset --partition 2 --to earliest", says: "the oldest record that still exists" },
    { command: "sluice source reset --partition 2 --to 81234", says: "an offset, such as past an unreadable batch" },
    { command: "sluice source reset --to 2026-01-31T00:00:00Z", says: "all partitions, the first record of that time or later" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--to <position>", description: "earliest, latest, a time, or an offset (with --partition)" },
    { flags: "-p, --partition <number>", description: "Only this partition (default: all)" },
    reasonOption,
    jsonOption,
  ],
  json: answerJson,
  run: async (invocation) => (await import("../source-answers.ts")).resetSource(invocation),
};
