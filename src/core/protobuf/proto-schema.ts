/** The scalar types of Protobuf, by their names in `.proto` files. */
export type ProtoScalar =
  | "double"
  | "float"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "bool"
  | "string"
  | "bytes";

/** A closed enum (proto2) knows its numbers only; an open one (proto3) takes any. */
export interface ProtoEnum {
  readonly name: string;
  readonly closed: boolean;
  readonly values: readonly { readonly name: string; readonly number: number }[];
}

/** What one value of a field is. */
export type ProtoType =
  | { readonly kind: "scalar"; readonly scalar: ProtoScalar }
  | { readonly kind: "enum"; readonly enum: ProtoEnum }
  /** `delimited`: between group tags instead of with a length. */
  | { readonly kind: "message"; readonly message: ProtoMessage; readonly delimited: boolean };

export interface ProtoField {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly type: ProtoType;
  /** `map`: `type` is the value's, and `key` the key's. */
  readonly shape: "single" | "list" | "map";
  readonly key: ProtoScalar | null;
  /** Whether a field that is not on the wire is known to be missing; else it stands for its default. Only of `single`. */
  readonly presence: boolean;
  /** The declared default of a proto2 field: a number's or boolean's text, text, an enum value's name, bytes as base64; null: none. */
  readonly byDefault: string | null;
  /** Fields of a message with the same number exclude each other; -1: none. */
  readonly oneof: number;
}

/** A message with all names resolved; messages that contain themselves are cyclic values. */
export interface ProtoMessage {
  /** Full name without a leading dot. */
  readonly name: string;
  readonly fields: readonly ProtoField[];
}
