import type { ProtoMessage, ProtoScalar, ProtoType } from "../../core/protobuf/proto-schema.ts";
import type { Field } from "../../core/schema.ts";

/** What is done with the values of one field of a message for one column. */
export type ProtoRead =
  | { readonly kind: "scalar"; readonly scalar: ProtoScalar }
  /** A number in a column of numbers, else the value's name. */
  | { readonly kind: "enum"; readonly names: ReadonlyMap<number, Uint8Array> }
  | { readonly kind: "struct"; readonly table: ProtoTable }
  /** `google.protobuf.Timestamp`. */
  | { readonly kind: "timestamp" }
  /** `google.protobuf.Duration`: text as protobuf's JSON has it, or seconds. */
  | { readonly kind: "duration" }
  /** `google.protobuf.Int32Value` and its like: the value within. */
  | { readonly kind: "wrapper"; readonly message: ProtoMessage; readonly scalar: ProtoScalar }
  /** As JSON text, into a json column. */
  | { readonly kind: "json"; readonly type: ProtoType }
  /** A type that the column can't take: every such value is an invalid cell. */
  | { readonly kind: "invalid"; readonly type: ProtoType; readonly cause: number };

/** Where a field of a message goes. */
export interface ProtoSlot {
  /** Its column in the struct; -1: the contract does not name it. */
  readonly column: number;
  readonly read: ProtoRead;
  /** What the column is: a field of another shape can't fill it, unless it is a json column (`json`). */
  readonly into: "single" | "list" | "map" | "json" | "mismatch";
}

/** One message as the columns of a struct: a slot for each of its fields, in the message's order. */
export interface ProtoTable {
  readonly message: ProtoMessage;
  readonly slots: readonly ProtoSlot[];
}

/** A column that the message can't fill, or can fill only in part. */
export interface ProtoIssue {
  readonly path: string;
  readonly code: "missing" | "type";
  readonly message: string;
}

/** How messages become the contract's columns. Plain values. */
export interface ProtoPlan {
  readonly fields: readonly Field[];
  readonly table: ProtoTable;
  readonly issues: readonly ProtoIssue[];
  readonly unknownFields: "ignore" | "keep" | "reject";
}
