import { RE2JS } from "re2js";
import type { SourceLocation } from "../core/errors.ts";
import { library } from "../core/library.ts";
import type { RuleCheck } from "../core/rule.ts";
import { leaveUnenforced } from "./compilation.ts";
import type { Compilation, RuleDraft } from "./compilation.ts";
import { decodingFiles } from "./compile-format.ts";
import { jsonSchemaFormats } from "../core/text-format.ts";
import { patternProblem } from "./compile-patterns.ts";
import { suggestion } from "./nearest-name.ts";
import { child, items, placeOf, textAt, toPlain } from "./node.ts";
import type { Node } from "./node.ts";

type Draft = "draft-07" | "2020-12";
type JsonSchemaCheck = RuleCheck & { readonly family: "jsonSchema" };

const schemaLimits = { characters: 1024 * 1024, depth: 64, values: 20_000 };

/** Keywords of the two drafts; others are refused, because a misspelt one would check nothing. */
const keywords = new Set(
  (
    "$schema $id $anchor $ref $defs $comment $vocabulary $dynamicRef $dynamicAnchor definitions dependencies title description default examples deprecated readOnly writeOnly " +
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems " +
    "maxContains minContains maxProperties minProperties required dependentRequired allOf anyOf oneOf not if then else dependentSchemas " +
    "prefixItems items additionalItems contains properties patternProperties additionalProperties propertyNames unevaluatedItems " +
    "unevaluatedProperties format contentEncoding contentMediaType contentSchema"
  ).split(" "),
);

/** Keywords that ajv would pass over in the other draft. */
const onlyIn: Readonly<Record<Draft, ReadonlySet<string>>> = {
  "draft-07": new Set(["dependencies", "additionalItems"]),
  "2020-12": new Set(
    (
      "$anchor $dynamicRef $dynamicAnchor dependentRequired dependentSchemas prefixItems unevaluatedItems unevaluatedProperties " +
      "minContains maxContains"
    ).split(" "),
  ),
};

