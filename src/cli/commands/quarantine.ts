import { SluiceError } from "../../core/errors.ts";
import type { QuarantinedRecord } from "../../core/ports.ts";
import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { filterOf, filterOptions, stateOption } from "../quarantine-filter.ts";
import { formatCount, formatTime, printable, renderTable } from "../table.ts";

const recordJson =
  "{ id: string, topic: string, topicId: string, partition: number, offset: string, timestampMs: number, timestampType: number, valueBytes: number | null, reasons: { rule: string, family: string, column: string | null, severity: string, message: string, observed: string | null, limit: string | null }[], contractHash: string, decisionHash: string, windowId: string, attempt: number, state: string, quarantinedAtMs: number }";

/** `sluice quarantine list` */
export const quarantineList: CommandSpec = {
  name: "quarantine list",
  summary: "List quarantined records and count them by rule",
  examples: [
    { command: "sluice quarantine list", says: "what is open, with each record's first reason, and totals by rule" },
    { command: "sluice quarantine list --rule carrier.pattern --since 2h", says: "one rule's, of the last two hours" },
    { command: "sluice quarantine list --state all --json | jq '.byRule'", says: "totals by rule, for scripts" },
  ],
  options: [
    configOption,
    datasetOption,
    ...filterOptions,
    stateOption,
    { flags: "-n, --limit <records>", description: "How many records to list; all are counted", default: "20" },
    jsonOption,
  ],
  json: `{ dataset: string, total: number, byRule: Record<string, number>, records: ${recordJson}[] }`,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { quarantinedJson } = await import("../quarantined-record.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const limit = invocation.count("limit") ?? 20;
      const shown: QuarantinedRecord[] = [];
      const byRule = new Map<string, number>();
      let total = 0;
      for await (const record of lake.quarantined(dataset, filterOf(invocation, Date.now()))) {
        total++;
        if (shown.length < limit) shown.push(record);
        for (const rule of new Set(record.reasons.map((reason) => reason.rule))) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
      }
      const rules = [...byRule].sort((a, b) => b[1] - a[1]);
      if (invocation.json) {
        terminal.json({ dataset, total, byRule: Object.fromEntries(rules), records: shown.map((one) => quarantinedJson(one, false)) });
        return ExitCode.clean;
      }
      if (total === 0) {
        terminal.out(`No record of ${dataset} is in quarantine in this state.`);
        return ExitCode.clean;
      }
      if (shown.length > 0) {
        for (const line of renderTable(["record", "quarantined", "attempt", "reason"], shown.map(rowOf))) terminal.out(line);
        terminal.out("");
      }
      for (const line of renderTable(
        ["rule", "records"],
        rules.map(([rule, count]) => [rule, formatCount(count)]),
      ))
        terminal.out(line);
      terminal.out("");
      terminal.out(
        `${formatCount(total)} records${total > shown.length ? `, ${formatCount(shown.length)} listed` : ""}. A record can fail several rules.`,
      );
      return ExitCode.clean;
    });
  },
};

function rowOf(record: QuarantinedRecord): readonly string[] {
  const [first, ...others] = record.reasons;
  const more = others.length > 0 ? ` (and ${others.length} more)` : "";
  const reason = first === undefined ? "" : `${first.rule}: ${first.message}${more}`;
  const text = printable(reason);
  return [record.id, formatTime(record.quarantinedAtMs), String(record.attempt), text.length > 110 ? `${text.slice(0, 107)}...` : text];
}

/** `sluice quarantine show` */
export const quarantineShow: CommandSpec = {
  name: "quarantine show",
  summary: "Show one quarantined record with every reason and its bytes",
  examples: [
    {
      command: "sluice quarantine show 7b520498-196d-4766-893b-9bb59caad20f:1:44",
      says: "everything about it; ids come from `quarantine list`",
    },
    {
      command: "sluice quarantine show 7b520498-196d-4766-893b-9bb59caad20f:1:44 --raw value > record.json",
      says: "its value, byte for byte",
    },
  ],
  arguments: [{ name: "<id>", description: "The record's id: topic id, partition and offset" }],
  options: [
    configOption,
    datasetOption,
    { flags: "--raw <part>", description: "Write only these bytes, exactly", choices: ["value", "key"] },
    jsonOption,
  ],
  json: `${recordJson} & { key: Bytes, value: Bytes, headers: { key: string, value: Bytes }[], decoded: string | null } where Bytes = { text: string | null, base64: string } | null`,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { printQuarantined, quarantinedJson } = await import("../quarantined-record.ts");
    return withLake(invocation, async ({ config, lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const id = invocation.argument(0);
      let found: QuarantinedRecord | null = null;
      for await (const record of lake.quarantined(dataset, { ids: [id] })) found = record;
      if (found === null)
        throw new SluiceError(
          "NOT_FOUND",
          `no record ${id} in the quarantine of ${dataset}; \`sluice quarantine list --state all\` lists them`,
        );
      const raw = invocation.text("raw");
      if (raw !== null) process.stdout.write((raw === "key" ? found.key : found.value) ?? new Uint8Array(0));
      else {
        const { decodeByContract } = await import("../decoded-record.ts");
        const decoded = await decodeByContract(found, dataset, config);
        if (invocation.json) invocation.terminal.json({ ...quarantinedJson(found, true), decoded });
        else printQuarantined(found, decoded, invocation.terminal);
      }
      return ExitCode.clean;
    });
  },
};

/** `sluice quarantine replay` */
export const quarantineReplay: CommandSpec = {
  name: "quarantine replay",
  summary: "Judge open quarantined records again, by the contract as it is now",
  details:
    "What passes is promoted with its original source position; what fails stays, with one attempt more, and is parked when its attempts (`quarantine.attemptsMax`) are spent. Safe to interrupt and to repeat.",
  examples: [
    { command: "sluice quarantine replay --rule carrier.pattern", says: "after the contract's pattern was corrected" },
    { command: "sluice quarantine replay --id 7b520498-196d-4766-893b-9bb59caad20f:1:44", says: "one record" },
    { command: "sluice quarantine replay --since 1d --json", says: "the last day's, as one JSON document" },
  ],
  options: [
    configOption,
    datasetOption,
    ...filterOptions,
    { flags: "--id <id>", description: "Only this record; can be repeated", repeats: true },
    jsonOption,
  ],
  json: "{ dataset: string, contract: { version: string, hash: string }, replayed: number, promoted: number, failed: number, parked: number }",
  findings: "some records failed again",
  async run(invocation) {
    const { replayQuarantine } = await import("../replay.ts");
    return replayQuarantine(invocation, {
      ...filterOf(invocation, Date.now()),
      ...(invocation.texts("id").length > 0 && { ids: invocation.texts("id") }),
    });
  },
};
