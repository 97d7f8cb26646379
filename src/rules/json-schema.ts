import type { AnySchema, ErrorObject, Options, ValidateFunction } from "ajv";
import { RE2JS } from "re2js";
import type { Batch } from "../core/batch.ts";
import { library } from "../core/library.ts";
import { span } from "../core/records.ts";
import { jsonSchemaFormats } from "../core/text-format.ts";
import { isMasked, type Field } from "../core/schema.ts";
import { cutText } from "./cell-text.ts";
import { parseExactly, useExactKeywords } from "./exact-json.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type CheckOf, type RuleFamily } from "./rule-family.ts";
import { allTextFormats } from "./formats/index.ts";

/** Reasons name at most this many faults of one record. */
const faultsMax = 10;

/** Patterns of schemas run on RE2. ajv caches compiled patterns by `toString()`, so each must print as itself. */
function linearRegExp(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.test(text), toString: () => `re2:${pattern}` };
}
linearRegExp.code = "linearRegExp";

function compileSchema(
  check: CheckOf<"jsonSchema">,
  { allErrors, exact }: { readonly allErrors: boolean; readonly exact: boolean },
): ValidateFunction {
  const options: Options = {
    allErrors,
    strict: false,
    $data: false,
    // Nothing is fetched, logged, filled in or converted: the schema only judges.
    logger: false,
    useDefaults: false,
    coerceTypes: false,
    validateFormats: true,
    code: { regExp: linearRegExp },
  };
  const ajv = check.draft === "2020-12" ? new (library.ajv2020().Ajv2020)(options) : new (library.ajv().Ajv)(options);
  for (const name of jsonSchemaFormats) {
    const accepts = allTextFormats.get(name);
    if (accepts !== undefined) ajv.addFormat(name, { type: "string", validate: accepts });
  }
  if (exact) useExactKeywords(ajv);
  return ajv.compile(check.schema as AnySchema);
}

/** What one fault says: `/items/0/price must be >= 0`. */
function faultText(error: ErrorObject): string {
  const named = error.params as { additionalProperty?: string; unevaluatedProperty?: string };
  const name = named.additionalProperty ?? named.unevaluatedProperty;
  return `${error.instancePath === "" ? "the record" : error.instancePath} ${error.message ?? "is not valid"}${name === undefined ? "" : ` (${name})`}`;
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return value;
}

/** Whether a record's value at this pointer must not be seen: a classified field, or the whole record where any field is. */
function pointerMasked(fields: readonly Field[], pointer: string): boolean {
  const anyMasked = (field: Field): boolean => {
    const { type } = field;
    if (isMasked(field)) return true;
    if (type.kind === "struct") return type.fields.some(anyMasked);
    return type.kind === "list" ? anyMasked(type.element) : type.kind === "map" ? anyMasked(type.value) : false;
  };
  const first = pointer.split("/")[1]?.replaceAll("~1", "/").replaceAll("~0", "~");
  const field = fields.find((candidate) => candidate.sourceName === first);
  // What the contract doesn't name, nobody has classified.
  return first === undefined ? fields.some(anyMasked) : field === undefined || anyMasked(field);
}

function recordText(batch: Batch, row: number): string {
  const value = span(batch.payload ?? batch.records, "value", row);
  return value === null ? "" : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
}

/** A record that doesn't fit a JSON Schema (draft-07 or 2020-12, by ajv); whole numbers beyond 2^53 are judged by their text. */
export const jsonSchemaFamily: RuleFamily<"jsonSchema"> = {
  family: "jsonSchema",
  compile(check, { plan, fields }) {
    let accepts: ValidateFunction;
    // Made when first needed: most windows have neither large numbers nor offenders.
    let acceptsLarge: ValidateFunction | null = null;
    let explains: ValidateFunction | null = null;
    try {
      accepts = compileSchema(check, { allErrors: false, exact: false });
    } catch (cause) {
      throw invalidRule(plan, `the JSON Schema can't be compiled: ${(cause as Error).message}`);
    }
    return {
      expected: `a record that fits the JSON Schema (${check.draft})`,
      open: () => ({
        offenders(batch, applies) {
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++) {
            if (applies[row] === 0) continue;
            const { value, large } = parseExactly(recordText(batch, row));
            if (large) acceptsLarge ??= compileSchema(check, { allErrors: false, exact: true });
            const judge = large && acceptsLarge !== null ? acceptsLarge : accepts;
            if (!judge(value)) out.push(row);
          }
          return out.rows();
        },
      }),
      explain(batch, row) {
        const { value } = parseExactly(recordText(batch, row));
        explains ??= compileSchema(check, { allErrors: true, exact: true });
        explains(value);
        const errors = explains.errors ?? [];
        const first = errors[0];
        const observed = first === undefined || first.instancePath === "" ? null : JSON.stringify(valueAt(value, first.instancePath));
        const shown = errors.slice(0, faultsMax).map(faultText).join("; ");
        const more = errors.length > faultsMax ? `; and ${errors.length - faultsMax} more` : "";
        return {
          observed: observed === null || observed === undefined ? null : cutText(observed),
          finding: `does not fit the JSON Schema: ${shown}${more}`,
          expected: `a record that fits the JSON Schema (${check.draft})`,
          limit: first?.schemaPath ?? null,
          masked: first !== undefined && pointerMasked(fields, first.instancePath),
        };
      },
    };
  },
};
