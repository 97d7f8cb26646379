import type { ComparedVersion, VersionWindow } from "../core/lake-refs.ts";
import type { ColumnSummary } from "../core/profile.ts";
import type { SchemaChange } from "../core/schema-diff.ts";
import { formatCount, formatShare, formatTime, printable, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import type { ColumnDiff, ProfiledRows, VersionDiff } from "./version-diff.ts";

const windowsShown = 20;

function versionLine(label: string, version: Omit<ComparedVersion, "schema">): string {
  const rows = version.rows === null ? "" : `, ${formatCount(version.rows)} rows`;
  const contract = version.contract === null ? "" : `, contract ${version.contract.version}`;
  return `${label} ${version.name}: snapshot ${version.snapshotId} of ${formatTime(version.committedAtMs)}${rows}${contract}`;
}

function schemaLine({ fieldId, path, change, from, to }: SchemaChange): string {
  const says = {
    added: `+ ${path} ${to}`,
    dropped: `- ${path} ${from}`,
    renamed: `~ ${from} is called ${to}`,
    retyped: `~ ${path}: ${from} became ${to}`,
    required: `~ ${path} became required`,
    optional: `~ ${path} became optional`,
    moved: `~ ${path} moved ${to === null ? "to the front" : `behind ${to}`}`,
  }[change];
  return `  ${printable(says)} (field ${fieldId})`;
}

function windowLines(windows: readonly VersionWindow[]): readonly string[] {
  const shown = windows.slice(-windowsShown);
  const rows = shown.map(({ snapshotId, committedAtMs, decision }) => [
    snapshotId,
    formatTime(committedAtMs),
    decision.kind,
    decision.windowId,
    decision.verdict,
    formatCount(decision.counts.promoted),
    formatCount(decision.counts.quarantined),
    formatCount(decision.counts.held),
    decision.contract.version,
  ]);
  const header = ["snapshot", "committed", "kind", "window", "verdict", "promoted", "quarantined", "held", "contract"];
  const more = windows.length - shown.length;
  return [...renderTable(header, rows).map((line) => `  ${line}`), ...(more > 0 ? [`  and ${formatCount(more)} older ones`] : [])];
}

const measures: readonly (readonly [title: string, of: (column: ColumnSummary) => string | null])[] = [
  ["null", (column) => formatShare(column.nulls + column.missing, column.count)],
  ["distinct", (column) => formatCount(column.distinct)],
  ["mean", (column) => measure(column, column.mean)],
  ["p05", (column) => measure(column, column.quantiles?.p05)],
  ["p50", (column) => measure(column, column.quantiles?.p50)],
  ["p95", (column) => measure(column, column.quantiles?.p95)],
  ["min", (column) => column.min],
  ["max", (column) => column.max],
];

/** A statistic of a column: whole numbers whole, moments as such (profiles have them as seconds), anything else to six digits. */
function measure(column: ColumnSummary, value: number | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (/^\d{4}-\d{2}-\d{2}T/.test(column.max ?? "")) return formatTime(value * 1000);
  if (Number.isInteger(value) || Math.abs(value) >= 1e6) return String(Math.round(value));
  return Number(value.toPrecision(6)).toString();
}

/** What of a column differs, A's value before B's; a column that is the same in both says nothing. */
function columnLine({ path, a, b, added }: ColumnDiff): readonly string[] {
  if (a === null || b === null) return a === null && b === null ? [] : [`  ${printable(path)}: only in ${a === null ? "B" : "A"}`];
  const parts = measures.flatMap(([title, of]) => {
    const [was, is] = [of(a), of(b)];
    if (was === is) return [];
    const fresh = added === null ? null : of(added);
    return [`${title} ${was ?? "none"} -> ${is ?? "none"}${fresh === null || fresh === is ? "" : ` (added: ${fresh})`}`];
  });
  return parts.length === 0 ? [] : [`  ${printable(path)}: ${printable(parts.join(", "))}`];
}

function profiled(label: string, { windows, of, rows }: ProfiledRows): string {
  const some = windows < of ? `${formatCount(windows)} of ${formatCount(of)}` : formatCount(of);
  return `${label} ${formatCount(rows)} rows of ${some} windows`;
}

function fileLine(sign: string, { rows, files, bytes }: VersionDiff["added"]): string {
  return `  ${sign} ${formatCount(rows)} rows; ${formatCount(files)} files, ${formatCount(bytes)} bytes`;
}

/** Prints a comparison for people. */
export function printVersionDiff(diff: VersionDiff, terminal: Terminal): void {
  const title = (text: string): void => terminal.out(terminal.style("bold", text));
  terminal.out(versionLine("A", diff.a));
  terminal.out(versionLine("B", diff.b));
  title("rows");
  terminal.out(fileLine("+", diff.added));
  terminal.out(fileLine("-", diff.removed));
  if (diff.rowsRewritten === null)
    terminal.out("  the history between the two has expired: rows that were only rewritten are counted as removed and added");
  else if (diff.rowsRewritten > 0n) terminal.out(`  ${formatCount(diff.rowsRewritten)} rows were only written anew`);
  for (const [label, { deleteFiles, rowsDeleted }] of [
    ["A", diff.a],
    ["B", diff.b],
  ] as const) {
    if (deleteFiles > 0) terminal.out(`  ${formatCount(deleteFiles)} delete files leave ${formatCount(rowsDeleted)} rows out of ${label}`);
  }
  title("schema");
  for (const each of diff.schema) terminal.out(schemaLine(each));
  if (diff.schema.length === 0) terminal.out("  the same");
  title("contract");
  for (const line of contractLines(diff)) terminal.out(`  ${line}`);
  for (const [label, windows] of [
    ["only in B", diff.onlyB],
    ["only in A", diff.onlyA],
  ] as const) {
    if (windows.length === 0) continue;
    title(`windows ${label}`);
    for (const line of windowLines(windows)) terminal.out(line);
  }
  title("columns");
  const columns = diff.profile.columns.flatMap(columnLine);
  for (const line of columns) terminal.out(line);
  if (columns.length === 0) terminal.out("  no difference that profiles show");
  for (const line of basisLines(diff)) terminal.out(`  ${line}`);
}

/** What the comparison of columns goes by, and what it therefore lacks. */
function basisLines({ a, b, profile }: VersionDiff): readonly string[] {
  if (profile.isRead) {
    const left = profile.unread.length === 0 ? "" : `; not read: ${printable(profile.unread.join(", "))}`;
    return [`by the rows themselves: A ${formatCount(profile.a.rows)}, B ${formatCount(profile.b.rows)}${left}`];
  }
  const by = `by stored profiles: ${profiled("A", profile.a)}; ${profiled("B", profile.b)}`;
  const lacks = ([a, b] as const).some(({ rows }, i) => rows !== null && rows !== (i === 0 ? profile.a.rows : profile.b.rows));
  if (!lacks) return [by];
  return [by, "profiles are of windows: rows that came by replays or other programs, or went since, are not told; --read reads the rows"];
}

function contractLines({ a, b, contract }: VersionDiff): readonly string[] {
  if (a.contract === null || b.contract === null) return ["not known"];
  if (a.contract.hash === b.contract.hash) return [`the same: version ${a.contract.version}`];
  return [`${a.contract.version} (${a.contract.hash}) -> ${b.contract.version} (${b.contract.hash})`, ...(contract ?? []).map(printable)];
}
