import type { Contract } from "../core/contract.ts";
import type { Cause, Verdict } from "../core/decision.ts";
import type { DriftOutcome } from "../core/drift.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { SchemaRegistry, Source, SourceListener, SourceRun } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { Reason, RuleOutcome } from "../core/rule.ts";
import type { EngineKind } from "../gate/compiled.ts";
import type { Engine } from "../gate/engine.ts";
import { judgeWindow, windowId } from "../gate/judge.ts";
import type { SettledRows } from "../gate/judged-rows.ts";
import { Outside, type NamedWindow } from "../gate/outside.ts";
import { Sequences } from "../gate/sequences.ts";
import { OpenWindow } from "../gate/window.ts";
import { WindowOutcomes } from "../gate/window-outcomes.ts";
import { schemaOfContract } from "../adapters/iceberg/table-schema.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import { openClaimsFile } from "../adapters/catalog/claims-file.ts";
import type { WindowEnd } from "../rules/across/judge-across.ts";
import { sqlQueries } from "./sql-queries.ts";

/** A file's first window has nothing to be compared with, so drift is not judged. */
const noDrift: DriftOutcome = { status: "off", tick: null, baseline: null, needs: 0, results: [] };

/** Windows that are settled while later ones fill: enough for every thread to have work. */
const settlingMax = 2;

/** A row that failed, as `sluice check` shows it. */
export interface FailingRow {
  /** Stands for the file: the hash of its content. */
  readonly topicId: string;
  /** The source's offset of the record. */
  readonly offset: bigint;
  readonly reasons: readonly Reason[];
}

/** What a check found; outcomes are totals over all windows. */
export interface CheckReport {
  readonly records: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly rules: readonly RuleOutcome[];
  readonly windows: readonly {
    readonly windowId: string;
    readonly rows: number;
    readonly verdict: Verdict;
    readonly causes: readonly Cause[];
  }[];
}

export interface CheckerOptions {
  readonly contract: Contract;
  readonly source: Source;
  /** Closed by the checker. */
  readonly engine: Engine;
  readonly engineKind: EngineKind;
  /** Where framed records' schemas come from. */
  readonly registry?: SchemaRegistry | null;
  readonly now: () => number;
  /** Whether windows' files are made; SQL rules need them in any case. */
  readonly encode: boolean;
  readonly onFailure: (row: FailingRow) => void;
  /** A window's failing rows were all told. */
  readonly onWindow: (settled: SettledRows) => Promise<void>;
  readonly onProgress: (records: number) => void;
  readonly worker: string;
  readonly producer: string;
}

/**
 * The gate's own steps over a finite source, without lake or catalog: windows are decoded, validated, profiled and decided as they would be,
 * and forgotten. Of a window's records only their places are kept, so that one may be as large as its contract says.
 */
