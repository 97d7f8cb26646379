import { nameFile } from "../adapters/files/file-content.ts";
import { createFileSchemas } from "../adapters/files/avro-schemas.ts";
import type { FileFormat, InputFile } from "../adapters/files/file-list.ts";
import { listInputFiles } from "../adapters/files/file-list.ts";
import { createFileSource } from "../adapters/files/file-source.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { SchemaRegistry } from "../core/ports.ts";
import type { RuleOutcome } from "../core/rule.ts";
import type { Engine } from "../gate/engine.ts";
import type { CheckReport, FailingRow } from "./checker.ts";
import { Checker } from "./checker.ts";
import type { Invocation } from "./command.ts";
import { readContractText } from "./contracts.ts";
import { areLarge, openCheckEngine } from "./check-engine.ts";
import { CheckOutputs } from "./check-outputs.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import { contractForFiles, PeekedStream } from "./file-contract.ts";
import { createProgress } from "./progress.ts";
import { formatCount, formatShare, printable, renderTable } from "./table.ts";
import { version } from "./version.ts";

/** Read ahead of the engine, which has as much on its way to it: more takes memory, and is no faster. */
const bytesInFlightMax = 8 << 20;
const registryTimeoutMs = 10_000;

/** `sluice check`; `early`: threads that were started already, null where it was not known that they pay. */
export async function checkFiles(invocation: Invocation, early: Engine | null): Promise<ExitCode> {
  const { terminal } = invocation;
  const schema = invocation.text("schema");
  const { contract: whole } = await loadContract(invocation.argument(0), readContractText, schema === null ? {} : { dataset: schema });
  const paths = invocation.rest(1);
  if (paths.includes("-") && paths.length > 1) throw new UsageError("standard input stands alone: either - or files");
  const format = invocation.text("format") as FileFormat | null;
  const isStream = paths.includes("-");
  const files = isStream ? [] : await listInputFiles(paths, format);
  if (files.length === 0 && !paths.includes("-")) throw new UsageError(`${paths.join(", ")} holds no file to check`);
  const input = isStream ? new PeekedStream(process.stdin) : null;
  const start = input === null ? null : { format: format ?? "ndjson", chunks: () => input.peek() };
  const { contract, csv, schemas } = await contractForFiles(whole, files, start);
  const given = await registryOf(invocation);
  const registry = schemas.length === 0 ? given : createFileSchemas(schemas, given);
  const label = await labeller(files);
  const limit = invocation.count("limit") ?? 20;
  const shown: { readonly file: string; readonly line: number; readonly row: FailingRow }[] = [];
  const progress = createProgress(terminal, "checking", "records");
  const written = {
    failures: invocation.text("failures"),
    profile: invocation.text("profile"),
    parquet: invocation.text("parquet"),
    arrow: invocation.text("arrow"),
  };
  const outputs = await CheckOutputs.open(written, contract);
  const arrow = written.arrow !== null;
  const threads = early ?? (isStream || areLarge(files.map(({ path }) => path)) ? openCheckEngine(arrow) : null);
  const checker = new Checker({
    contract,
    source: createFileSource({
      topic: contract.topic,
      paths: isStream ? "-" : files.map((one) => one.path),
      bytesInFlightMax,
      identity: "path",
      // Engine threads have copies of their own.
      reuseMemory: threads !== null,
      csv,
      ...(format !== null && { format }),
      ...(input !== null && { input }),
    }),
    registry,
    engine: threads ?? (await openSmallEngine(arrow)),
    encode: outputs.wantsFiles,
    engineKind: "compiled",
    now: () => Date.now(),
    worker: "check",
    producer: version,
    onFailure: (row) => {
      if (shown.length < limit) shown.push({ ...label(row), row });
      if (outputs.wantsFailures) outputs.failing({ ...label(row), reasons: row.reasons });
    },
    onWindow: (settled) => outputs.window(settled),
    onProgress: (records) => progress.update(records, null),
  });
  let report: CheckReport;
  try {
    report = await checker.run();
    await outputs.close();
  } finally {
    progress.end();
    await registry?.close();
    // What is left unread of standard input must not keep the process.
    if (isStream) process.stdin.destroy();
  }
  const code = report.failed > 0 || report.windows.some((one) => one.verdict !== "promote") ? ExitCode.findings : ExitCode.clean;
  if (invocation.json) {
    const { id, hash } = contract;
    const failures = shown.map(({ file, line, row }) => ({ file, line, reasons: row.reasons }));
    terminal.json({ contract: { id, version: contract.version, hash }, ...report, failures });
    return code;
  }
  for (const { file, line, row } of shown) {
    for (const reason of row.reasons.filter((one) => one.severity === "error")) {
      terminal.out(`${file}:${line}: ${terminal.style("yellow", reason.rule)}: ${printable(reason.message)}`);
    }
  }
  if (report.failed > shown.length && limit > 0) {
    terminal.out(terminal.style("dim", `... and ${formatCount(report.failed - shown.length)} more failing rows (--limit shows more)`));
  }
  if (shown.length > 0) terminal.out("");
  printReport(invocation, report);
  return code;
}

