import type { FilePlace } from "../core/lake-trace.ts";
import type { OffsetRange } from "../core/position.ts";
import type { JobReading } from "../trace/trace-job.ts";
import type { VersionReader } from "../trace/trace-readers.ts";
import type { RecordTrace } from "../trace/trace-record.ts";
import type { VersionTrace } from "../trace/trace-version.ts";
import type { SourceHeaders } from "./source-headers.ts";
import type { StepEvents, TracedVersion } from "./traced-version.ts";
import type { TracedWindow } from "../trace/traced-window.ts";
import type { Terminal } from "./terminal.ts";
import { formatCount, formatTime, printable, renderTable } from "./table.ts";

const rangesShown = 12;

/** A record's trace in words, top down: where it is, who decided so, its row, its quarantine. */
export function printRecordTrace(trace: RecordTrace, terminal: Terminal): void {
  const { source, decisions, rows, quarantined } = trace;
  terminal.out(`${printable(source.topic)}:${source.partition}:${source.offset}  ${trace.state}`);
  terminal.out(`  ${trace.says}`);
  if (decisions.length > 0) {
    terminal.out("");
    printTable(["decided", "by", "verdict", "contract", "snapshot", "answered by"], decisions.map(decisionRow), terminal);
  }
  for (const row of rows) {
    terminal.out("");
    terminal.out(`row ${formatCount(row.row)} of ${row.file}`);
    terminal.out(
      `  added by snapshot ${row.addedBy}; ${row.deletedIn.length > 0 && row.refs.length === 0 ? "no branch or tag shows it" : sayRefs(row.refs)}`,
    );
    for (const { ref, snapshotId } of row.deletedIn) terminal.out(`  deleted in ${printable(ref)}, by snapshot ${snapshotId}`);
  }
  if (quarantined !== null) {
    terminal.out("");
    terminal.out(`quarantine: ${quarantined.state}, attempt ${quarantined.attempt}, since ${formatTime(quarantined.quarantinedAtMs)}`);
    for (const { rule, severity, message } of quarantined.reasons) terminal.out(`  ${rule} (${severity}): ${printable(message)}`);
  }
}

/** A version with all that is known of it, in words. */
export function printTracedVersion(version: TracedVersion, terminal: Terminal): void {
  printVersionStep(version, terminal);
  if (version.events !== null) printEvents(version.events, terminal);
  if (version.headers !== null) printHeaders(version.headers, terminal);
  printVersionContents(version, terminal);
  printReaders(version.readers, terminal);
}

/** What a version is, and what its last step decided, in words. */
function printVersionStep(trace: VersionTrace, terminal: Terminal): void {
  const { snapshot, window } = trace;
  terminal.out(`${trace.dataset} at snapshot ${snapshot.snapshotId}, committed ${formatTime(snapshot.committedAtMs)}`);
  if (snapshot.isExpired) terminal.out("  expired: its rows can't be read any more; this is what the ledger keeps of it");
  terminal.out(`  ${trace.isWithdrawn ? "rolled back: main does not show it; " : ""}${sayRefs(trace.refs)}`);
  terminal.out("");
  if (window === null) terminal.out(`its last step: ${snapshot.summary["sluice.change"] ?? `${snapshot.operation} by another program`}`);
  else printStep(window, terminal);
}

/** Who was told of a version's last step, in words. */
function printEvents({ lineage, toldTo }: StepEvents, terminal: Terminal): void {
  const names = (isTold: boolean): string =>
    toldTo
      .filter((each) => each.isTold === isTold)
      .map(({ sink }) => sink)
      .join(", ");
  const [told, waiting] = [names(true), names(false)];
  if (lineage !== null) terminal.out(`  lineage: run ${lineage.runId} of job ${printable(lineage.job)} in ${printable(lineage.namespace)}`);
  if (told !== "") terminal.out(`  told to ${told}`);
  if (waiting !== "") terminal.out(`  not yet told to ${waiting}`);
}

