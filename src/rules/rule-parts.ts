import type { Batch } from "../core/batch.ts";
import { Cell } from "../core/column.ts";
import type { RuleCheck, RulePart } from "../core/rule.ts";
import { compileCondition, conditionPaths, conditionText } from "./condition-mask.ts";
import { locate, resolvePath, type ColumnPath } from "./column-path.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type CompiledRule, type Explanation, type RuleFamily, type RuleTarget } from "./rule-family.ts";

/** What a part says of a row: it offends, it does not, or the part has nothing to say of it. */
const Verdict = { fails: 0, passes: 1, unjudged: 2 } as const;

/** A part at work: one verdict a row. */
interface Part {
  verdicts(batch: Batch, applies: Uint8Array): Uint8Array;
  /** What a reason says of the row, values of classified columns left out. */
  finding(batch: Batch, row: number): string;
  readonly expected: string;
  readonly paths: readonly ColumnPath[];
}

type CompileCheck = (check: RuleCheck, target: RuleTarget) => CompiledRule;

/** Rules with a memory of other rows, and those of whole windows, can't be parts. */
const singleRow: ReadonlySet<RuleCheck["family"]> = new Set([
  "type",
  "required",
  "range",
  "multipleOf",
  "length",
  "pattern",
  "format",
  "set",
  "items",
  "properties",
  "missing",
  "null",
  "compare",
  "condition",
  "jsonSchema",
  "empty",
  "checksum",
  "tuples",
  "complete",
  "arithmetic",
  "allOf",
  "anyOf",
  "not",
  "conditional",
  "cel",
  "unknownColumns",
]);

/** Checks that speak of rows without a value too. */
export const judgesAbsent: ReadonlySet<RuleCheck["family"]> = new Set([
  "type",
  "required",
  "null",
  "missing",
  "complete",
  "jsonSchema",
  "cel",
  "unknownColumns",
]);

/** The columns that a check looks at in a row. */
export function columnsOf({ check, path }: RulePart): readonly string[] {
  switch (check.family) {
    case "compare":
      return [check.left, check.right];
    case "tuples":
    case "complete":
      return check.columns;
    case "arithmetic": {
      const found = new Set<string>();
      const visit = (term: typeof check.left): void => {
        if (term.op === "column") found.add(term.path);
        else if (term.op === "negate") visit(term.of);
        else if (term.op !== "number") [term.left, term.right].forEach(visit);
      };
      [check.left, check.right].forEach(visit);
      return [...found];
    }
    case "condition":
      return conditionPaths(check.condition);
    default:
      return path === null ? [] : [path];
  }
}

function isComposed(check: RuleCheck): check is Extract<RuleCheck, { family: "allOf" | "anyOf" | "not" | "conditional" }> {
  return check.family === "allOf" || check.family === "anyOf" || check.family === "not" || check.family === "conditional";
}

function compilePart(part: RulePart, target: RuleTarget, compileCheck: CompileCheck): Part {
  const { check } = part;
  if (!singleRow.has(check.family))
    throw invalidRule(target.plan, `${check.family} judges more than one row, so it can't be a part of a rule`);
  if (isComposed(check)) return composed(check, target, compileCheck);
  const plan = { ...target.plan, check, path: part.path, where: null };
  const compiled = compileCheck(check, { ...target, plan });
  const paths = columnsOf(part).map((column) => resolvePath(target.fields, column, plan));
  // A condition is false where a comparison has no value; only invalid cells leave it open.
  const unjudged = judgesAbsent.has(check.family) ? null : new Uint8Array(4);
  unjudged?.fill(check.family === "condition" ? 0 : 1);
  if (unjudged !== null) [unjudged[Cell.value], unjudged[Cell.invalid]] = [0, 1];
  const single = paths.filter(({ steps }) => !steps.includes(-1));
  return {
    paths,
    expected: part.path === null ? (compiled.expected ?? check.family) : `for ${part.path} ${compiled.expected ?? check.family}`,
    verdicts(batch, applies) {
      const out = new Uint8Array(batch.rows).fill(Verdict.passes);
      for (const row of compiled.open().offenders(batch, applies, 0)) out[row] = Verdict.fails;
      if (unjudged === null) return out;
      for (const path of single) {
        const { state } = locate(batch, path).column;
        for (let row = 0; row < out.length; row++) if (unjudged[state[row] as number] === 1) out[row] = Verdict.unjudged;
      }
      return out;
    },
    finding(batch, row) {
      const { observed, finding, masked } = compiled.explain(batch, row);
      const shown = masked && observed !== null ? "<masked>" : observed;
      const said = finding !== null && !(masked && observed !== null) ? finding : `is ${shown ?? "absent"}`;
      return part.path === null ? ((masked && observed !== null ? null : finding) ?? shown ?? "the row") : `${part.path} ${said}`;
    },
  };
}