/** Judges in this thread. */
async function openSmallEngine(arrow: boolean): Promise<Engine> {
  const createEncodeRows = arrow ? (await import("../arrow/arrow-rows.ts")).createArrowRows : null;
  return (await import("./engine.ts")).openInlineEngine(createEncodeRows);
}

/** The registry that the command line names: an address, or a folder of schemas by id. */
async function registryOf(invocation: Invocation): Promise<SchemaRegistry | null> {
  const given = invocation.text("registry");
  if (given === null) return null;
  if (!/^https?:/i.test(given)) return (await import("../adapters/registry/schema-folder.ts")).createSchemaFolder(given);
  const { openRegistry } = await import("./registry.ts");
  return openRegistry({ url: given, auth: null, tls: null, timeoutMs: registryTimeoutMs });
}

/** Names a failing row's file and line. */
async function labeller(files: readonly InputFile[]): Promise<(row: FailingRow) => { readonly file: string; readonly line: number }> {
  const names = new Map<string, string>();
  if (files.length > 1) for (const file of files) names.set((await nameFile(file)).topicId, file.path);
  const only = files.length === 1 ? (files[0] as InputFile).path : "-";
  return (row) => ({ file: names.get(row.topicId) ?? only, line: Number(row.offset) + 1 });
}

function printReport(invocation: Invocation, report: CheckReport): void {
  const { terminal } = invocation;
  const marks = { pass: "green", fail: "red", skipped: "dim", error: "red" } as const;
  const word = (rule: RuleOutcome): string => {
    const style = rule.status === "fail" && rule.severity === "warning" ? "yellow" : marks[rule.status];
    return terminal.style(style, rule.status === "fail" && rule.severity === "warning" ? "warn" : rule.status);
  };
  // What fails stands last, next to the prompt.
  const order = (one: RuleOutcome): number => (one.status === "fail" || one.status === "error" ? (one.severity === "error" ? 2 : 1) : 0);
  const rules = report.rules.toSorted((a, b) => order(a) - order(b));
  const rows = rules.map((one) => [
    word(one),
    one.rule,
    formatCount(one.failed),
    formatCount(one.checked),
    formatShare(one.failed, one.checked),
    one.breach ?? one.note ?? "",
  ]);
  for (const line of renderTable(["", "rule", "failed", "checked", "share", "breach"], rows)) terminal.out(line);
  terminal.out("");
  const held = report.windows.filter((one) => one.verdict === "hold" || one.verdict === "stop");
  for (const { verdict, rows: count, causes } of held.slice(0, 5)) {
    const would = verdict === "stop" ? "would stop the topic" : "would be held";
    terminal.out(
      `${terminal.style("magenta", verdict)}  a window of ${formatCount(count)} records ${would}: ${causes.map((one) => one.message).join("; ")}`,
    );
  }
  const { records, passed, failed, skipped } = report;
  const parts = [`${formatCount(passed)} pass`, `${formatCount(failed)} fail`, ...(skipped > 0 ? [`${formatCount(skipped)} skipped`] : [])];
  terminal.out(terminal.style("bold", `${formatCount(records)} records: ${parts.join(", ")}`));
}