/** What producers wrote beside the records of a version's last step, in words. */
export function printHeaders({ read, gone, headers, why }: SourceHeaders, terminal: Terminal): void {
  terminal.out("");
  if (why !== null) {
    terminal.out(`producers' headers: ${why}`);
    return;
  }
  const lost = gone === 0 ? "" : `; ${formatCount(gone)} more are not in the topic any longer`;
  terminal.out(`producers' headers of ${formatCount(read)} records${lost}${headers.length === 0 && read > 0 ? ": none" : ""}`);
  const rows = headers.map(({ key, times, distinct, values }) => [
    printable(key),
    formatCount(times),
    distinct === null ? "very many" : formatCount(distinct),
    values.map((each) => `${each.value === null ? "null" : printable(each.value)} (${formatCount(each.times)})`).join(", "),
  ]);
  if (rows.length > 0) printTable(["header", "times", "values", "most frequent"], rows, terminal);
}

/** All that a version is made of, in words. */
function printVersionContents({ contents }: VersionTrace, terminal: Terminal): void {
  terminal.out("");
  const rows = contents.rows === null ? "rows" : `${formatCount(contents.rows)} rows`;
  terminal.out(`all that it is made of: ${rows}, ${formatCount(contents.windows)} windows of ${formatCount(contents.records)} records`);
  if (contents.deleteFiles > 0)
    terminal.out(
      `  (${formatCount(contents.deleteFiles)} delete files of another program leave out ${formatCount(contents.rowsDeleted)} more rows)`,
    );
  if (!contents.isWhole) terminal.out("  (another program expired older snapshots: changes that no window made are known since then only)");
  const uses = contents.contracts.map((use) => [
    `${use.id} ${use.version}`,
    shortHash(use.hash),
    formatCount(use.windows),
    formatTime(use.firstAtMs),
    formatTime(use.lastAtMs),
  ]);
  if (uses.length > 0) {
    terminal.out("");
    printTable(["contract", "hash", "windows", "from", "to"], uses, terminal);
  }
  if (contents.ranges.length > 0) {
    terminal.out("");
    printTable(["source", "partition", "from", "to", "records"], contents.ranges.slice(0, rangesShown).map(rangeRow), terminal);
    const more = contents.ranges.length - rangesShown;
    if (more > 0) terminal.out(`and ${formatCount(more)} ranges more: --json has all`);
  }
  if (contents.held.length > 0) {
    terminal.out("");
    const held = contents.held.map((each) => [
      each.windowId,
      formatTime(each.heldAtMs),
      formatCount(each.records),
      each.answer === null ? "waits" : `${each.answer.kind} by ${printable(each.answer.author)}: ${printable(each.answer.reason)}`,
      each.isIn ? "yes" : "no",
    ]);
    printTable(["held window", "held", "records", "answer", "in this version"], held, terminal);
  }
  if (contents.others.length > 0) {
    terminal.out("");
    const others = contents.others.map((each) => [
      formatTime(each.atMs),
      each.change,
      each.snapshotId,
      printable(each.author ?? ""),
      printable(each.reason ?? ""),
    ]);
    printTable(["changed", "by", "snapshot", "author", "reason"], others, terminal);
  }
}

/** Who read a version, in words. */
function printReaders(readers: readonly VersionReader[], terminal: Terminal): void {
  terminal.out("");
  if (readers.length === 0) {
    terminal.out("no reading of it is known");
    return;
  }
  const rows = readers.map((each) => [
    printable(each.job ?? each.reader),
    printable(each.runId ?? ""),
    each.isExact ? "this version" : each.snapshotId,
    each.kinds.join(", "),
    formatTime(each.firstAtMs),
    formatCount(each.times),
  ]);
  printTable(["read by", "run", "read", "known by", "first", "times"], rows, terminal);
}

