import type { CommandSpec } from "../command.ts";
import { jsonOption } from "../command.ts";

/** `sluice check` */
export const check: CommandSpec = {
  name: "check",
  summary: "Judge a file by a contract: the gate's own steps, without Kafka or catalog",
  details:
    "Decodes, validates, profiles and decides as `sluice run` would, window by window, and writes only what it is asked to. Drift is not judged: a file has no past.",
  examples: [
    {
      command: "sluice check flights.odcs.yaml flights.ndjson",
      says: "failing rows as file:line with every reason, then each rule's result",
    },
    { command: "kcat -C -t flights -e | sluice check flights.odcs.yaml -", says: "standard input" },
    { command: "sluice check flights.odcs.yaml day.parquet --limit 0 --json", says: "only the results, for scripts" },
    { command: "sluice check flights.odcs.yaml - --format csv < day.csv", says: "CSV with a header line on standard input" },
    { command: "sluice check orders.odcs.yaml record.bin --format raw --registry schemas/", says: "one framed record, offline" },
  ],
  arguments: [
    { name: "<contract>", description: "The ODCS contract" },
    {
      name: "<files...>",
      description:
        "NDJSON (.ndjson, .jsonl, .json) or .csv files (also .gz, .zst), .parquet, .avro, Arrow (.arrow, .arrows, .feather, .ipc), folders of them, or - for standard input",
    },
  ],
  options: [
    { flags: "--schema <name>", description: "Which schema object, where the contract has several" },
    {
      flags: "--format <format>",
      description:
        "What the files are, whatever their names; raw: one record a file, as it stands in the topic. Default for standard input: ndjson",
      choices: ["ndjson", "parquet", "csv", "arrow", "avro", "raw"],
    },
    {
      flags: "--registry <url-or-folder>",
      description: "Where framed records' schemas come from: a registry's URL, or a folder with <id>.avsc, .proto or .json",
    },
    { flags: "--failures <file>", description: "Write every failing row with every reason, as NDJSON" },
    { flags: "--profile <file>", description: "Write the profile of the rows that passed, as JSON" },
    { flags: "--parquet <folder>", description: "Write the rows that passed: one Parquet file a window" },
    {
      flags: "--arrow <file>",
      description: "Write the rows that passed: one Arrow IPC file, or a stream where its name ends in .arrows",
    },
    { flags: "-n, --limit <rows>", description: "How many failing rows to show; all are counted", default: "20" },
    jsonOption,
  ],
  json: "{ contract: { id: string, version: string, hash: string }, records: number, passed: number, failed: number, skipped: number, rules: RuleOutcome[], windows: { windowId: string, rows: number, verdict: string, causes: Cause[] }[], failures: { file: string, line: number, reasons: Reason[] }[] }, RuleOutcome, Cause and Reason by schemas/decision.schema.json",
  findings: "a row fails, or a window would be held",
  run: async (invocation) => {
    const { areLarge, openCheckEngine } = await import("../check-engine.ts");
    const threads = areLarge(invocation.rest(1)) ? openCheckEngine(invocation.text("arrow") !== null) : null;
    try {
      return await (await import("../check.ts")).checkFiles(invocation, threads);
    } finally {
      await threads?.close();
    }
  },
};
