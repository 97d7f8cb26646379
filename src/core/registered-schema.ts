/** One schema that another refers to: an Avro named type, an imported `.proto` file, the target of a JSON Schema `$ref`. */
export interface SchemaReference {
  /** As the referring schema writes it: `common.Money`, `common/money.proto`, `https://example.com/money.json`. */
  readonly name: string;
  readonly text: string;
}

/** A schema as a registry holds it, with all that it refers to, directly or not. Immutable: an id never comes to mean another schema. */
export interface RegisteredSchema {
  readonly type: "avro" | "protobuf" | "json";
  readonly text: string;
  /** What is referred to stands before what refers to it; each name once. */
  readonly references: readonly SchemaReference[];
}

/**
 * How a record's bytes name their schema: the decimal digits of Confluent's id (prefix `00` and 4 bytes), or a GUID in lower case with its hyphens
 * (header `__value_schema_id` or `__key_schema_id`, `01` and 16 bytes).
 */
export type SchemaId = string;

/** What a registry knows of an id: the schema, or why there will never be one (an id that it does not have, a reference that leads nowhere). */
export type SchemaAnswer =
  | { readonly found: true; readonly schema: RegisteredSchema }
  | { readonly found: false; readonly fault: "unknown" | "reference" | "type"; readonly message: string };

/** The answers that one run of records needs, by id; asked for before the run is decoded, so that decoding stays pure. */
export type ResolvedSchemas = ReadonlyMap<SchemaId, SchemaAnswer>;
