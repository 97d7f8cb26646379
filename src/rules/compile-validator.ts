import { BrokenInvariant, demand } from "../core/broken-invariant.ts";
import type { Batch } from "../core/batch.ts";
import type { DecodeFault } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type {
  LateViolations,
  MetricState,
  Reason,
  RuleOutcome,
  RulePlan,
  Validation,
  Validator,
  Violations,
  WindowMetric,
  WindowValidator,
} from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { cutText } from "./cell-text.ts";
import { compileCondition, type RowMask } from "./condition-mask.ts";
import { ruleFamilies } from "./index.ts";
import type { RuleKernels } from "./kernels/rule-kernels.ts";
import { judgeMetric, windowMetric } from "./metrics/metric-family.ts";
import { invalidRule, type CompiledRule, type Explanation, type RuleRun } from "./rule-family.ts";
import { thresholdBreach, toleranceBreach } from "./tolerance.ts";

interface Rule {
  readonly plan: RulePlan;
  readonly compiled: CompiledRule;
  readonly where: RowMask | null;
}

const none = new Uint32Array(0);
const maskedText = "<masked>";

/**
 * Compiles a contract's rules. Throws CONTRACT_INVALID, with the rule's place, where one makes no sense. With kernels, those judge what they cover of
 * batches that stand in their layout; what is found is the same either way.
 */
export function compileValidator(contract: Pick<Contract, "fields" | "rules">, kernels: RuleKernels | null = null): Validator {
  requireTypeRules(contract);
  const families = new Map(ruleFamilies.map((family) => [family.family, family]));
  const rules = contract.rules.map((plan): Rule => {
    const family = families.get(plan.check.family);
    if (family === undefined) throw invalidRule(plan, `there is no rule family ${plan.check.family}`);
    return {
      plan,
      compiled: family.compile(plan.check, { plan, fields: contract.fields }),
      where: plan.where === null ? null : compileCondition(plan.where, contract.fields, plan),
    };
  });
  return {
    metrics: metricsOf(rules),
    open: () => new Window(rules, kernels),
    reasons: (batch, row, violated, expected) => reasonsOf(rules, { batch, row, violated, expected: expected ?? null }),
  };
}

function metricsOf(rules: readonly Rule[]): ReadonlyMap<string, WindowMetric> {
  const metrics = new Map<string, WindowMetric>();
  for (const { plan, compiled } of rules) if (compiled.metric !== undefined) metrics.set(plan.id, windowMetric(plan, compiled.metric));
  return metrics;
}

/** An invalid cell has no value, so the rule that rejects it must be there: else the row would be promoted with a null. */
function requireTypeRules(contract: Pick<Contract, "fields" | "rules">): void {
  const guarded = new Set(
    contract.rules
      .filter(({ check, scope, severity, where }) => check.family === "type" && scope === "row" && severity === "error" && where === null)
      .map(({ path }) => path),
  );
  const visit = (field: Field): void => {
    const { type } = field;
    demand(type.kind === "json" || guarded.has(field.path), `the contract has no type rule for ${field.path}`);
    if (type.kind === "struct") type.fields.forEach(visit);
    else if (type.kind === "list") visit(type.element);
    else if (type.kind === "map") visit(type.value);
  };
  contract.fields.forEach(visit);
}

/** One rule in one window. */
interface Tally {
  readonly run: RuleRun;
  checked: number;
  failed: number;
  /** Message of the fault that ended the rule; null while it works. */
  fault: string | null;
}

/** The decoded rows of a batch, counted when first asked for: kernels need them not. */
class DecodedRows {
  readonly #batch: Batch;
  #flags: Uint8Array | null = null;
  #count = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** 1 for each decoded row. */
  get flags(): Uint8Array {
    if (this.#flags !== null) return this.#flags;
    const { rows, undecoded } = this.#batch;
    const flags = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) flags[row] = 1 - (undecoded[row] as number);
    this.#flags = flags;
    this.#count = countOnes(flags);
    return flags;
  }

  /** How many there are; ask for `flags` first. */
  get count(): number {
    return this.#count;
  }
}

class Window implements WindowValidator {
  readonly #rules: readonly Rule[];
  readonly #tallies: readonly Tally[];
  readonly #kernels: RuleKernels | null;
  #batches = 0;

  constructor(rules: readonly Rule[], kernels: RuleKernels | null) {
    this.#rules = rules;
    this.#kernels = kernels;
    this.#tallies = rules.map(({ compiled }) => ({ run: compiled.open(), checked: 0, failed: 0, fault: null }));
  }

  add(batch: Batch): Validation {
    const number = this.#batches++;
    const found = this.#kernels !== null && batch.resident === this.#kernels.layout ? this.#kernels.run(batch) : null;
    const violations: Violations[] = [];
    const checked = found?.checked ?? new Float64Array(this.#rules.length);
    const rejected = found?.rejected ?? batch.undecoded.slice();
    const rows = new DecodedRows(batch);
    let covered = 0;
    for (const [i, rule] of this.#rules.entries()) {
      const tally = this.#tallies[i] as Tally;
      if (found !== null && this.#kernels?.covered.has(i) === true) {
        tally.checked += checked[i] as number;
        tally.failed += found.failed[i] as number;
        if (found.violations[covered]?.rule === i) violations.push(found.violations[covered++] as Violations);
        continue;
      }
      const keys = tally.run.offendersOfKeys === undefined ? undefined : found?.keys.get(i);
      if (keys !== undefined) {
        tally.checked += checked[i] as number;
        if (tally.fault === null) this.#take(rule, tally, tally.run.offendersOfKeys?.(keys, number) ?? none, violations, rejected);
        continue;
      }
      const applies = applicableRows(rule, batch, rows.flags);
      const count = applies === rows.flags ? rows.count : countOnes(applies);
      checked[i] = count;
      tally.checked += count;
      if (count === 0 || tally.fault !== null) continue;
      this.#take(rule, tally, offendersOf(tally, batch, applies, number), violations, rejected);
    }
    return { violations, checked, rejected };
  }

  #take({ plan }: Rule, tally: Tally, rows: Uint32Array, violations: Violations[], rejected: Uint8Array): void {
    tally.failed += rows.length;
    if (rows.length === 0 || plan.scope !== "row") return;
    violations.push({ rule: plan.index, rows });
    if (plan.severity === "error") for (const row of rows) rejected[row] = 1;
  }