/** Keywords whose value maps names to schemas, holds one schema or a list of them, or is plain data. */
const namedSchemas = new Set(["$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "dependencies"]);
const plainValues = new Set(["enum", "const", "default", "examples", "required", "dependentRequired", "$vocabulary"]);

/** The types of an authoritative definition that mean a JSON Schema for whole records. */
function isSchemaLink(type: string | null): boolean {
  return ["jsonschema", "json-schema", "json schema"].includes((type ?? "").toLowerCase());
}

/** Whether a link is a file beside the contract: relative, with no scheme. */
function isRelative(url: string): boolean {
  return url !== "" && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url) && !url.startsWith("/") && !url.startsWith("\\") && !url.includes("#");
}

/** The files that a schema object's rules, definitions and settings refer to, as written, in document order, each once. */
export function referencedFiles(schema: Node): readonly { readonly url: string; readonly at: SourceLocation }[] {
  const found = new Map<string, SourceLocation>();
  const note = (url: string | null, node: Node | null): void => {
    if (url !== null && node !== null && isRelative(url) && !found.has(url)) found.set(url, node.at);
  };
  for (const link of items(schema, "authoritativeDefinitions")) {
    if (isSchemaLink(textAt(link, "type"))) note(textAt(link, "url"), child(link, "url"));
  }
  const visit = (node: Node): void => {
    for (const entry of items(node, "quality")) {
      if (textAt(entry, "engine") !== "sluice") continue;
      const rule = child(entry, "implementation");
      if (["jsonSchema", "reference"].includes(textAt(rule, "check") ?? "")) note(textAt(rule, "file"), child(rule, "file"));
    }
    for (const property of items(node, "properties")) visit(property);
    for (const inner of [child(node, "items"), child(child(node, "map"), "value")]) if (inner !== null) visit(inner);
  };
  visit(schema);
  for (const { url, node } of decodingFiles(schema)) note(url, node);
  return [...found].map(([url, at]) => ({ url, at }));
}

/** Rules from a schema object's authoritative definitions of type `jsonSchema`; links elsewhere are listed as not enforced. */
export function compileSchemaLinks(compilation: Compilation, schema: Node): RuleDraft[] {
  return items(schema, "authoritativeDefinitions").flatMap((link) => {
    if (!isSchemaLink(textAt(link, "type"))) return [];
    const url = textAt(link, "url") ?? "";
    if (!isRelative(url)) {
      leaveUnenforced(compilation, placeOf(link, "url"), `the JSON Schema ${url}: only files beside the contract are read`);
      return [];
    }
    const check = fileSchemaCheck(compilation, url, placeOf(link, "url"), null);
    if (check === null) return [];
    return [
      {
        givenId: textAt(link, "id"),
        check,
        path: null,
        scope: "row" as const,
        severity: "error" as const,
        tolerance: null,
        threshold: null,
        where: null,
        dimension: "conformity",
        description: textAt(link, "description"),
        location: link.at,
      },
    ];
  });
}

/** The check of a rule `check: jsonSchema`, with its schema in place or in a file; null where that is wrong, which is reported. */
export function inlineSchemaCheck(compilation: Compilation, rule: Node): JsonSchemaCheck | null {
  const draft = textAt(rule, "draft") as Draft | null;
  const file = textAt(rule, "file");
  if (file !== null) {
    const at = (child(rule, "file") as Node).at;
    if (isRelative(file)) return fileSchemaCheck(compilation, file, at, draft);
    compilation.findings.error("json-schema-file", at, `"${file}" is no path relative to the contract`);
    return null;
  }
  const node = child(rule, "schema");
  return node === null ? null : checkedSchema(compilation, toPlain(node), node.at, draft);
}

function fileSchemaCheck(compilation: Compilation, url: string, at: SourceLocation, draft: Draft | null): JsonSchemaCheck | null {
  const text = compilation.references.get(url);
  if (text === undefined) return null;
  if (text.length > schemaLimits.characters) {
    compilation.findings.error("json-schema-too-large", at, `${url} has more than ${schemaLimits.characters} characters`);
    return null;
  }
  let schema: unknown;
  try {
    schema = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    compilation.findings.error("json-schema-syntax", at, `${url} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  return checkedSchema(compilation, schema, at, draft);
}

function checkedSchema(compilation: Compilation, schema: unknown, at: SourceLocation, given: Draft | null): JsonSchemaCheck | null {
  const draft = given ?? draftOf(schema);
  const { problems, formats } = surveySchema(schema, draft ?? "2020-12");
  for (const format of formats) {
    if (!compilation.unenforced.includes(`JSON Schema format "${format}"`)) compilation.unenforced.push(`JSON Schema format "${format}"`);
    const hint = suggestion(format, jsonSchemaFormats) ?? `checked: ${jsonSchemaFormats.join(", ")}`;
    compilation.findings.warning("format-unknown", at, `not enforced: the JSON Schema's format "${format}" is not checked`, hint);
  }
  if (draft === null) {
    problems.unshift("its $schema is neither draft 2020-12 nor draft-07");
  }
  for (const problem of problems.slice(0, 20)) compilation.findings.error("json-schema", at, `the JSON Schema can't be used: ${problem}`);
  if (problems.length > 0 || draft === null) return null;
  const failure = compileFailure(schema, draft);
  if (failure === null) return { family: "jsonSchema", draft, schema };
  compilation.findings.error("json-schema", at, `the JSON Schema can't be used: ${failure}`);
  return null;
}

function draftOf(schema: unknown): Draft | null {
  const uri = schema !== null && typeof schema === "object" ? (schema as Record<string, unknown>)["$schema"] : undefined;
  if (uri === undefined) return "2020-12";
  if (typeof uri !== "string") return null;
  if (/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(uri)) return "2020-12";
  return /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/.test(uri) ? "draft-07" : null;
}

/** What Sluice refuses in a JSON Schema before it is compiled: unknown keywords, `$data`, references elsewhere, patterns beyond RE2, excess. */
function surveySchema(root: unknown, draft: Draft): { readonly problems: string[]; readonly formats: ReadonlySet<string> } {
  const problems: string[] = [];
  const formats = new Set<string>();
  let values = 0;
  const walk = (schema: unknown, path: string, depth: number): void => {
    values++;
    if (depth > schemaLimits.depth || values > schemaLimits.values) {
      if (!problems.includes("it is too deep or too large")) problems.push("it is too deep or too large");
      return;
    }
    if (typeof schema === "boolean") return;
    if (schema === null || typeof schema !== "object" || Array.isArray(schema)) {
      problems.push(`${path} must be a schema: an object, true or false`);
      return;
    }
    for (const [keyword, value] of Object.entries(schema)) walkKeyword(keyword, value, `${path}/${keyword}`, depth);
  };
  const walkKeyword = (keyword: string, value: unknown, path: string, depth: number): void => {
    if (!keywords.has(keyword)) {
      const near = suggestion(keyword, keywords);
      problems.push(`${path}: there is no keyword "${keyword}"${near === null ? "" : `, ${near}`}`);
      return;
    }
    const other = draft === "2020-12" ? "draft-07" : "2020-12";
    if (onlyIn[other].has(keyword)) problems.push(`${path}: "${keyword}" belongs to ${other}, and this schema is of ${draft}`);
    if (value !== null && typeof value === "object" && Object.hasOwn(value, "$data")) problems.push(`${path}: $data is not supported`);
    if ((keyword === "$ref" || keyword === "$dynamicRef") && (typeof value !== "string" || !value.startsWith("#"))) {
      problems.push(`${path}: only references inside the schema are followed`);
    }
    if (keyword === "pattern" && typeof value === "string") addPatternProblem(value, path);
    if (keyword === "format" && typeof value === "string" && !jsonSchemaFormats.includes(value)) formats.add(value);
    if (plainValues.has(keyword)) return;
    if (namedSchemas.has(keyword) && value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [name, each] of Object.entries(value)) {
        if (keyword === "patternProperties") addPatternProblem(name, path);
        if (!(keyword === "dependencies" && Array.isArray(each))) walk(each, `${path}/${name}`, depth + 1);
      }
    } else if (Array.isArray(value) && keyword !== "type") {
      value.forEach((each, index) => walk(each, `${path}/${index}`, depth + 1));
    } else if (value !== null && typeof value === "object" && keyword !== "type") walk(value, path, depth + 1);
  };
  const addPatternProblem = (pattern: string, path: string): void => {
    const problem = patternProblem(pattern);
    if (problem !== null) problems.push(`${path}: ${problem.message}`);
  };
  walk(root, "#", 0);
  return { problems, formats };
}

/** ajv's cache tells patterns apart by `toString`, so each compiled one must print as itself. */
const linearRegExp = Object.assign(
  (pattern: string, _flags: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => `re2:${pattern}` };
  },
  { code: "linearRegExp" },
);

function compileFailure(schema: unknown, draft: Draft): string | null {
  const options = {
    strict: false,
    allErrors: true,
    addUsedSchema: false,
    logger: false,
    validateFormats: false,
    code: { regExp: linearRegExp },
  } as const;
  try {
    // Two constructors of one shape: the types of the 2020 one are a module of their own.
    const ajv = draft === "draft-07" ? new (library.ajv().Ajv)(options) : new (library.ajv2020().Ajv2020)(options);
    if (ajv.validateSchema(schema as object) !== true) return ajv.errorsText(ajv.errors, { dataVar: "#" });
    ajv.compile(schema as object);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
