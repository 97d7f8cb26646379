import type { ProtoMessage } from "./protobuf/proto-schema.ts";
import type { Records } from "./records.ts";

/** A field that records have by the schema that they were written by. */
export interface WrittenField {
  /** As of columns, of the writer's names. */
  readonly path: string;
  /** Index into `jsonTypes`; of a union the last of its branches' in that order. */
  readonly type: number;
}

/** What a writer's schema says of the fields of its records. */
export interface WriterFields {
  /** Null: no schema but the contract's own is known, and what stands in the bytes counts. */
  readonly fields: readonly WrittenField[] | null;
  /** The message whose bytes can have fields that it does not know; null: what there is stands in the schema. */
  readonly message: ProtoMessage | null;
}

/** By which schema each record of a batch was written, faulty ones among them, where its fields are not read from a text. */
export interface WrittenRows {
  /** The records, their values without frames and envelopes. */
  readonly payload: Records;
  /** Index into `writers` a row; -1: nobody knows, or there is no row. */
  readonly of: Int32Array;
  /** The same object for the same schema, as long as it is in use; null: its fields are read from texts, or it can't be read. */
  readonly writers: readonly (WriterFields | null)[];
}