/** What a run of a job read, in words. */
export function printJobReading(reading: JobReading, terminal: Terminal): void {
  const { dataset, snapshotId, runId, version, since, details, isDataset } = reading;
  const tag = details["tag"] ?? details["ref"];
  terminal.out(
    `run ${printable(runId ?? "unknown")} read ${dataset} at ${tag === undefined ? "" : `${printable(tag)}, `}snapshot ${snapshotId}`,
  );
  terminal.out(`  first ${formatTime(reading.firstAtMs)}, known by ${reading.kinds.join(", ")}`);
  if (details["assumed"] !== undefined) terminal.out(`  assumed: ${printable(details["assumed"])}`);
  if (!isDataset) {
    terminal.out("  a table of rejected records, or of a dataset that is gone");
    return;
  }
  if (version === null || since === null) {
    terminal.out("  its snapshot is gone, and in no ledger: what it was made of is not known any more");
    return;
  }
  const { contents } = version;
  if (version.snapshot.isExpired) terminal.out("  its snapshot has expired since: its rows can't be read any more");
  terminal.out(`  ${contents.rows === null ? "rows" : `${formatCount(contents.rows)} rows`} of ${formatCount(contents.windows)} windows`);
  for (const use of contents.contracts)
    terminal.out(`  contract ${use.id} ${use.version} (${shortHash(use.hash)}): ${formatCount(use.windows)} windows`);
  const missing = contents.held.filter((each) => !each.isIn);
  if (missing.length > 0) terminal.out(`  without held windows ${missing.map((each) => each.windowId).join(", ")}`);
  if (since.published.length > 0) terminal.out(`  published since: ${since.published.join(", ")}`);
  if (since.replays > 0) terminal.out(`  ${formatCount(since.replays)} replays of quarantined records since`);
  if (since.isWithdrawn) terminal.out("  it was rolled back since: main does not show its last step any more");
}

/** A file's place in words. */
export function printFilePlace(dataset: string, place: FilePlace, terminal: Terminal): void {
  terminal.out(place.file);
  terminal.out(`  ${formatCount(place.rows)} rows, ${formatCount(place.bytes)} bytes, of the ${place.table} table of ${dataset}`);
  terminal.out(`  added by snapshot ${place.addedBy}; ${sayRefs(place.refs)}`);
}

function printStep(window: NonNullable<VersionTrace["window"]>, terminal: Terminal): void {
  const { decision } = window;
  const { counts, contract, causes, rules } = decision;
  terminal.out(`its last step: ${decision.kind} ${decision.windowId}, ${decision.verdict}, by contract ${contract.id} ${contract.version}`);
  terminal.out(
    `  ${formatCount(counts.records)} records: ${formatCount(counts.promoted)} promoted, ${formatCount(counts.quarantined)} quarantined, ${formatCount(counts.held)} held, ${formatCount(counts.skipped.tombstone + counts.skipped.late)} skipped`,
  );
  if (window.answer !== null) terminal.out(`  answered by ${printable(window.answer.author)}: ${printable(window.answer.reason)}`);
  for (const cause of causes) terminal.out(`  ${cause.kind} ${cause.subject}: ${printable(cause.message)}`);
  const failed = rules.filter((rule) => rule.failed > 0);
  if (failed.length > 0)
    terminal.out(`  rules that failed: ${failed.map((rule) => `${rule.rule} (${formatCount(rule.failed)})`).join(", ")}`);
  terminal.out(`  drift: ${decision.drift.status}; profile ${decision.profile.hash ?? "none"}; decision ${window.decisionHash}`);
  terminal.out(`  judged by worker ${printable(decision.worker)}, Sluice ${decision.producer}`);
}

function decisionRow(window: TracedWindow): string[] {
  return [
    formatTime(window.committedAtMs),
    `${window.kind} ${window.windowId}`,
    window.verdict,
    shortHash(window.contractHash),
    window.snapshotId,
    window.answer === null ? "" : `${printable(window.answer.author)}: ${printable(window.answer.reason)}`,
  ];
}

function rangeRow(range: OffsetRange): string[] {
  return [printable(range.topic), String(range.partition), range.from.toString(), range.to.toString(), formatCount(range.count)];
}

function sayRefs(refs: readonly string[]): string {
  return refs.length === 0 ? "no branch or tag holds it any more" : `in ${refs.map(printable).join(", ")}`;
}

function printTable(header: readonly string[], rows: readonly (readonly string[])[], terminal: Terminal): void {
  for (const line of renderTable(header, rows)) terminal.out(line);
}

function shortHash(hash: string): string {
  return hash.replace(/^sha256:/, "").slice(0, 12);
}