  close(): ReturnType<WindowValidator["close"]> & { readonly metrics: readonly MetricState[] } {
    const late: LateViolations[] = [];
    const metrics: MetricState[] = [];
    const outcomes = this.#rules.map(({ plan, compiled }, i): RuleOutcome => {
      const tally = this.#tallies[i] as Tally;
      for (const found of tally.fault === null ? (tally.run.late?.() ?? []) : []) {
        tally.failed += found.rows.length;
        if (plan.scope === "row") late.push({ rule: i, ...found });
      }
      if (compiled.metric === undefined || tally.fault !== null) return outcomeOf(plan, tally);
      const state: MetricState = { rule: plan.id, checked: tally.checked, state: tally.run.state?.() };
      metrics.push(state);
      return judgeMetric(plan, compiled.metric, state);
    });
    return { outcomes, late, metrics };
  }
}

function countOnes(flags: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < flags.length; i++) count += flags[i] as number;
  return count;
}

function applicableRows(rule: Rule, batch: Batch, decoded: Uint8Array): Uint8Array {
  if (rule.where === null) return decoded;
  const applies = new Uint8Array(batch.rows);
  rule.where(batch, applies);
  for (let row = 0; row < applies.length; row++) applies[row] = (applies[row] as number) & (decoded[row] as number);
  return applies;
}

/** A rule that fails to run must not lose a record: it counts as not evaluated, and the window is held. A broken invariant is ours, and crashes. */
function offendersOf(tally: Tally, batch: Batch, applies: Uint8Array, number: number): Uint32Array {
  try {
    return tally.run.offenders(batch, applies, number).filter((row) => applies[row] === 1);
  } catch (fault) {
    if (fault instanceof BrokenInvariant) throw fault;
    tally.fault = fault instanceof Error ? fault.message : String(fault);
    return new Uint32Array(0);
  }
}

function outcomeOf(plan: RulePlan, tally: Tally): RuleOutcome {
  const { checked, failed, fault } = tally;
  const counted = plan.check.family === "rowCount" ? checked : failed;
  const breach = fault ?? (plan.scope === "window" ? thresholdBreach(plan, checked, counted) : toleranceBreach(plan, checked, failed));
  const failing = plan.scope === "window" ? breach !== null : failed > 0;
  return {
    rule: plan.id,
    family: plan.check.family,
    column: plan.path,
    severity: plan.severity,
    dimension: plan.dimension,
    ...(plan.owner === undefined || plan.owner === null ? {} : { owner: plan.owner }),
    checked,
    failed,
    status: fault !== null ? "error" : failing ? "fail" : checked === 0 && plan.check.family !== "rowCount" ? "skipped" : "pass",
    breach,
  };
}

/** The fault of a row, by bisection: they are ascending. */
function faultOf(faults: readonly DecodeFault[], row: number): DecodeFault | undefined {
  let low = 0;
  let high = faults.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((faults[middle] as DecodeFault).row < row) low = middle + 1;
    else high = middle;
  }
  return faults[low]?.row === row ? faults[low] : undefined;
}

function reasonsOf(
  rules: readonly Rule[],
  failing: {
    readonly batch: Batch;
    readonly row: number;
    readonly violated: readonly number[];
    readonly expected: ReadonlyMap<number, string> | null;
  },
): Reason[] {
  const { batch, row, violated } = failing;
  const reasons: Reason[] = [];
  if (batch.undecoded[row] === 1) {
    const fault = faultOf(batch.faults, row);
    if (fault !== undefined)
      reasons.push({
        rule: fault.code,
        family: "decode",
        column: null,
        severity: "error",
        message: fault.message,
        observed: null,
        limit: null,
      });
    return reasons;
  }
  for (const index of violated) {
    const { plan, compiled } = rules[index] as Rule;
    const explained = compiled.explain(batch, row);
    reasons.push(wordReason(plan, { ...explained, expected: failing.expected?.get(index) ?? explained.expected }));
  }
  return reasons;
}

/** `dep_delay is 1500, expected at most 1440` */
function wordReason(plan: RulePlan, { observed, finding, expected, limit, masked }: Explanation): Reason {
  const subject = "columns" in plan.check ? plan.check.columns.join(", ") : plan.path;
  const shown = observed !== null && masked ? maskedText : observed;
  // A finding may tell of the value itself.
  const said = finding !== null && !(masked && observed !== null) ? finding : `is ${shown === "" ? '""' : (shown ?? "absent")}`;
  const sentence = subject === null ? `${finding ?? shown ?? "the row"}, expected ${expected}` : `${subject} ${said}, expected ${expected}`;
  return {
    rule: plan.id,
    family: plan.check.family,
    column: plan.path,
    severity: plan.severity,
    message: sentence,
    observed: shown === null ? null : cutText(shown),
    limit,
  };
}
