import type { SourceLocation } from "../core/errors.ts";
import type { RuleCheck, Scalar } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { cannotEnforce, leaveUnenforced } from "./compilation.ts";
import type { Compilation, FieldSite, RuleDraft } from "./compilation.ts";
import { compileBounds } from "./compile-bounds.ts";
import { literalFor, literalWords } from "./compile-literals.ts";
import { versionHint } from "./compile-row-check.ts";
import { formatHint, patternProblem, textFormats } from "./compile-patterns.ts";
import { booleanAt, child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { plainDecimal } from "./decimal-text.ts";

/** A rule that a field's own description makes: a row rule of severity error. */
export function fieldRule(field: Field, check: RuleCheck, location: SourceLocation, dimension: string): RuleDraft {
  return {
    givenId: null,
    check,
    path: field.path,
    scope: "row",
    severity: "error",
    tolerance: null,
    threshold: null,
    where: null,
    dimension,
    description: null,
    location,
  };
}

/** The rules that one property's type, `required`, `unique`, `enum` and `logicalTypeOptions` make. */
export function compileFieldRules(compilation: Compilation, site: FieldSite): RuleDraft[] {
  const { field, node } = site;
  const options = child(node, "logicalTypeOptions");
  const rules: RuleDraft[] = [];
  const add = (check: RuleCheck, at: SourceLocation, dimension = "conformity") => rules.push(fieldRule(field, check, at, dimension));
  if (field.type.kind !== "json")
    add({ family: "type" }, placeOf(node, node.kind === "object" && node.entries.has("logicalType") ? "logicalType" : "name"));
  if (field.required) {
    add({ family: "required" }, placeOf(node, booleanAt(node, "required") === true ? "required" : "primaryKey"), "completeness");
  }
  if (booleanAt(node, "unique") === true) {
    if (canBeUnique(compilation, field, placeOf(node, "unique"))) {
      add({ family: "duplicate", columns: [field.path], keep: "first" }, placeOf(node, "unique"), "uniqueness");
    }
  }
  const range = compileBounds(compilation, field, options);
  if (range !== null) add(range.check, range.at);
  addEnum(compilation, field, node, add);
  if (options !== null) addOptions(compilation, field, options, add);
  noteIgnoredKeys(compilation, field, node);
  return rules;
}

type Add = (check: RuleCheck, at: SourceLocation, dimension?: string) => void;

function addOptions(compilation: Compilation, field: Field, options: Node, add: Add): void {
  const place = (key: string): SourceLocation => placeOf(options, key);
  const multipleOf = child(options, "multipleOf");
  if (multipleOf?.kind === "scalar" && typeof multipleOf.value === "number") {
    add({ family: "multipleOf", of: plainDecimal(multipleOf.text) ?? String(multipleOf.value) }, place("multipleOf"));
  }
  if (field.type.kind === "uuid") refuseTextOptions(compilation, field, options);
  else addCounts(options, "minLength", "maxLength", (min, max, at) => add({ family: "length", min, max }, at));
  const pattern = textAt(options, "pattern");
  if (pattern !== null) {
    const at = (child(options, "pattern") as Node).at;
    if (canMatch(compilation, field, pattern, at)) add({ family: "pattern", pattern }, place("pattern"));
  }
  if (field.type.kind === "string") addFormat(compilation, field, options, add);
  const uniqueItems = booleanAt(options, "uniqueItems") === true;
  const counted = addCounts(options, "minItems", "maxItems", (min, max, at) => add({ family: "items", min, max, unique: uniqueItems }, at));
  if (!counted && uniqueItems) add({ family: "items", min: null, max: null, unique: true }, place("uniqueItems"));
  const dimensions = numberAt(options, "dimensions");
  if (dimensions !== null && field.type.kind === "list") {
    add({ family: "items", min: dimensions, max: dimensions, unique: false }, place("dimensions"));
  }
  if (field.type.kind === "struct" || field.type.kind === "json") addProperties(field, options, add);
}

/** What a text could be asked for, and a UUID can't: it is 16 bytes, of any version. */
function refuseTextOptions(compilation: Compilation, { path, name }: Field, options: Node): void {
  for (const key of ["minLength", "maxLength"]) {
    if (numberAt(options, key) === null) continue;
    const hint = "all of its texts have 36 characters";
    cannotEnforce(compilation, "column-type", placeOf(options, key), `${path}: a uuid column has no length`, hint);
  }
  const format = textAt(options, "format");
  if (format === null || format === "uuid" || format === "password") return;
  const message = `${path}: a uuid column is of any version, and has no format "${format}"`;
  cannotEnforce(compilation, "column-type", placeOf(options, "format"), message, versionHint(name));
}

function addCounts(
  options: Node,
  minKey: string,
  maxKey: string,
  give: (min: number | null, max: number | null, at: SourceLocation) => void,
): boolean {
  const min = numberAt(options, minKey);
  const max = numberAt(options, maxKey);
  // A least count of zero says nothing.
  if ((min === null || min === 0) && max === null) return false;
  give(min, max, placeOf(options, min === null ? maxKey : minKey));
  return true;
}

function addFormat(compilation: Compilation, field: Field, options: Node, add: Add): void {
  const format = textAt(options, "format");
  if (format === null || format === "password") return;
  const at = (child(options, "format") as Node).at;
  if (textFormats.includes(format)) {
    add({ family: "format", format }, placeOf(options, "format"));
    return;
  }
  compilation.unenforced.push(`${field.path}: format "${format}"`);
  compilation.findings.warning("format-unknown", at, `not enforced: Sluice does not know the format "${format}"`, formatHint(format));
}

function addProperties(field: Field, options: Node, add: Add): void {
  const min = numberAt(options, "minProperties");
  const max = numberAt(options, "maxProperties");
  const required = items(options, "required").flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "string" ? [item.value] : [],
  );
  if ((min ?? 0) === 0 && max === null && required.length === 0) return;
  const key = required.length > 0 ? "required" : max === null ? "minProperties" : "maxProperties";
  add({ family: "properties", min, max, required }, placeOf(options, key));
}

