import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { Lake } from "../core/ports.ts";
import type { RuleOutcome, RulePlan } from "../core/rule.ts";
import type { SqlEngine } from "../core/sql-queries.ts";
import { judgeAcross, looksBack, rememberMeasures, type MeasuredHistory, type WindowEnd } from "../rules/across/judge-across.ts";
import { judgeSql } from "../rules/across/sql.ts";
import type { SettledRows } from "./judged-rows.ts";

/** Commits that are read back for each window that a rule looks back on: some were held, or cut short. */
const readBackFactor = 3;

/**
 * Finishes what a window's rules say with what lies beyond the window: the time of its close, the windows promoted before, and SQL over its rows. What it knows of
 * earlier windows is a fold over committed decisions, and is read back from the lake where a worker begins or the contract changes.
 */
export class WindowOutcomes {
  readonly #lake: Lake | null;
  readonly #sql: SqlEngine | null;
  #contract: Contract;
  #history: MeasuredHistory = new Map();
  #sequence: bigint | null = null;

  /** `lake`: null where there are no earlier windows (a file that is only checked). */
  constructor(contract: Contract, lake: Lake | null, sql: SqlEngine | null) {
    this.#contract = contract;
    this.#lake = lake;
    this.#sql = sql;
  }

  change(contract: Contract): void {
    this.#contract = contract;
    this.#history = new Map();
    this.#sequence = null;
  }

  /** Takes in what was committed since the last call, by any worker. */
  async catchUp(): Promise<true> {
    const { rules } = this.#contract;
    const lake = this.#lake;
    if (lake === null || !looksBack(rules)) return true;
    const known = this.#sequence;
    if (known !== null && !(await this.#foldAfter(lake, known))) return true;
    // Some of what was remembered was rolled back, or brought back: remember anew what stands now.
    this.#history = new Map();
    await this.#foldAfter(lake, await this.#begin(lake));
    for (const rule of rules) if (rule.check.family === "change") await this.#pin(lake, rule, rule.check.against ?? null);
    return true;
  }

  /** What a rule is compared with that names a version: the windows which that has. */
  async #pin(lake: Lake, rule: RulePlan, version: string | null): Promise<void> {
    if (version === null) return;
    const { dataset } = this.#contract;
    try {
      const { snapshotId } = await lake.refs.resolve(dataset, version);
      for await (const { decision } of lake.refs.windowsOf(dataset, snapshotId))
        this.#history = rememberMeasures([rule], this.#history, decision);
    } catch (fault) {
      // The rule says so itself: it has no windows to be compared with.
      if (!(fault instanceof SluiceError) || fault.code !== "VERSION_UNKNOWN") throw fault;
    }
  }

  /** Takes in what stands after a commit; true where a rollback or its undoing is among it. */
  async #foldAfter(lake: Lake, after: bigint): Promise<boolean> {
    const { dataset } = this.#contract;
    const rules = this.#contract.rules.filter(({ check }) => check.family === "change" && (check.against ?? null) === null);
    let isMoved = false;
    this.#sequence = after;
    for await (const { decision, sequence, isWithdrawn } of lake.history(dataset, after)) {
      if (decision.kind === "withdraw" || decision.kind === "restore") isMoved = true;
      else if (!isWithdrawn) this.#history = rememberMeasures(rules, this.#history, decision);
      this.#sequence = sequence;
    }
    return isMoved;
  }

  async #begin(lake: Lake): Promise<bigint> {
    const { rules, dataset } = this.#contract;
    const windows = Math.max(...rules.map(({ check }) => (check.family === "change" ? check.windows : 0)));
    return lake.sequenceBefore(dataset, windows * readBackFactor);
  }

  /** The settled rows with their outcomes finished. */
  async finish(settled: SettledRows, end: WindowEnd): Promise<SettledRows> {
    const { rules } = this.#contract;
    const outcomes = judgeAcross(rules, await this.#withSql(settled), end, this.#history);
    return { ...settled, outcomes };
  }

  async #withSql({ outcomes, files }: SettledRows): Promise<readonly RuleOutcome[]> {
    const { rules, dataset } = this.#contract;
    const queries = rules.flatMap(({ id, check }) => (check.family === "sql" ? [{ rule: id, sql: check.query }] : []));
    if (queries.length === 0 || files.length === 0) return outcomes;
    if (this.#sql === null) throw new SluiceError("CONTRACT_INVALID", "the contract has SQL rules, and there is nothing here to run them");
    const answers = await this.#sql.run(
      queries,
      dataset,
      files.map((file) => file.pieces),
    );
    const byRule = new Map(queries.map(({ rule }, i) => [rule, answers[i]]));
    return outcomes.map((outcome, i) => {
      const answer = byRule.get(outcome.rule);
      return answer === undefined ? outcome : judgeSql(rules[i] as RulePlan, outcome, answer);
    });
  }
}
