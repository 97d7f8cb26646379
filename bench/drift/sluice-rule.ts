import type { DriftOutcome, DriftResult } from "../../src/core/drift.ts";
import { plainLimit, spreadLimit } from "../../src/drift/drift-limit.ts";
import type { DriftMeasure } from "../../src/drift/drift-test.ts";
import { psi } from "../../src/drift/measures/psi.ts";
import { judgeSequence } from "../../src/drift/sequential/judge-sequence.ts";
import type { Sequential, SequenceState } from "../../src/drift/sequential/sequence-state.ts";
import { emptySequence, foldSequence, streamOf } from "../../src/drift/sequential/sequence-state.ts";
import { tailScore } from "../../src/drift/sequential/tail-score.ts";
import type { Counted } from "./counted-measures.ts";
import { measurePsi } from "./counted-measures.ts";
import type { CountedRule } from "./counted-rule.ts";
import { Reference, windowsOfReference } from "./counted-rule.ts";

/** What a contract would say. */
export interface SluiceSetting {
  readonly baseline: "rolling" | "pinned";
  /** The effect size from which on a change matters; 0: any. */
  readonly limit: number;
  /** Whether single windows can alarm by themselves. */
  readonly hasGate: boolean;
  /** Windows of a rolling baseline; of a seasonal one, of each season. */
  readonly depth?: number;
}

const breakFactor = 2.5;
const shareMost = 0.001;
/** Windows of a season, at least, before anything is judged. */
const leastOfSeason = 4;

/** The project's own judgement of PSI, over counts instead of sketches. */
export class SluiceRule implements CountedRule {
  readonly name: string;
  readonly #plan: Sequential;
  readonly #setting: SluiceSetting;
  readonly #depth: number;
  readonly #references = new Map<string, Reference>();
  /** Of a pinned baseline: the newest windows, for their spread. */
  readonly #newest = new Reference(windowsOfReference);
  #streams: readonly string[] = [];
  #state: SequenceState = emptySequence;

  constructor(name: string, ticks: number, setting: SluiceSetting) {
    this.name = name;
    this.#plan = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: ticks } };
    this.#setting = setting;
    this.#depth = setting.depth ?? windowsOfReference;
  }

  /** The newest scores of a column. */
  scores(column: number): readonly number[] {
    return this.#state.streams.get(this.#streams[column] as string)?.scores ?? [];
  }

  judge(window: readonly Counted[], season: string): readonly number[] {
    if (this.#streams.length === 0) this.#streams = window.map((_, column) => streamOf(`c${column}`, "psi"));
    const reference = this.#references.get(season) ?? new Reference(this.#depth);
    this.#references.set(season, reference);
    const { baseline } = this.#setting;
    const least = baseline === "pinned" ? this.#depth : Math.min(leastOfSeason, this.#depth);
    if (reference.windows.length < least) {
      reference.add(window);
      if (baseline === "pinned") this.#newest.add(window);
      return [];
    }
    const measures = window.map((now, column) => measurePsi(reference.sums[column] as Counted, now));
    const scores = new Map(measures.map((measure, column) => [this.#streams[column] as string, measure.energy / measure.expected]));
    const tick = { openedAtMs: 0, closedAtMs: 0, streams: this.#streams, scores };
    const { sequence, evidence } = judgeSequence(this.#plan, this.#state, tick);
    const share = Math.min(shareMost, 1 / sequence.threshold) / (2 * window.length);
    const flagged: number[] = [];
    measures.forEach((measure, column) => {
      if (this.#isBreak(reference, measure, column, share)) flagged.push(column);
      else if (sequence.isExceeded && measure.statistic > this.#setting.limit) {
        const value = evidence.get(this.#streams[column] as string)?.value ?? 0;
        if (value >= sequence.threshold) flagged.push(column);
      }
    });
    const results = this.#streams.map((key, column): DriftResult => {
      const base = {
        column: `c${column}`,
        test: "psi",
        statistic: null,
        limit: null,
        status: "pass",
        policy: "warn",
        explanation: null,
      } as const;
      const found = evidence.get(key);
      return found === undefined ? base : { ...base, evidence: found };
    });
    const outcome: DriftOutcome = { status: "pass", tick: null, baseline: null, needs: 0, results, sequence };
    const isUsual = flagged.length === 0;
    this.#state = foldSequence(this.#plan, this.#state, { outcome, closedAtMs: 0, isUsual, watched: new Set(this.#streams) });
    if (isUsual) (baseline === "pinned" ? this.#newest : reference).add(window);
    return flagged;
  }

  #isBreak(reference: Reference, measure: DriftMeasure, column: number, share: number): boolean {
    const { hasGate, limit, baseline } = this.#setting;
    if (!hasGate || measure.statistic <= plainLimit(psi, measure, breakFactor * limit, share)) return false;
    const scores = this.scores(column);
    // The tail's score is none of them: most windows are told by the highest alone.
    if (scores.length >= 20 && measure.energy <= measure.expected * scores.reduce((most, each) => Math.max(most, each), 0)) return false;
    const usual = tailScore(scores, share, measure.freedom) ?? 0;
    if (measure.statistic <= psi.statisticOf(usual * measure.expected)) return false;
    const others =
      baseline === "pinned"
        ? this.#newest.windows.map((each) => measurePsi(reference.sums[column] as Counted, each[column] as Counted))
        : reference.windows.map((each) => measurePsi(reference.without(column, each), each[column] as Counted));
    return measure.statistic > (spreadLimit(psi, measure, others, share) ?? 0);
  }
}
