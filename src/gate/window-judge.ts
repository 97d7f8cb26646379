import type { Batch } from "../core/batch.ts";
import { BrokenInvariant, demand } from "../core/broken-invariant.ts";
import type { Contract } from "../core/contract.ts";
import type { EncodedFile } from "../core/encoded-file.ts";
import { countRows } from "../core/encoded-file.ts";
import type { EncodeRows, IpcMessage } from "../core/ipc-message.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { LateViolations, RuleCheck, RuleOutcome, RulePlan, WindowValidator } from "../core/rule.ts";
import type { FileLayout } from "../core/table-layout.ts";
import { plainLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { addOffenders, DeferredGatherer, deferredRules } from "../rules/deferred/deferred-rule.ts";
import { encodeProfile, summarizeProfile } from "../sketches/index.ts";
import { copyBatch } from "../wasm/copy-batch.ts";
import type { ChunkEngine } from "./chunk-engine.ts";
import type { CompiledContract } from "./compiled.ts";
import type { JudgedRows, RejectedWindowRow, SettledProfile, SettledRows, SkippedWindowRow, StepTimings } from "./judged-rows.ts";
import type { JudgedChunk } from "./settle-chunk.ts";
import { passingRows, rejectedRows, settleChunk } from "./settle-chunk.ts";
import { openWindowFiles, type WindowFiles } from "./window-files.ts";

/** What a window's judge works with. */
export interface WindowJudgeOptions {
  /** The table that rows which passed are encoded for; null: they are not encoded. */
  readonly schema: IcebergSchema | null;
  /** How its files are partitioned and sorted; absent: not at all. */
  readonly layout?: FileLayout;
  /** Encodes the rows that passed for Arrow; absent: they are not. */
  readonly encodeRows?: EncodeRows;
  /** A monotonic clock in milliseconds, for the timings. */
  readonly tick: () => number;
}

/**
 * Judges one window, chunk by chunk: decodes, validates, gives reasons, profiles and encodes the rows that passed. Where rows that passed can still fall
 * when the window closes, chunks are kept, and the last three wait until then; else nothing of a chunk is kept but what is said of it.
 */
export class WindowJudge {
  readonly #compiled: CompiledContract;
  #engine: ChunkEngine | null;
  readonly #tick: () => number;
  readonly #rules: WindowValidator;
  readonly #kept: { readonly chunk: JudgedChunk; readonly base: number }[] | null;
  #rejected: RejectedWindowRow[] = [];
  readonly #skipped: SkippedWindowRow[] = [];
  readonly #files: WindowFiles | null;
  readonly #encodeRows: EncodeRows | null;
  readonly #messages: IpcMessage[] = [];
  #closed: ClosedRules | null = null;
  #rows = 0;
  #passed = 0;

  constructor(compiled: CompiledContract, { schema, layout = plainLayout, tick, encodeRows }: WindowJudgeOptions) {
    this.#compiled = compiled;
    this.#tick = tick;
    this.#encodeRows = encodeRows ?? null;
    const engine = compiled.lend();
    engine.profiler.reset();
    this.#engine = engine;
    this.#files = schema === null ? null : openWindowFiles({ schema, layout, openFile: (into) => engine.openFile(into) });
    this.#rules = engine.validator.open();
    this.#kept = canStillFall(compiled.contract) ? [] : null;
  }

  /** Whether bytes of the records that were added are still needed when `add` has returned. */
  get keepsRecords(): boolean {
    return this.#kept !== null;
  }

  /** Judges some records, in as many chunks as they need; `schemas` are those that they name. `beat` is called after each chunk. */
  add(records: Records, schemas: ResolvedSchemas = new Map(), beat: () => void = () => {}): JudgedRows {
    const timings = { decodeMs: 0, validateMs: 0, profileMs: 0, encodeMs: 0 };
    let faults = 0;
    let rejected = 0;
    for (let from = 0; from < records.count;) {
      const start = this.#tick();
      const batch = this.#lent.decode(records, from, schemas);
      timings.decodeMs += this.#tick() - start;
      demand(batch.rows > 0, "a decoder must take at least one record");
      rejected += this.#judge(batch, timings);
      faults += batch.faults.length;
      from += batch.rows;
      beat();
    }
    const { fallback } = this.#lent;
    return { rows: records.count, faults, rejected, newestTimestampMs: newestOf(records.timestamps), timings, fallback };
  }

  /** Rejected rows that are not told yet, of those that can be told before the window is settled; `settle` leaves them out. */
  takeRejected(): readonly RejectedWindowRow[] {
    const rejected = this.#rejected;
    this.#rejected = [];
    return rejected;
  }

  /** The keys of the rows that pass whatever is judged here, for the rules that the outside world answers. Nothing is added after it. */
  questions(closedAtMs: number, beat: () => void = () => {}): readonly DeferredKeys[] {
    const { contract } = this.#compiled;
    const { validator } = this.#lent;
    const { late } = this.#close();
    const gatherers = deferredRules(contract.rules).map((plan) => new DeferredGatherer(plan, contract.fields));
    (this.#kept ?? []).forEach(({ chunk, base }, index) => {
      const later = late.filter((each) => each.batch === index);
      const { passed } = settleChunk(contract, validator, { chunk, later, closedAtMs });
      for (const gatherer of gatherers) gatherer.add(chunk.batch, base, passed);
      beat();
    });
    return gatherers.map((gatherer) => gatherer.finish());
  }

  /** Ends the window. `closedAtMs` is the time that late records are held against, `found` what the outside world said. Nothing is added after it. */
  settle(closedAtMs: number, found: readonly DeferredOffenders[] = [], beat: () => void = () => {}): SettledRows {
    const closed = this.#close();
    const outcomes = withFound(this.#compiled.contract, closed.outcomes, found);
    const late = [...closed.late, ...found.flatMap((each) => this.#byChunk(each))];
    if (this.#kept === null) demand(late.length === 0, "a rule found late offenders in a window whose rows can't fall any more");
    else this.#settleKept(this.#kept, late, closedAtMs, beat);
    const files = this.#finishFiles(beat);
    const profile = this.#finishProfile();
    this.discard();
    const settled = { outcomes, passedRows: this.#passed, rejected: this.#rejected, skipped: this.#skipped, profile, files };
    return this.#encodeRows === null ? settled : { ...settled, arrow: this.#messages };
  }

  /** The rules' own end, once. */
  #close(): ClosedRules {
    this.#closed ??= this.#rules.close();
    return this.#closed;
  }

  #byChunk({ rule, rows, expected }: DeferredOffenders): LateViolations[] {
    let from = 0;
    return (this.#kept ?? []).flatMap(({ chunk, base }, batch) => {
      let to = from;
      while (to < rows.length && (rows[to] as number) < base + chunk.batch.rows) to++;
      const own = rows.slice(from, to).map((row) => row - base);
      const told = expected?.slice(from, to);
      from = to;
      if (own.length === 0) return [];
      return [{ rule, batch, rows: own, ...(told === undefined ? {} : { expected: told }) }];
    });
  }

  /** The window is over, settled or dropped. */
  discard(): void {
    this.#files?.discard();
    if (this.#engine !== null) this.#compiled.giveBack(this.#engine);
    this.#engine = null;
  }

  /** The engine that was lent to this window. */
  get #lent(): ChunkEngine {
    demand(this.#engine !== null, "a window that is over judges nothing");
    return this.#engine;
  }

  #judge(batch: Batch, timings: Mutable<StepTimings>): number {
    const { validator, profiler } = this.#lent;
    const start = this.#tick();
    const validation = this.#rules.add(batch);
    const chunk: JudgedChunk = { batch, validation, passed: passingRows(batch, validation.rejected) };
    const base = this.#rows;
    this.#rows += batch.rows;
    let rejected = 0;
    for (let row = 0; row < batch.rows; row++) rejected += validation.rejected[row] as number;
    if (this.#kept !== null) {
      this.#kept.push({ chunk: { ...chunk, batch: ownColumns(batch) }, base });
      timings.validateMs += this.#tick() - start;
      return rejected;
    }
    if (rejected > 0) for (const { row, reasons } of rejectedRows(validator, chunk)) this.#rejected.push({ row: base + row, reasons });
    for (const { row, policy } of batch.skipped) this.#skipped.push({ row: base + row, policy });
    const validated = this.#tick();
    profiler.add(batch, chunk.passed);
    const profiled = this.#tick();
    this.#encode(batch, chunk.passed);
    timings.validateMs += validated - start;
    timings.profileMs += profiled - validated;
    timings.encodeMs += this.#tick() - profiled;
    return rejected;
  }

  #settleKept(
    kept: readonly { readonly chunk: JudgedChunk; readonly base: number }[],
    late: readonly LateViolations[],
    closedAtMs: number,
    beat: () => void,
  ): void {
    const { contract } = this.#compiled;
    const { validator, profiler } = this.#lent;
    kept.forEach(({ chunk, base }, index) => {
      const later = late.filter((each) => each.batch === index);
      const settled = settleChunk(contract, validator, { chunk, later, closedAtMs });
      for (const { row, reasons } of settled.rejected) this.#rejected.push({ row: base + row, reasons });
      for (const { row, policy } of settled.skipped) this.#skipped.push({ row: base + row, policy });
      profiler.add(chunk.batch, settled.passed);
      this.#encode(chunk.batch, settled.passed);
      beat();
    });
  }

  #encode(batch: Batch, passed: Uint32Array): void {
    this.#passed += passed.length;
    if (passed.length === 0) return;
    // First: what a batch views may move when a file takes its rows.
    if (this.#encodeRows !== null) this.#messages.push(this.#encodeRows(batch, passed));
    this.#files?.append(batch, passed);
  }

  #finishFiles(beat: () => void): EncodedFile[] {
    if (this.#files === null) return [];
    const files = this.#files.finish(beat);
    const rows = countRows(files);
    if (rows !== this.#passed) throw new BrokenInvariant(`files of ${rows} rows, where ${this.#passed} passed`);
    return files;
  }

  #finishProfile(): SettledProfile {
    const profile = this.#lent.profiler.finish();
    return { rows: profile.rows, columns: summarizeProfile(profile, this.#compiled.contract), bytes: encodeProfile(profile) };
  }
}

type ClosedRules = ReturnType<WindowValidator["close"]>;

/** Outcomes with the offenders that the outside world named. */
function withFound(contract: Contract, outcomes: readonly RuleOutcome[], found: readonly DeferredOffenders[]): readonly RuleOutcome[] {
  const answers = new Map(found.map((each) => [each.rule, each]));
  return outcomes.map((outcome, i) => {
    const answer = answers.get(i);
    if (answer === undefined) return outcome;
    const more = addOffenders(contract.rules[i] as RulePlan, outcome, answer.rows.length + (answer.failedBeside ?? 0));
    return answer.note === null ? more : { ...more, note: answer.note };
  });
}

/** A batch whose columns outlive the next chunk. */
function ownColumns(batch: Batch): Batch {
  return batch.resident === undefined || batch.resident === null ? batch : copyBatch(batch);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function newestOf(timestamps: BigInt64Array): number {
  // Words of 32 bits: a BigInt a record would cost more than the rest.
  const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, 2 * timestamps.length);
  let newest = -1;
  let newestHigh = -1;
  for (let i = 0; i < words.length; i += 2) {
    const high = words[i + 1] as number;
    // Files have no timestamps: all of their records are at -1.
    if (high < 0 || high < newestHigh) continue;
    const ms = high * 4_294_967_296 + ((words[i] as number) >>> 0);
    if (ms <= newest) continue;
    newest = ms;
    newestHigh = high;
  }
  return newest;
}

/** Whether a row that passed can be rejected or skipped when its window closes. */
function canStillFall(contract: Contract): boolean {
  const { late } = contract.policies;
  if (late !== null && late.action !== "promote") return true;
  return deferredRules(contract.rules).length > 0 || contract.rules.some(({ check }) => looksBack(check));
}

/** Whether a check finds offenders among rows that were judged before. */
function looksBack(check: RuleCheck): boolean {
  switch (check.family) {
    case "duplicate":
      return check.keep === "none";
    case "allOf":
    case "anyOf":
      return check.parts.some((part) => looksBack(part.check));
    case "not":
      return looksBack(check.part.check);
    case "conditional":
      return looksBack(check.consequent.check) || (check.otherwise !== null && looksBack(check.otherwise.check));
    default:
      return false;
  }
}