export class Checker implements SourceListener {
  readonly #options: CheckerOptions;
  readonly #over = Promise.withResolvers<void>();
  readonly #positions = new Map<string, Position>();
  readonly #queue: SourceRun[] = [];
  readonly #rules: RuleOutcome[] = [];
  readonly #windows: CheckReport["windows"][number][] = [];
  readonly #totals = { records: 0, passed: 0, failed: 0, skipped: 0 };
  readonly #claims = openClaimsFile({ file: ":memory:", random: () => 0, busyMsMax: 0 }, "check");
  readonly #outside = new Outside({ claims: this.#claims.claims, lake: null, sequences: new Sequences(null) });
  readonly #outcomes: WindowOutcomes;
  readonly #schema: IcebergSchema | null;
  readonly #settling: Promise<void>[] = [];
  /** Resolves when the windows that were closed so far are judged; what is made of them may take longer. */
  #judged: Promise<unknown> = Promise.resolve();
  #engineClosed: Promise<void> | null = null;
  #window: OpenWindow | null = null;
  #ended = false;
  #working = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
    const hasSql = options.contract.rules.some(({ check }) => check.family === "sql");
    this.#schema = hasSql || options.encode ? schemaOfContract(options.contract, null).schema : null;
    this.#outcomes = new WindowOutcomes(options.contract, null, sqlQueries);
  }

  /** Reads the source to its end. Rejects with what the source rejects with, or with the fault that blocked it. */
  async run(): Promise<CheckReport> {
    const { source } = this.#options;
    // The contract is compiled while the first bytes are read.
    this.#window = this.#openWindow();
    await source.start(this);
    try {
      await this.#over.promise;
    } finally {
      await source.close();
      await this.#closeEngine();
      await this.#claims.close();
    }
    return { ...this.#totals, rules: this.#rules, windows: this.#windows };
  }

  async assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]> {
    const begin = await this.#options.source.resolve(partitions, { at: "earliest" });
    for (const position of begin) this.#positions.set(partitionId(position), position);
    return begin;
  }

  revoked(): Promise<void> {
    return Promise.resolve();
  }

  lost(): void {}

  records(run: SourceRun): void {
    this.#queue.push(run);
    this.#schedule();
  }

  blocked(fault: { readonly error: Error }): void {
    this.#over.reject(fault.error);
  }

  trouble(error: Error | null): void {
    if (error !== null) this.#over.reject(error);
  }

  ended(): void {
    this.#ended = true;
    this.#schedule();
  }

  /** One run a turn of the event loop, so that the source's reads and the progress bar get theirs. */
  #schedule(): void {
    if (this.#working) return;
    this.#working = true;
    setImmediate(() => {
      this.#step().then(
        (more) => {
          this.#working = false;
          if (more || this.#queue.length > 0 || this.#ended) this.#schedule();
        },
        (error: unknown) => this.#over.reject(error),
      );
    });
  }

  /** False where there is nothing to do until the source says more, or ever. */
  async #step(): Promise<boolean> {
    const run = this.#queue.shift();
    if (run === undefined) {
      if (!this.#ended) return false;
      this.#ended = false;
      await this.#close("end");
      await this.#judged;
      // Threads take a while to end: meanwhile what they found is written.
      void this.#closeEngine();
      await Promise.all(this.#settling);
      this.#over.resolve();
      return false;
    }
    const { contract } = this.#options;
    const window = (this.#window ??= this.#openWindow());
    for (const next of run.next) {
      window.advance(this.#positions.get(partitionId(next)) ?? { ...next, next: 0n }, next);
      this.#positions.set(partitionId(next), next);
    }
    await window.room();
    const schemas = await this.#schemasOf(run.records);
    // Faults show again when the window is settled.
    if (run.records.count > 0) window.add([run.records], schemas).catch(() => undefined);
    this.#totals.records += run.records.count;
    run.release();
    this.#options.onProgress(this.#totals.records);
    if (window.rows >= contract.window.rows) await this.#close("rows");
    else if (window.bytes >= contract.window.bytes) await this.#close("bytes");
    return true;
  }

  /** Only declared forms of records name schemas; what resolves them loads every format. */
  async #schemasOf(records: Records): Promise<ResolvedSchemas | undefined> {
    const { contract, registry = null } = this.#options;
    if (contract.record === undefined) return undefined;
    const { resolveSchemas } = await import("../gate/schema-resolver.ts");
    return resolveSchemas(contract, [records], registry);
  }

  #openWindow(): OpenWindow {
    const { contract, engine, engineKind, now } = this.#options;
    return new OpenWindow(contract, now(), engine.open({ contract, schema: this.#schema, kind: engineKind }), false);
  }

  /** Ends the open window. Its result is taken in the order of the windows, while later ones fill. */
  async #close(closedBy: "rows" | "bytes" | "end"): Promise<void> {
    const window = this.#window;
    this.#window = null;
    // Files without any record are one empty window: how many rows there must be is judged of them too.
    if (window === null || (window.rows === 0 && this.#settling.length > 0)) return;
    const closedAtMs = this.#options.now();
    const named = (): NamedWindow => ({ windowId: windowId(window.contract.dataset, window.ranges, closedAtMs), ranges: window.ranges });
    const settling = this.#outside.settle(window, { closedAtMs, patiently: (operation) => operation(), named });
    this.#judged = Promise.all([this.#judged, settling]).then(() => undefined);
    // Faults show where the window is concluded.
    this.#judged.catch(() => undefined);
    const before = this.#settling.at(-1);
    const concluded = Promise.all([settling, before]).then(([settled]) =>
      this.#conclude(window, settled as SettledRows, { closedAtMs, closedBy }),
    );
    concluded.catch((error: unknown) => this.#over.reject(error));
    this.#settling.push(concluded);
    if (this.#settling.length > settlingMax) await this.#settling.shift();
  }

  #closeEngine(): Promise<void> {
    return (this.#engineClosed ??= this.#options.engine.close());
  }

  async #conclude(window: OpenWindow, settled: SettledRows, end: WindowEnd): Promise<void> {
    const { worker, producer, onFailure, onWindow } = this.#options;
    const finished = await this.#outcomes.finish(settled, end);
    const commit = judgeWindow(window, finished, { ...end, worker, producer, holdNext: false, drift: () => noDrift });
    const { decision } = commit;
    this.#totals.passed += settled.passedRows;
    this.#totals.failed += settled.rejected.length;
    this.#totals.skipped += settled.skipped.length;
    this.#windows.push({ windowId: decision.windowId, rows: window.rows, verdict: decision.verdict, causes: decision.causes });
    this.#addRules(decision.rules);
    for (const { records, row, reasons } of commit.rejected) {
      const key = records.partitions[records.partition[row] as number] as PartitionKey;
      onFailure({ topicId: key.topicId, offset: records.offsets[row] as bigint, reasons });
    }
    await onWindow(settled);
  }

  #addRules(outcomes: readonly RuleOutcome[]): void {
    outcomes.forEach((outcome, index) => {
      const sum = this.#rules[index];
      this.#rules[index] = sum === undefined ? outcome : addOutcome(sum, outcome);
    });
  }
}

const rank = { pass: 0, skipped: 0, fail: 1, error: 2 } as const;

/** What is said of both windows; of a sequence, where it broke first. */
function noteOf(first: string | undefined, { family, note }: RuleOutcome): { readonly note?: string } {
  if (family === "sequence" && first !== undefined && note !== undefined) return { note: first.replace(laterBreaks, "") + laterBreaks };
  const kept = family === "sequence" ? (first ?? note) : first === note ? note : undefined;
  return kept === undefined ? {} : { note: kept };
}

const laterBreaks = "; and in later windows";

/** A rule's outcomes over two windows; the first breach is kept. What a window measures is not what several would. */
function addOutcome(a: RuleOutcome, b: RuleOutcome): RuleOutcome {
  const status = rank[b.status] > rank[a.status] || a.status === "skipped" ? b.status : a.status;
  const { measured: _, note, ...rest } = a;
  const kept = noteOf(note, b);
  return { ...rest, ...kept, checked: a.checked + b.checked, failed: a.failed + b.failed, status, breach: a.breach ?? b.breach };
}
