import type { ProtoField, ProtoMessage, ProtoScalar, ProtoType } from "../../core/protobuf/proto-schema.ts";

/** How the bytes of a field's value are delimited (Protobuf encoding, "Message Structure"). */
export const WireType = { varint: 0, fixed64: 1, length: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const denseMax = 1024;

/** A message prepared for scanning: which of its fields each number is, and how each is written. */
export interface MessageIndex {
  readonly message: ProtoMessage;
  /** Index of the field of each number below 1024, or -1. */
  readonly dense: Int16Array;
  /** Indexes of the fields of greater numbers. */
  readonly sparse: ReadonlyMap<number, number>;
  /** The wire type of each field's single values. */
  readonly wires: Uint8Array;
  /** 1 where a list may come packed. */
  readonly packable: Uint8Array;
  /** 1 where a value that comes again takes the place of the one before: single scalars outside oneofs. */
  readonly replaceable: Uint8Array;
  /** Fields that exclude each other. */
  readonly oneofs: readonly (readonly number[])[];
  /** For maps, the message of their entries. */
  readonly entries: readonly (ProtoMessage | null)[];
}

/** The wire type of a scalar. */
export function scalarWire(scalar: ProtoScalar): number {
  switch (scalar) {
    case "double":
    case "fixed64":
    case "sfixed64":
      return WireType.fixed64;
    case "float":
    case "fixed32":
    case "sfixed32":
      return WireType.fixed32;
    case "string":
    case "bytes":
      return WireType.length;
    default:
      return WireType.varint;
  }
}

/** The wire type that values of a type are written with. */
export function typeWire(type: ProtoType): number {
  if (type.kind === "message") return type.delimited ? WireType.startGroup : WireType.length;
  return type.kind === "enum" ? WireType.varint : scalarWire(type.scalar);
}

function entryOf(owner: ProtoMessage, field: ProtoField): ProtoMessage {
  return {
    name: `${owner.name}.${field.name}`,
    fields: [plainField(1, "key", { kind: "scalar", scalar: field.key ?? "string" }), plainField(2, "value", field.type)],
  };
}

function plainField(number: number, name: string, type: ProtoType): ProtoField {
  return { number, name, jsonName: name, type, shape: "single", key: null, presence: type.kind === "message", byDefault: null, oneof: -1 };
}

/** Indexes of messages, made when they are first met. */
export class MessageIndexes {
  readonly #made = new Map<ProtoMessage, MessageIndex>();
  /** Of a Timestamp or Duration. */
  readonly seconds: MessageIndex = makeIndex({
    name: "google.protobuf.Timestamp",
    fields: [plainField(1, "seconds", { kind: "scalar", scalar: "int64" }), plainField(2, "nanos", { kind: "scalar", scalar: "int32" })],
  });

  of(message: ProtoMessage): MessageIndex {
    let index = this.#made.get(message);
    if (index === undefined) {
      index = makeIndex(message);
      this.#made.set(message, index);
    }
    return index;
  }
}

function makeIndex(message: ProtoMessage): MessageIndex {
  const { fields } = message;
  const dense = new Int16Array(Math.min(denseMax, Math.max(0, ...fields.map(({ number }) => number)) + 1)).fill(-1);
  const sparse = new Map<number, number>();
  const oneofs: number[][] = [];
  for (const [i, field] of fields.entries()) {
    if (field.number < dense.length) dense[field.number] = i;
    else sparse.set(field.number, i);
    if (field.oneof >= 0) (oneofs[field.oneof] ??= []).push(i);
  }
  const wireOf = (field: ProtoField): number => (field.shape === "map" ? WireType.length : typeWire(field.type));
  return {
    message,
    dense,
    sparse,
    wires: Uint8Array.from(fields, wireOf),
    packable: Uint8Array.from(fields, (field) =>
      field.shape === "list" && field.type.kind !== "message" && typeWire(field.type) !== WireType.length ? 1 : 0,
    ),
    replaceable: Uint8Array.from(fields, (field) => (field.shape === "single" && field.type.kind !== "message" && field.oneof < 0 ? 1 : 0)),
    oneofs: oneofs.filter((each) => each.length > 1),
    entries: fields.map((field) => (field.shape === "map" ? entryOf(message, field) : null)),
  };
}
