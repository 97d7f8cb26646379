import { avroTypeName, type AvroField, type AvroRecord, type AvroSchema } from "../../core/avro/avro-schema.ts";
import { InvalidCause } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";
import { encodeAvroDefault } from "./avro-default.ts";
import type { AvroDefault, AvroIssue, AvroPlan, AvroRead, AvroStep } from "./avro-plan.ts";
import { resolveLeaf } from "./resolve-leaf.ts";

export interface AvroRequest {
  /** What the records were written by. */
  readonly writer: AvroSchema;
  /** The contract's own Avro schema, if it has one: its names, aliases, defaults and promotions count. Null: columns take the writer's fields of their names. */
  readonly reader: AvroSchema | null;
  readonly fields: readonly Field[];
  readonly unknownFields: AvroPlan["unknownFields"];
  /** The field that is filled from the record's key, not from its value. */
  readonly keyField: string | null;
}

/**
 * Resolves a writer's schema to a contract's columns (Apache Avro 1.12, "Schema Resolution"). Pure. Columns that can't be filled are named in `issues`;
 * answers `{ problem }` where the writer's data are no records.
 */
export function resolveAvro(request: AvroRequest): AvroPlan | { readonly problem: string } {
  const resolver = new Resolver(request);
  const root = resolver.root();
  if (root === null) return { problem: `records are ${avroTypeName(request.writer)}, and a row needs an Avro record` };
  return {
    fields: request.fields,
    root,
    issues: resolver.issues,
    unknownFields: request.unknownFields,
    hasUnknown: resolver.hasUnknown,
  };
}

const shortName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

/** The reader's branch that takes a writer's type: one of the same type and name, else the first that its values can be promoted to; null: none. */
function readerBranch(writer: AvroSchema, reader: AvroSchema): AvroSchema | null {
  if (reader.type !== "union") return matches(writer, reader) ? reader : null;
  const { branches } = reader;
  const same = branches.find((branch) => branch.type === writer.type && matches(writer, branch) && sameName(writer, branch));
  return same ?? branches.find((branch) => matches(writer, branch)) ?? null;
}

function sameName(writer: AvroSchema, reader: AvroSchema): boolean {
  if (!("name" in writer) || !("name" in reader)) return true;
  return shortName(writer.name) === shortName(reader.name) || reader.aliases.some((alias) => shortName(alias) === shortName(writer.name));
}

const promotions: Readonly<Partial<Record<AvroSchema["type"], readonly AvroSchema["type"][]>>> = {
  int: ["int", "long", "float", "double"],
  long: ["long", "float", "double"],
  float: ["float", "double"],
  string: ["string", "bytes"],
  bytes: ["bytes", "string"],
};

/** Whether values of the writer's type can be read as the reader's, as far as the types themselves say. */
function matches(writer: AvroSchema, reader: AvroSchema): boolean {
  if (writer.type === "union") return writer.branches.some((branch) => readerBranch(branch, reader) !== null);
  if (reader.type === "union") return readerBranch(writer, reader) !== null;
  if (writer.type === "enum" || writer.type === "fixed") {
    if (writer.type !== reader.type || !sameName(writer, reader)) return false;
    return writer.type === "enum" || writer.size === (reader as typeof writer).size;
  }
  return (promotions[writer.type] ?? [writer.type]).includes(reader.type);
}

class Resolver {
  readonly issues: AvroIssue[] = [];
  hasUnknown = false;
  readonly #request: AvroRequest;

  constructor(request: AvroRequest) {
    this.#request = request;
  }

  root(): AvroRead | null {
    const { writer, reader, fields, keyField } = this.#request;
    const own = fields.map((field) => (field.name === keyField ? null : field));
    const record = (branch: AvroSchema): AvroRead | null => {
      if (branch.type !== "record") return null;
      const target = reader === null ? null : readerBranch(branch, reader);
      return reader !== null && target === null ? null : this.#record(branch, target as AvroRecord | null, own);
    };
    if (writer.type !== "union") return record(writer);
    const branches = writer.branches.map((branch) => record(branch));
    if (branches.every((branch) => branch === null)) return null;
    return {
      kind: "union",
      branches: branches.map(
        (branch, i) => branch ?? { kind: "invalid", schema: writer.branches[i] as AvroSchema, cause: InvalidCause.type },
      ),
    };
  }

