import type { Batch } from "../core/batch.ts";
import { SluiceError } from "../core/errors.ts";
import type { LateViolations, RuleCheck, RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { Metric } from "./metrics/metric.ts";

/** The variant of a check that has this family, also where it shares its shape with others. */
export type CheckOf<F extends RuleCheck["family"], C = RuleCheck> = C extends { readonly family: infer G }
  ? F extends G
    ? C
    : never
  : never;

/** A rule to compile, with the fields of its contract. */
export interface RuleTarget {
  readonly plan: RulePlan;
  readonly fields: readonly Field[];
}

/** Why one row offends, in parts; the validator words the reason and masks what must not be seen. */
export interface Explanation {
  /** The offending value as text (already cut), or null where there is none. */
  readonly observed: string | null;
  /** What the sentence says of the subject: `is 12`, `is missing`; null: `is <observed>`. */
  readonly finding: string | null;
  /** What was expected, in plain words: `at most 1440`. */
  readonly expected: string;
  readonly limit: string | null;
  /** Whether the observed value belongs to a classified column. */
  readonly masked: boolean;
}

/** The keys of a chunk's rows that a rule applies to and that have all their parts, as `WordKeys` writes them; views, to be read at once. */
export interface ChunkKeys {
  readonly rows: Uint32Array;
  /** Where each key ends in `words`; it begins where the one before ends. */
  readonly ends: Uint32Array;
  /** `hashWords` of each key. */
  readonly hashes: Int32Array;
  readonly words: Uint32Array;
}

/** A rule at work in one window. */
export interface RuleRun {
  /**
   * Offending rows of a batch, ascending, each once; rows with `applies` 0 may be among them, the caller drops those. Batches come in order and
   * have the numbers 0, 1, ...
   */
  offenders(batch: Batch, applies: Uint8Array, number: number): Uint32Array;
  /** As `offenders`, of rules that only need their rows' keys. */
  offendersOfKeys?(keys: ChunkKeys, number: number): Uint32Array;
  /** Offenders of earlier batches that only later ones showed. */
  late?(): readonly Omit<LateViolations, "rule">[];
  /** Of metric rules: the state after all batches. */
  state?(): unknown;
}

export interface CompiledRule {
  /** Of metric rules: what merges and reads their states. */
  readonly metric?: Metric;
  /** What is expected of every row, in plain words, for rules made of this one; none: the family's name. */
  readonly expected?: string;
  open(): RuleRun;
  /** Of a row that this rule found offending. */
  explain(batch: Batch, row: number): Explanation;
}

/** A kind of rule: one file, one entry in the list of `index.ts`. */
export interface RuleFamily<F extends RuleCheck["family"] = RuleCheck["family"]> {
  readonly family: F;
  /** Rejects a rule that makes no sense for its column with CONTRACT_INVALID. */
  compile(check: CheckOf<F>, target: RuleTarget): CompiledRule;
}

/** What faults of a rule, or of what else has conditions, are told with. */
export type RuleSite = Pick<RulePlan, "id" | "location">;

/** A rule that can't be compiled: CONTRACT_INVALID at the rule's place. */
export function invalidRule(plan: RuleSite, message: string): SluiceError {
  return new SluiceError("CONTRACT_INVALID", `rule ${plan.id}: ${message}`, { location: plan.location, details: { rule: plan.id } });
}
