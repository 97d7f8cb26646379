import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import type { Lake } from "../../core/ports.ts";
import { formatCount, formatShare, renderTable, shortPath } from "../table.ts";
import { faultKinds } from "./faults.ts";
import type { Terminal } from "../terminal.ts";
import { metadataFile } from "../table-metadata-file.ts";

/** Where every record of the demo ended, as the lake says it. */
export interface DemoTotals {
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  readonly skipped: number;
  readonly windows: number;
  readonly heldWindows: number;
  /** Of the held records, those that failed a rule. */
  readonly heldRejected: number;
  /** Records in quarantine by the first reason's rule: each counted once. */
  readonly byFirstRule: readonly (readonly [rule: string, records: number])[];
}

/** Reads the totals from the lake: nothing is taken from what this process saw. */
export async function readTotals(lake: Lake, dataset: string): Promise<DemoTotals> {
  const totals = { promoted: 0, quarantined: 0, held: 0, skipped: 0, windows: 0 };
  for await (const { decision } of lake.history(dataset, 0n)) {
    if (decision.kind !== "window") continue;
    totals.windows++;
    totals.promoted += decision.counts.promoted;
    totals.quarantined += decision.counts.quarantined;
    totals.held += decision.counts.held;
    totals.skipped += decision.counts.skipped.tombstone + decision.counts.skipped.late;
  }
  const rules = new Map<string, number>();
  for await (const { reasons } of lake.quarantined(dataset, {})) {
    const rule = reasons.find((one) => one.severity === "error")?.rule ?? "none";
    rules.set(rule, (rules.get(rule) ?? 0) + 1);
  }
  const held = await lake.held(dataset);
  const heldRejected = held.reduce((sum, one) => sum + one.rejected, 0);
  return { ...totals, heldWindows: held.length, heldRejected, byFirstRule: [...rules].sort((a, b) => b[1] - a[1]) };
}

/** Prints what was declared beside what came out; answers whether every record is accounted for. */
export function printTotals(
  terminal: Terminal,
  of: { readonly produced: number; readonly faults: ReadonlyMap<string, number>; readonly totals: DemoTotals; readonly seconds: number },
): boolean {
  const { produced, faults, totals, seconds } = of;
  const { promoted, quarantined, held, skipped, windows } = totals;
  const sum = promoted + quarantined + held + skipped;
  terminal.out("");
  terminal.out(terminal.style("bold", `${formatCount(produced)} records in ${seconds.toFixed(1)} s, ${formatCount(windows)} windows`));
  const rows = [
    ["promoted", formatCount(promoted), formatShare(promoted, produced), "rows of the Iceberg table"],
    ["quarantined", formatCount(quarantined), formatShare(quarantined, produced), "byte for byte, with every reason"],
    [
      "held",
      formatCount(held),
      formatShare(held, produced),
      held > 0 ? `in ${totals.heldWindows} windows that drifted, waiting for a person` : "no window drifted",
    ],
    ["skipped", formatCount(skipped), formatShare(skipped, produced), "by a policy of the contract"],
  ];
  for (const line of renderTable(["", "", "", ""], rows).slice(1)) terminal.out(`  ${line}`);
  const fits = sum === produced;
  const verdict = fits
    ? terminal.style("green", "every record is in exactly one place")
    : terminal.style("red", `${formatCount(produced - sum)} records are not accounted for`);
  terminal.out(
    `  ${formatCount(promoted)} + ${formatCount(quarantined)} + ${formatCount(held)} + ${formatCount(skipped)} = ${formatCount(sum)}: ${verdict}`,
  );
  terminal.out("");
  const declared = [...faults.values()].reduce((a, b) => a + b, 0);
  const found = `${formatCount(totals.quarantined)} quarantined + ${formatCount(totals.heldRejected)} in held windows`;
  terminal.out(`Declared faults: ${formatCount(declared)}. Found: ${found} = ${formatCount(totals.quarantined + totals.heldRejected)}.`);
  const byRule = new Map(totals.byFirstRule);
  const lines = [...faults].map(([name, count]) => {
    const rule = faultKinds.find((kind) => kind.name === name)?.rule ?? "";
    const line = [formatCount(count), name, formatCount(byRule.get(rule) ?? 0), rule];
    byRule.delete(rule);
    return line;
  });
  for (const [rule, count] of byRule) lines.push(["", "", formatCount(count), rule]);
  for (const line of renderTable(["declared", "fault", "quarantined", "first rule that failed"], lines)) terminal.out(`  ${line}`);
  return fits;
}

/** The commands to look further, ready to paste. */
export async function printNextSteps(
  terminal: Terminal,
  of: { readonly folder: string; readonly config: Config; readonly sluice: string; readonly heldWindows: number },
): Promise<void> {
  const { folder, config, sluice, heldWindows } = of;
  const file = shortPath(join(folder, "sluice.yaml"));
  const flag = `--config ${file}`;
  const table = await metadataFile(config, "flights");
  const step = (says: string, ...commands: readonly string[]): void => {
    terminal.out(terminal.style("dim", `  # ${says}`));
    for (const command of commands) terminal.out(`  ${terminal.style("cyan", command)}`);
  };
  terminal.out("");
  terminal.out(terminal.style("bold", "Look further"));
  step("the snapshots; each is one window", `${sluice} snapshots ${flag}`);
  step("what was quarantined, and why", `${sluice} quarantine list ${flag}`);
  if (heldWindows > 0) step("the windows that drifted: publish or drop them", `${sluice} hold list ${flag}`);
  if (table !== null) {
    const sql = `SELECT carrier, count(*) AS flights, avg(dep_delay_min) AS delay FROM iceberg_scan('${table}') GROUP BY ALL ORDER BY flights DESC`;
    step("query a snapshot with DuckDB (https://duckdb.org)", `duckdb -c "INSTALL iceberg; LOAD iceberg; ${sql}"`);
  }
  const open = `SqlCatalog('sluice', uri='sqlite:///${config.lake.catalog}', warehouse='file://${config.lake.folder}')`;
  step(
    "read it by PyIceberg (pip install 'pyiceberg[sql-sqlite,pyarrow]')",
    `python3 -c "from pyiceberg.catalog.sql import SqlCatalog; print(${open}.load_table('${config.lake.namespace}.flights').scan().to_arrow().schema)"`,
  );
  if (existsSync(join(folder, "lineage.ndjson")))
    step("OpenLineage: one run a window", `tail -n 1 ${shortPath(join(folder, "lineage.ndjson"))}`);
}