function addEnum(compilation: Compilation, field: Field, node: Node, add: Add): void {
  const entries = items(node, "enum");
  if (entries.length === 0) return;
  const values = compileValues(
    compilation,
    field,
    entries.map((entry) => child(entry, "value")),
  );
  if (values !== null) add({ family: "set", values, negated: false }, placeOf(node, "enum"));
}

/** A list of allowed or forbidden values as constants of the column; null where one can never be, which is reported. */
export function compileValues(compilation: Compilation, field: Field, nodes: readonly (Node | null)[]): Scalar[] | null {
  const values: Scalar[] = [];
  let good = true;
  for (const node of nodes) {
    if (node === null) continue;
    const literal = literalFor(field, node);
    if (literal === null) {
      good = false;
      const message = `${field.path}: this value can never stand in the column, which takes ${literalWords(field.type)}`;
      cannotEnforce(compilation, "value-type", node.at, message);
    } else values.push(literal);
  }
  return good ? values : null;
}

/** Further values that count as missing; null itself always does. Null where one can never be, which is reported. */
export function compileTokens(compilation: Compilation, field: Field, nodes: readonly Node[]): Scalar[] | null {
  return compileValues(
    compilation,
    field,
    nodes.filter((node) => node.kind !== "scalar" || node.value !== null),
  );
}

/** Whether a column can be judged for duplicates; reports it where not. */
export function canBeUnique(compilation: Compilation, field: Field, at: SourceLocation): boolean {
  const nested = field.path.includes("[]");
  if (!nested && !["struct", "list", "map"].includes(field.type.kind)) return true;
  const why = nested ? "values inside lists" : "columns of columns";
  cannotEnforce(
    compilation,
    "unique-unsupported",
    at,
    `${field.path}: uniqueness of ${why} is not judged`,
    nested ? "see uniqueItems" : null,
  );
  return false;
}

/** Whether a pattern of the standard's own keys can be judged on a column; reports it where not. */
export function canMatch(compilation: Compilation, field: Field, pattern: string, at: SourceLocation): boolean {
  const problem =
    field.type.kind === "string"
      ? patternProblem(pattern)
      : { message: `a pattern can't be matched on a ${field.type.kind} column`, hint: "patterns need logicalType: string" };
  if (problem === null) return true;
  cannotEnforce(compilation, "pattern-unsupported", at, `${field.path}: ${problem.message}`, problem.hint);
  return false;
}

function noteIgnoredKeys(compilation: Compilation, field: Field, node: Node): void {
  const keys = { transformLogic: "transform logic", relationships: "relationships", encryptedName: "encrypted name" };
  for (const [key, words] of Object.entries(keys)) {
    if (child(node, key) !== null) leaveUnenforced(compilation, placeOf(node, key), `${field.path}: ${words}`);
  }
  if (booleanAt(node, "partitioned") === true) leaveUnenforced(compilation, placeOf(node, "partitioned"), `${field.path}: partitioning`);
  const kind = textAt(node, "semanticType");
  if (kind === "measure") leaveUnenforced(compilation, placeOf(node, "semanticType"), `${field.path}: measure`);
}