/** Kleene's logic: what is decisive (false in "all", true in "any") beats unknown, and unknown beats the rest. */
function join(parts: readonly Part[], batch: Batch, applies: Uint8Array, decisive: number): Uint8Array {
  const [first, ...others] = parts.map((part) => part.verdicts(batch, applies));
  const out = first as Uint8Array;
  for (const verdicts of others) {
    for (let row = 0; row < out.length; row++) {
      const verdict = verdicts[row] as number;
      if (verdict === decisive || (verdict === Verdict.unjudged && out[row] !== decisive)) out[row] = verdict;
    }
  }
  return out;
}

/** Which parts of a row have a verdict. */
function partsWith(parts: readonly Part[], batch: Batch, row: number, verdict: number): Part[] {
  const only = new Uint8Array(batch.rows);
  only[row] = 1;
  return parts.filter((part) => part.verdicts(batch, only)[row] === verdict);
}

type Composed = Extract<RuleCheck, { family: "allOf" | "anyOf" | "not" | "conditional" }>;

function composed(check: Composed, target: RuleTarget, compileCheck: CompileCheck): Part {
  const compile = (part: RulePart): Part => compilePart(part, target, compileCheck);
  switch (check.family) {
    case "allOf":
    case "anyOf": {
      if (check.parts.length === 0) throw invalidRule(target.plan, "it has no rules");
      const parts = check.parts.map(compile);
      const all = check.family === "allOf";
      const findings = (batch: Batch, row: number): string =>
        [...new Set(partsWith(parts, batch, row, Verdict.fails).map((part) => part.finding(batch, row)))].join("; ");
      return {
        paths: parts.flatMap(({ paths }) => paths),
        expected: parts.map(({ expected }) => expected).join(all ? " and " : " or "),
        verdicts: (batch, applies) => join(parts, batch, applies, all ? Verdict.fails : Verdict.passes),
        finding: findings,
      };
    }
    case "not": {
      const part = compile(check.part);
      return {
        paths: part.paths,
        expected: `not (${part.expected})`,
        verdicts: (batch, applies) =>
          part.verdicts(batch, applies).map((verdict) => (verdict === Verdict.unjudged ? verdict : 1 - verdict)),
        finding: (batch, row) => part.finding(batch, row),
      };
    }
    default:
      return conditional(check, target, compile);
  }
}

function conditional(check: Composed & { readonly family: "conditional" }, target: RuleTarget, compile: (part: RulePart) => Part): Part {
  const mask = compileCondition(check.when, target.fields, target.plan);
  const text = conditionText(check.when, target.fields, target.plan);
  const then = compile(check.consequent);
  const otherwise = check.otherwise === null ? null : compile(check.otherwise);
  const met = (batch: Batch): Uint8Array => {
    const out = new Uint8Array(batch.rows);
    mask(batch, out);
    return out;
  };
  return {
    paths: [...then.paths, ...(otherwise?.paths ?? [])],
    expected: `${then.expected} where ${text}${otherwise === null ? "" : `, else ${otherwise.expected}`}`,
    verdicts(batch, applies) {
      const holds = met(batch);
      const [yes, no] = [then.verdicts(batch, applies), otherwise?.verdicts(batch, applies)];
      return holds.map((flag, row) => (flag === 1 ? (yes[row] as number) : (no?.[row] ?? Verdict.passes)));
    },
    finding: (batch, row) => (met(batch)[row] === 1 || otherwise === null ? then : otherwise).finding(batch, row),
  };
}

function partsFamily<F extends Composed["family"]>(family: F, compileCheck: CompileCheck): RuleFamily<F> {
  return {
    family,
    compile(check, target): CompiledRule {
      const part = composed(check as Composed, target, compileCheck);
      const masked = part.paths.some((path) => path.masked);
      return {
        expected: part.expected,
        open: () => ({
          offenders(batch, applies) {
            const verdicts = part.verdicts(batch, applies);
            const out = new RowList();
            for (let row = 0; row < verdicts.length; row++) if (verdicts[row] === Verdict.fails) out.push(row);
            return out.rows();
          },
        }),
        explain: (batch, row): Explanation => {
          const finding = part.finding(batch, row);
          return { observed: masked ? null : finding, finding, expected: part.expected, limit: part.expected, masked: false };
        },
      };
    },
  };
}

/** Rules made of other rules of single rows; `compileCheck` compiles those. */
export function composedFamilies(compileCheck: CompileCheck): readonly RuleFamily[] {
  return [
    partsFamily("allOf", compileCheck),
    partsFamily("anyOf", compileCheck),
    partsFamily("not", compileCheck),
    partsFamily("conditional", compileCheck),
  ] as readonly RuleFamily[];
}
