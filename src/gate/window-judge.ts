import type { Batch } from "../core/batch.ts";
import { BrokenInvariant, demand } from "../core/broken-invariant.ts";
import type { Contract } from "../core/contract.ts";
import type { EncodedFile } from "../core/encoded-file.ts";
import { chunkRecords } from "../core/record-chunks.ts";
import type { Records } from "../core/records.ts";
import type { LateViolations, RuleCheck, RuleOutcome, RulePlan, WindowValidator } from "../core/rule.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { ParquetFile } from "../parquet/written-file.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { addOffenders, DeferredGatherer, deferredRules } from "../rules/deferred/deferred-rule.ts";
import { encodeProfile, summarizeProfile } from "../sketches/index.ts";
import { copyBatch } from "../wasm/copy-batch.ts";
import type { CompiledContract, WindowProfiler } from "./compiled.ts";
import type { JudgedRows, RejectedWindowRow, SettledProfile, SettledRows, SkippedWindowRow, StepTimings } from "./judged-rows.ts";
import type { JudgedChunk } from "./settle-chunk.ts";
import { passingRows, rejectedRows, settleChunk } from "./settle-chunk.ts";

/** What a window's judge works with. */
export interface WindowJudgeOptions {
  /** The table that rows which passed are encoded for; null: they are not encoded. */
  readonly schema: IcebergSchema | null;
  /** A monotonic clock in milliseconds, for the timings. */
  readonly tick: () => number;
}

/**
 * Judges one window, chunk by chunk: decodes, validates, gives reasons, profiles and encodes the rows that passed. Where rows that passed can still fall
 * when the window closes, chunks are kept, and the last three wait until then; else nothing of a chunk is kept but what is said of it.
 */
export class WindowJudge {
  readonly #compiled: CompiledContract;
  readonly #schema: IcebergSchema | null;
  readonly #tick: () => number;
  readonly #rules: WindowValidator;
  readonly #profiler: WindowProfiler;
  readonly #kept: { readonly chunk: JudgedChunk; readonly base: number }[] | null;
  readonly #rejected: RejectedWindowRow[] = [];
  readonly #skipped: SkippedWindowRow[] = [];
  readonly #pieces: Uint8Array[] = [];
  #file: ParquetFile | null = null;
  #closed: ClosedRules | null = null;
  #rows = 0;
  #passed = 0;

  constructor(compiled: CompiledContract, { schema, tick }: WindowJudgeOptions) {
    this.#compiled = compiled;
    this.#schema = schema;
    this.#tick = tick;
    this.#rules = compiled.validator.open();
    this.#profiler = compiled.openProfiler();
    this.#kept = canStillFall(compiled.contract) ? [] : null;
  }

  /** Whether bytes of the records that were added are still needed when `add` has returned. */
  get keepsRecords(): boolean {
    return this.#kept !== null || this.#compiled.kind === "reference";
  }

  /** Judges some records, in as many chunks as they need; `beat` is called after each. */
  add(records: Records, beat: () => void = () => {}): JudgedRows {
    const timings = { decodeMs: 0, validateMs: 0, profileMs: 0, encodeMs: 0 };
    let faults = 0;
    let rejected = 0;
    const { rowsMax, bytesMax } = this.#compiled.chunk;
    for (const chunk of chunkRecords(records, rowsMax, bytesMax)) {
      const judged = this.#judge(chunk, timings);
      faults += judged.faults;
      rejected += judged.rejected;
      beat();
    }
    const { fallback } = this.#compiled;
    return { rows: records.count, faults, rejected, newestTimestampMs: newestOf(records.timestamps), timings, fallback };
  }

  /** The keys of the rows that pass whatever is judged here, for the rules that the outside world answers. Nothing is added after it. */
  questions(closedAtMs: number, beat: () => void = () => {}): readonly DeferredKeys[] {
    const { contract } = this.#compiled;
    const { late } = this.#close();
    const gatherers = deferredRules(contract.rules).map((plan) => new DeferredGatherer(plan, contract.fields));
    (this.#kept ?? []).forEach(({ chunk, base }, index) => {
      const { passed } = settleChunk(
        this.#compiled,
        chunk,
        late.filter((each) => each.batch === index),
        closedAtMs,
      );
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
    const file = this.#finishFile();
    return {
      outcomes,
      passedRows: this.#passed,
      rejected: this.#rejected,
      skipped: this.#skipped,
      profile: this.#finishProfile(),
      file,
    };
  }

  /** The rules' own end, once. */
  #close(): ClosedRules {
    this.#closed ??= this.#rules.close();
    return this.#closed;
  }

