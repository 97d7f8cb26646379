import type { SourceLocation } from "../core/errors.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { Findings } from "./findings.ts";
import type { Node } from "./node.ts";

/** A rule before the contract's rules are numbered and named. */
export interface RuleDraft extends Omit<RulePlan, "index" | "id"> {
  /** As the contract gives it; null: made of path and family. */
  readonly givenId: string | null;
}

/** A field with the node that it came from, for its rules. */
export interface FieldSite {
  readonly field: Field;
  readonly node: Node;
}

/** What one dataset's compilation gathers. */
export interface Compilation {
  readonly findings: Findings;
  /** The schema object's name. */
  readonly dataset: string;
  /**
   * What to do with what the standard allows and Sluice can't enforce: refuse the contract, or list it and go on. `fault`: in a rule of Sluice's
   * own, which nothing else would enforce, it is a mistake whatever the contract's settings say.
   */
  readonly unsupported: "refuse" | "list" | "fault";
  readonly unenforced: string[];
  /** Texts of referenced files by their reference as written. */
  readonly references: ReadonlyMap<string, string>;
  /** Fields by path, nested ones too. */
  readonly fields: Map<string, Field>;
  /** Properties whose structure is wrong, with the path below which no column can be said to be unknown; "" stands for all. */
  readonly lost: { readonly path: string; readonly node: Node }[];
}

/** Whether a column may be one of a property whose structure is wrong, which is reported already. */
export function isDoubtful(compilation: Compilation, name: string): boolean {
  return compilation.lost.some(({ path }) => path === "" || name === path || name.startsWith(`${path}.`) || name.startsWith(`${path}[]`));
}

/** Notes what the standard says for other tools: never an error. */
export function leaveUnenforced(compilation: Compilation, at: SourceLocation, what: string): void {
  if (!compilation.unenforced.includes(what)) compilation.unenforced.push(what);
  compilation.findings.note("not-enforced", at, `not enforced: ${what}`);
}

/** Notes what the contract means to be enforced and Sluice can't: a warning; an error with `unsupported: refuse` and in Sluice's own rules. */
export function cannotEnforce(
  compilation: Compilation,
  code: string,
  at: SourceLocation,
  message: string,
  hint: string | null = null,
): void {
  if (compilation.unsupported === "fault") {
    compilation.findings.error(code, at, message, hint);
    return;
  }
  if (compilation.unsupported === "refuse") {
    compilation.findings.error(
      code,
      at,
      message,
      hint ?? "or drop `unsupported: refuse` from the dataset's `sluice` settings to go without",
    );
    return;
  }
  compilation.unenforced.push(message);
  compilation.findings.warning(code, at, `not enforced: ${message}`, hint);
}
