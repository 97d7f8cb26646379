/** What a schema says of its values beyond their bytes (Apache Avro 1.12, "Logical types"); one that Sluice does not know is ignored, as the standard asks. */
export type AvroLogical =
  | {
      readonly kind:
        | "date"
        | "time-millis"
        | "time-micros"
        | "timestamp-millis"
        | "timestamp-micros"
        | "timestamp-nanos"
        | "local-timestamp-millis"
        | "local-timestamp-micros"
        | "local-timestamp-nanos"
        | "uuid"
        | "duration";
    }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number };

export interface AvroPrimitive {
  readonly type: "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";
  readonly logical: AvroLogical | null;
}

/** Names are full names, dots and all; aliases too. */
export interface AvroFixed {
  readonly type: "fixed";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly size: number;
  readonly logical: AvroLogical | null;
}

export interface AvroEnum {
  readonly type: "enum";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly symbols: readonly string[];
  /** What a reader takes for a symbol that it does not have; null: nothing. */
  readonly fallback: string | null;
}

export interface AvroArray {
  readonly type: "array";
  readonly items: AvroSchema;
}

export interface AvroMap {
  readonly type: "map";
  readonly values: AvroSchema;
}

export interface AvroField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly schema: AvroSchema;
  /** The default as parsed JSON, whole numbers beyond 2^53 as bigint; undefined: there is none. */
  readonly byDefault: unknown;
}

/** Schemas that contain themselves are cyclic values. */
export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly fields: readonly AvroField[];
}

export interface AvroUnion {
  readonly type: "union";
  readonly branches: readonly AvroSchema[];
}

/** A parsed Avro schema with all names resolved. */
export type AvroSchema = AvroPrimitive | AvroFixed | AvroEnum | AvroArray | AvroMap | AvroRecord | AvroUnion;

/** What a schema is called in messages: its name, or its type. */
export function avroTypeName(schema: AvroSchema): string {
  if (schema.type === "union") return `a union of ${schema.branches.map(avroTypeName).join(", ")}`;
  if (schema.type === "record" || schema.type === "enum" || schema.type === "fixed") return `${schema.type} ${schema.name}`;
  return "logical" in schema && schema.logical !== null ? `${schema.type} (${schema.logical.kind})` : schema.type;
}