  #byChunk({ rule, rows }: DeferredOffenders): LateViolations[] {
    return (this.#kept ?? []).flatMap(({ chunk, base }, batch) => {
      const own = rows.filter((row) => row >= base && row < base + chunk.batch.rows).map((row) => row - base);
      return own.length === 0 ? [] : [{ rule, batch, rows: own }];
    });
  }

  /** Gives up: the window is dropped. */
  discard(): void {
    this.#file?.discard();
    this.#file = null;
  }

  #judge(records: Records, timings: Mutable<StepTimings>): { readonly faults: number; readonly rejected: number } {
    const { decode, validator } = this.#compiled;
    const start = this.#tick();
    const batch = decode(records);
    const decoded = this.#tick();
    const validation = this.#rules.add(batch);
    const passed = passingRows(batch, validation.rejected);
    const base = this.#rows;
    this.#rows += records.count;
    timings.decodeMs += decoded - start;
    let rejected = 0;
    for (let row = 0; row < records.count; row++) rejected += validation.rejected[row] as number;
    const chunk: JudgedChunk = { batch, validation, passed };
    if (this.#kept !== null) {
      this.#kept.push({
        chunk: { ...chunk, batch: batch.resident === undefined || batch.resident === null ? batch : copyBatch(batch) },
        base,
      });
      timings.validateMs += this.#tick() - decoded;
      return { faults: batch.faults.length, rejected };
    }
    for (const { row, reasons } of rejectedRows(validator, chunk)) this.#rejected.push({ row: base + row, reasons });
    for (const { row, policy } of batch.skipped) this.#skipped.push({ row: base + row, policy });
    const validated = this.#tick();
    timings.validateMs += validated - decoded;
    this.#profiler.add(batch, passed);
    const profiled = this.#tick();
    timings.profileMs += profiled - validated;
    this.#encode(batch, passed);
    timings.encodeMs += this.#tick() - profiled;
    return { faults: batch.faults.length, rejected };
  }

  #settleKept(
    kept: readonly { readonly chunk: JudgedChunk; readonly base: number }[],
    late: readonly LateViolations[],
    closedAtMs: number,
    beat: () => void,
  ): void {
    kept.forEach(({ chunk, base }, index) => {
      const later = late.filter((each) => each.batch === index);
      const settled = settleChunk(this.#compiled, chunk, later, closedAtMs);
      for (const { row, reasons } of settled.rejected) this.#rejected.push({ row: base + row, reasons });
      for (const { row, policy } of settled.skipped) this.#skipped.push({ row: base + row, policy });
      this.#profiler.add(chunk.batch, settled.passed);
      this.#encode(chunk.batch, settled.passed);
      beat();
    });
  }

  #encode(batch: Batch, passed: Uint32Array): void {
    this.#passed += passed.length;
    if (this.#schema === null || passed.length === 0) return;
    this.#file ??= this.#compiled.openFile(this.#schema);
    for (const piece of this.#file.append(batch, passed)) this.#pieces.push(piece);
  }

  #finishFile(): EncodedFile | null {
    const open = this.#file;
    if (open === null || this.#schema === null) return null;
    const { pieces, file } = open.finish();
    this.#file = null;
    if (file.recordCount !== this.#passed) throw new BrokenInvariant(`a file of ${file.recordCount} rows, where ${this.#passed} passed`);
    return { ...file, pieces: [...this.#pieces, ...pieces], schema: this.#schema };
  }

  #finishProfile(): SettledProfile {
    const profile = this.#profiler.finish();
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
    const more = addOffenders(contract.rules[i] as RulePlan, outcome, answer.rows.length);
    return answer.note === null ? more : { ...more, note: answer.note };
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function newestOf(timestamps: BigInt64Array): number {
  // Words of 32 bits: a BigInt a record would cost more than the rest.
  const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, 2 * timestamps.length);
  let newest = -1;
  for (let i = 0; i < words.length; i += 2) {
    const ms = (words[i + 1] as number) * 4_294_967_296 + ((words[i] as number) >>> 0);
    if (ms > newest) newest = ms;
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
      return looksBack(check.then.check) || (check.otherwise !== null && looksBack(check.otherwise.check));
    default:
      return false;
  }
}
