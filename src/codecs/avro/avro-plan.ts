import type { AvroEnum, AvroFixed, AvroPrimitive, AvroSchema } from "../../core/avro/avro-schema.ts";
import type { Field } from "../../core/schema.ts";

/** A writer's type whose values are no containers. */
export type AvroLeaf = AvroPrimitive | AvroFixed | AvroEnum;

/**
 * How a leaf's value becomes a cell. `integer`: a whole number into any numeric column; `single`: a whole number that a reader's schema takes as a float;
 * `text`: UTF-8 into a string column, or the ISO 8601 text of a moment; `raw`: bytes into a binary column.
 */
export type AvroConversion =
  | "boolean"
  | "integer"
  | "single"
  | "real"
  | "days"
  | "day-millis"
  | "day-micros"
  | "epoch-millis"
  | "epoch-micros"
  | "epoch-nanos"
  | "text"
  | "raw"
  | "decimal"
  | "symbol"
  /** 16 bytes of a fixed, as text. */
  | "uuid"
  /** Bytes of any length into a uuid column. */
  | "uuid-bytes";

/** What is done with a writer's value for one column of the contract. */
export type AvroRead =
  | { readonly kind: "null" }
  | {
      readonly kind: "cell";
      readonly schema: AvroLeaf;
      readonly as: AvroConversion;
      readonly scale: number;
      readonly symbols: AvroSymbols | null;
    }
  | { readonly kind: "struct"; readonly steps: readonly AvroStep[]; readonly defaults: readonly AvroDefault[] }
  | { readonly kind: "list"; readonly items: AvroRead; readonly schema: AvroSchema & { readonly type: "array" } }
  | { readonly kind: "map"; readonly values: AvroRead; readonly schema: AvroSchema & { readonly type: "map" } }
  | { readonly kind: "union"; readonly branches: readonly AvroRead[] }
  /** As JSON text, into a json column. */
  | { readonly kind: "json"; readonly schema: AvroSchema }
  /** A type that the column can't take: every such value is an invalid cell. */
  | { readonly kind: "invalid"; readonly schema: AvroSchema; readonly cause: number };

/** The text of each of the writer's symbols, UTF-8; null where the reader's enum has neither it nor a default. */
export type AvroSymbols = readonly (Uint8Array | null)[];

/** One field of a writer's record, in its order: into column `column` of the struct, or skipped. */
export type AvroStep =
  | { readonly column: number; readonly read: AvroRead }
  | { readonly column: -1; readonly name: string; readonly skip: AvroSchema };

/** A column that the writer does not have and the reader's schema has a default for, as Avro bytes. */
export interface AvroDefault {
  readonly column: number;
  readonly read: AvroRead;
  readonly bytes: Uint8Array;
}

/** A column that the writer's schema can't fill, or can fill only in part. */
export interface AvroIssue {
  /** The field's path in the contract. */
  readonly path: string;
  readonly code: "missing" | "type" | "unresolved" | "default";
  readonly message: string;
}

/** How records of one writer's schema become the contract's columns. Plain values. */
export interface AvroPlan {
  readonly fields: readonly Field[];
  /** A struct, or a union whose branches are structs or invalid. */
  readonly root: AvroRead;
  readonly issues: readonly AvroIssue[];
  readonly unknownFields: "ignore" | "keep" | "reject";
  /** Whether the writer has fields, on the way to the contract's, that the contract does not name. */
  readonly hasUnknown: boolean;
}
