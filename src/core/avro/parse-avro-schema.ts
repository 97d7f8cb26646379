import type { SchemaReference } from "../registered-schema.ts";
import type { AvroField, AvroLogical, AvroPrimitive, AvroSchema } from "./avro-schema.ts";

const limits = { characters: 4 * 1024 * 1024, depth: 64, types: 20_000 };
const primitives: ReadonlySet<string> = new Set(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]);
const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const fixedSizeMax = 1 << 24;

class Problem extends Error {}

type Json = Readonly<Record<string, unknown>>;

/**
 * Parses an Avro schema (Apache Avro 1.12); named types of the references may be used in it, and references in those that come later.
 * Answers `{ problem }`, in words, for a text that is none.
 */
export function parseAvroSchema(
  text: string,
  references: readonly SchemaReference[] = [],
): { readonly schema: AvroSchema } | { readonly problem: string } {
  try {
    const parser = new Parser();
    for (const reference of references) parser.parse(readJson(reference.text, `the reference ${reference.name}`), "", 0);
    return { schema: parser.parse(readJson(text, "the schema"), "", 0) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** JSON with whole numbers beyond 2^53 as bigint: defaults of longs are exact. */
function readJson(text: string, what: string): unknown {
  if (text.length > limits.characters) throw new Problem(`${what} is longer than ${limits.characters} characters`);
  const exact: Reviver = (_key, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && /^-?[0-9]{1,40}$/.test(source)
      ? BigInt(source)
      : value;
  try {
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  } catch (error) {
    // A bare primitive name is what some registries hold for `"string"`.
    if (primitives.has(text.trim())) return text.trim();
    throw new Problem(`${what} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

class Parser {
  readonly #named = new Map<string, AvroSchema>();
  #types = 0;

  parse(given: unknown, namespace: string, depth: number): AvroSchema {
    if (depth > limits.depth) throw new Problem(`types are nested deeper than ${limits.depth} levels`);
    if (++this.#types > limits.types) throw new Problem(`there are more than ${limits.types} types`);
    if (typeof given === "string") return this.#reference(given, namespace);
    if (Array.isArray(given)) return this.#union(given, namespace, depth);
    if (!isObject(given)) throw new Problem(`${JSON.stringify(given)} is no type`);
    const { type } = given;
    if (typeof type !== "string") {
      if (type === undefined) throw new Problem("a type without `type`");
      return this.parse(type, namespace, depth + 1);
    }
    if (primitives.has(type)) return { type: type as AvroPrimitive["type"], logical: logicalOf(given, type, 0) };
    switch (type) {
      case "array":
        return { type, items: this.parse(given["items"], namespace, depth + 1) };
      case "map":
        return { type, values: this.parse(given["values"], namespace, depth + 1) };
      case "record":
      case "error":
        return this.#record(given, namespace, depth);
      case "enum":
        return this.#enum(given, namespace);
      case "fixed":
        return this.#fixed(given, namespace);
      default:
        return this.#reference(type, namespace);
    }
  }

  #reference(name: string, namespace: string): AvroSchema {
    if (primitives.has(name)) return { type: name as AvroPrimitive["type"], logical: null };
    const full = name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
    const found = this.#named.get(full) ?? this.#named.get(name);
    if (found === undefined) throw new Problem(`there is no type ${JSON.stringify(full)}`);
    return found;
  }

  #union(given: readonly unknown[], namespace: string, depth: number): AvroSchema {
    const branches = given.map((each) => this.parse(each, namespace, depth + 1));
    const seen = new Set<string>();
    for (const branch of branches) {
      if (branch.type === "union") throw new Problem("a union stands directly in a union");
      const key = "name" in branch ? branch.name : branch.type;
      if (seen.has(key)) throw new Problem(`a union has ${key} twice`);
      seen.add(key);
    }
    return { type: "union", branches };
  }

  #record(given: Json, namespace: string, depth: number): AvroSchema {
    const { name, space } = fullName(given, namespace);
    const fields: AvroField[] = [];
    const schema: AvroSchema = { type: "record", name, aliases: aliasesOf(given, space), fields };
    this.#define(name, schema);
    if (!Array.isArray(given["fields"])) throw new Problem(`record ${name} has no list of fields`);
    const seen = new Set<string>();
    for (const field of given["fields"] as unknown[]) {
      if (!isObject(field) || typeof field["name"] !== "string" || !namePattern.test(field["name"]))
        throw new Problem(`record ${name} has a field without a proper name`);
      if (seen.has(field["name"])) throw new Problem(`record ${name} has two fields ${field["name"]}`);
      seen.add(field["name"]);
      if (field["type"] === undefined) throw new Problem(`field ${field["name"]} of ${name} has no type`);
      fields.push({
        name: field["name"],
        aliases: strings(field["aliases"], `aliases of field ${field["name"]}`),
        schema: this.parse(field["type"], space, depth + 1),
        byDefault: field["default"],
      });
    }
    return schema;
  }

  #enum(given: Json, namespace: string): AvroSchema {
    const { name, space } = fullName(given, namespace);
    const symbols = strings(given["symbols"], `symbols of ${name}`);
    if (new Set(symbols).size !== symbols.length) throw new Problem(`enum ${name} has a symbol twice`);
    const fallback = given["default"];
    if (fallback !== undefined && (typeof fallback !== "string" || !symbols.includes(fallback)))
      throw new Problem(`the default of enum ${name} is none of its symbols`);
    const schema: AvroSchema = { type: "enum", name, aliases: aliasesOf(given, space), symbols, fallback: fallback ?? null };
    this.#define(name, schema);
    return schema;
  }

  #fixed(given: Json, namespace: string): AvroSchema {
    const { name, space } = fullName(given, namespace);
    const { size } = given;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > fixedSizeMax)
      throw new Problem(`fixed ${name} has no proper size`);
    const schema: AvroSchema = { type: "fixed", name, aliases: aliasesOf(given, space), size, logical: logicalOf(given, "fixed", size) };
    this.#define(name, schema);
    return schema;
  }

  #define(name: string, schema: AvroSchema): void {
    if (this.#named.has(name)) throw new Problem(`the type ${name} is defined twice`);
    this.#named.set(name, schema);
  }
}

function strings(given: unknown, what: string): string[] {
  if (given === undefined && what.startsWith("aliases")) return [];
  if (!Array.isArray(given) || !given.every((each) => typeof each === "string")) throw new Problem(`the ${what} are no list of names`);
  return given;
}

/** The full name of a named type, and the namespace that names inside it are of. */
function fullName(given: Json, namespace: string): { readonly name: string; readonly space: string } {
  const { name, namespace: own } = given;
  if (typeof name !== "string" || !name.split(".").every((part) => namePattern.test(part)))
    throw new Problem(`${JSON.stringify(name ?? null)} is no name of a type`);
  const dot = name.lastIndexOf(".");
  if (dot >= 0) return { name, space: name.slice(0, dot) };
  if (primitives.has(name)) throw new Problem(`a type can't be called ${name}`);
  const space = typeof own === "string" ? own : namespace;
  return { name: space === "" ? name : `${space}.${name}`, space };
}

function aliasesOf(given: Json, space: string): string[] {
  return strings(given["aliases"], "aliases").map((alias) => (alias.includes(".") || space === "" ? alias : `${space}.${alias}`));
}

/** The logical types that each type may have; anything else is ignored. */
const logicals: Readonly<Record<string, readonly string[]>> = {
  int: ["date", "time-millis"],
  long: [
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "timestamp-nanos",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
  ],
  string: ["uuid"],
  bytes: ["decimal"],
  fixed: ["decimal", "uuid", "duration"],
};

function logicalOf(given: Json, type: string, size: number): AvroLogical | null {
  const kind = given["logicalType"];
  if (typeof kind !== "string" || logicals[type]?.includes(kind) !== true) return null;
  if (kind === "uuid" && type === "fixed" && size !== 16) return null;
  if (kind === "duration" && size !== 12) return null;
  if (kind !== "decimal") return { kind: kind as Exclude<AvroLogical["kind"], "decimal"> };
  const { precision, scale = 0 } = given;
  const digitsMax = type === "bytes" ? Number.POSITIVE_INFINITY : Math.floor((size * 8 - 1) * Math.log10(2));
  const proper =
    typeof precision === "number" &&
    typeof scale === "number" &&
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    precision > 0 &&
    precision <= digitsMax &&
    scale >= 0 &&
    scale <= precision;
  return proper ? { kind, precision, scale } : null;
}
