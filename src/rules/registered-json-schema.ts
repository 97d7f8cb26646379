import type { AnySchema, ErrorObject, Options, ValidateFunction } from "ajv";
import { RE2JS } from "re2js";
import { library } from "../core/library.ts";
import type { RegisteredSchema } from "../core/registered-schema.ts";
import { parseExactly, useExactKeywords } from "./exact-json.ts";

const charactersMax = 4 * 1024 * 1024;
const faultsMax = 5;

/** Patterns run on RE2. ajv caches compiled patterns by `toString()`, so each must print as itself. */
function linearRegExp(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.test(text), toString: () => `re2:${pattern}` };
}
linearRegExp.code = "linearRegExp";

/**
 * Judges JSON texts by a registered JSON Schema (draft-04 to draft-07 as draft-07, 2019-09 and later as 2020-12), its references known by the names that it
 * uses. A text that is no JSON passes: it is the decoder's to refuse. `format` only annotates. Values are not repeated in what is said.
 */
export function compileRegisteredSchema(schema: RegisteredSchema): ((text: Uint8Array) => string | null) | { readonly problem: string } {
  let judge: ValidateFunction;
  try {
    judge = compileExactly(schema);
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
  return (text) => {
    let value: unknown;
    try {
      ({ value } = parseExactly(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8")));
    } catch {
      return null;
    }
    if (judge(value)) return null;
    const errors = judge.errors ?? [];
    const more = errors.length > faultsMax ? `; and ${errors.length - faultsMax} more` : "";
    return errors.slice(0, faultsMax).map(faultText).join("; ") + more;
  };
}

function compileExactly({ text, references }: RegisteredSchema): ValidateFunction {
  if (text.length > charactersMax) throw new Error(`it is longer than ${charactersMax} characters`);
  const schema = JSON.parse(text) as AnySchema;
  const dialect = typeof schema === "object" && typeof schema["$schema"] === "string" ? schema["$schema"] : "";
  const options: Options = {
    allErrors: true,
    strict: false,
    $data: false,
    logger: false,
    useDefaults: false,
    coerceTypes: false,
    validateFormats: false,
    validateSchema: false,
    addUsedSchema: false,
    code: { regExp: linearRegExp },
  };
  const ajv = /draft\/20(19|2[0-9])-/.test(dialect) ? new (library.ajv2020().Ajv2020)(options) : new (library.ajv().Ajv)(options);
  useExactKeywords(ajv);
  const base = typeof schema === "object" && typeof schema["$id"] === "string" ? schema["$id"] : "";
  for (const reference of references) {
    const referred = withoutDialect(JSON.parse(reference.text) as AnySchema);
    // A name is what the schema writes after $ref, which counts from the schema's own id.
    const name = URL.canParse(reference.name, base) ? new URL(reference.name, base).href : reference.name;
    if (ajv.getSchema(name) === undefined) ajv.addSchema(referred, name);
  }
  return ajv.compile(withoutDialect(schema));
}

/** ajv knows one dialect at a time, and refuses to read the names of others. */
function withoutDialect(schema: AnySchema): AnySchema {
  if (typeof schema === "boolean") return schema;
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}

function faultText({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty } = params as { readonly additionalProperty?: string };
  const name = additionalProperty === undefined ? "" : ` (${additionalProperty.slice(0, 64)})`;
  return `${instancePath === "" ? "the record" : instancePath} ${message ?? "is not valid"}${name}`;
}