  #issue(field: Field, code: AvroIssue["code"], message: string): void {
    if (this.issues.some((each) => each.path === field.path && each.message === message)) return;
    this.issues.push({ path: field.path, code, message });
  }

  /** A writer's record into columns; null stands for a column that is filled otherwise. */
  #record(writer: AvroRecord, reader: AvroRecord | null, columns: readonly (Field | null)[]): AvroRead {
    const defaults: AvroDefault[] = [];
    /** Which column each of the writer's fields goes to, and as what. */
    const targets = new Map<AvroField, { readonly column: number; readonly reader: AvroSchema | null }>();
    for (const [column, field] of columns.entries()) {
      if (field === null) continue;
      const wanted = reader === null ? null : reader.fields.find((each) => each.name === field.sourceName);
      if (wanted === undefined) {
        this.#issue(field, "missing", `the contract's Avro schema has no field ${field.sourceName}, so ${field.path} is always missing`);
        continue;
      }
      const names = wanted === null ? [field.sourceName] : [wanted.name, ...wanted.aliases];
      const source = names.map((name) => writer.fields.find((each) => each.name === name)).find((each) => each !== undefined);
      if (source !== undefined && !targets.has(source)) targets.set(source, { column, reader: wanted?.schema ?? null });
      else if (wanted !== null && wanted.byDefault !== undefined) this.#default(field, column, wanted, defaults);
      else this.#issue(field, "missing", `${writer.name} has no field ${field.sourceName}, so ${field.path} is missing`);
    }
    const steps = writer.fields.map((field): AvroStep => {
      const target = targets.get(field);
      if (target === undefined) {
        this.hasUnknown = true;
        return { column: -1, name: field.name, skip: field.schema };
      }
      return { column: target.column, read: this.#read(field.schema, target.reader, columns[target.column] as Field) };
    });
    return { kind: "struct", steps, defaults };
  }

  #default(field: Field, column: number, wanted: AvroField, defaults: AvroDefault[]): void {
    const bytes = encodeAvroDefault(wanted.schema, wanted.byDefault);
    if (bytes === null) {
      this.#issue(field, "default", `the default of ${wanted.name} is no ${avroTypeName(wanted.schema)}, so ${field.path} is missing`);
      return;
    }
    defaults.push({ column, read: this.#read(wanted.schema, wanted.schema, field), bytes });
  }

  /** A writer's value into one column. */
  #read(writer: AvroSchema, reader: AvroSchema | null, field: Field): AvroRead {
    if (writer.type === "union") {
      // Each branch may miss the column in its own way; what all miss is one issue.
      return { kind: "union", branches: writer.branches.map((branch) => this.#read(branch, reader, field)) };
    }
    const target = reader === null ? null : readerBranch(writer, reader);
    if (reader !== null && target === null) {
      this.#issue(
        field,
        "unresolved",
        `${field.path} is written as ${avroTypeName(writer)}, which can't be read as ${avroTypeName(reader)}`,
      );
      return { kind: "invalid", schema: writer, cause: InvalidCause.type };
    }
    const { type } = field;
    if (writer.type === "null") return { kind: "null" };
    if (type.kind === "json") return { kind: "json", schema: writer };
    if (writer.type === "record" && type.kind === "struct") return this.#record(writer, target as AvroRecord | null, type.fields);
    if (writer.type === "array" && type.kind === "list") {
      const items = target?.type === "array" ? target.items : null;
      return { kind: "list", items: this.#read(writer.items, items, type.element), schema: writer };
    }
    if (writer.type === "map" && type.kind === "map") {
      const values = target?.type === "map" ? target.values : null;
      return { kind: "map", values: this.#read(writer.values, values, type.value), schema: writer };
    }
    if (writer.type !== "record" && writer.type !== "array" && writer.type !== "map") {
      const leaf = resolveLeaf(writer, target, field);
      if (leaf.kind !== "invalid") return leaf;
      this.#mismatch(writer, target, field, leaf.cause);
      return leaf;
    }
    this.#mismatch(writer, target, field, InvalidCause.type);
    return { kind: "invalid", schema: writer, cause: InvalidCause.type };
  }

  #mismatch(writer: AvroSchema, target: AvroSchema | null, field: Field, cause: number): void {
    const as = target === null || target.type === writer.type ? "" : `, read as ${avroTypeName(target)}`;
    const why = cause === InvalidCause.offset ? ": an instant is no local time" : "";
    this.#issue(field, "type", `${field.path} is ${field.type.kind} in the contract and ${avroTypeName(writer)}${as} in Avro${why}`);
  }
}
