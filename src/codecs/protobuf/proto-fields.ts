import { jsonTypes } from "../../core/profile.ts";
import type { ProtoField, ProtoMessage, ProtoType } from "../../core/protobuf/proto-schema.ts";
import type { Field } from "../../core/schema.ts";
import type { WrittenField } from "../../core/written-fields.ts";
import { cutName, memberPath } from "../member-path.ts";
import { type MessageIndex, type MessageIndexes, WireType } from "./message-index.ts";
import { type Frame, ProtoScan } from "./proto-scan.ts";
import { sourceOf, wrappers } from "./resolve-proto.ts";

const [booleanType, numberType, stringType, objectType, arrayType] = (["boolean", "number", "string", "object", "array"] as const).map(
  (name) => jsonTypes.indexOf(name),
) as [number, number, number, number, number];

/** A message's fields, and those of messages in them that the contract describes. */
interface Shape {
  readonly prefix: string;
  readonly message: ProtoMessage;
  /** In the message's order. */
  readonly members: readonly (WrittenField & { readonly below: Shape | null })[];
}

function shapeOf(message: ProtoMessage, fields: readonly Field[], prefix = ""): Shape {
  const columnOf = new Map(
    fields.flatMap((field) => {
      const source = sourceOf(message.fields, field);
      return source === undefined ? [] : [[source, field] as const];
    }),
  );
  const members = message.fields.map((source) => {
    const path = memberPath(prefix, cutName(source.name));
    const column = columnOf.get(source);
    return { path, type: typeOf(source), below: column === undefined ? null : belowOf(source, column, path) };
  });
  return { prefix, message, members };
}

function belowOf({ shape, type }: ProtoField, { type: column }: Field, path: string): Shape | null {
  if (type.kind !== "message" || shape === "map") return null;
  if (shape === "single") return column.kind === "struct" ? shapeOf(type.message, column.fields, path) : null;
  return column.kind === "list" && column.element.type.kind === "struct"
    ? shapeOf(type.message, column.element.type.fields, `${path}[]`)
    : null;
}

function typeOf({ shape, type }: ProtoField): number {
  if (shape !== "single") return shape === "list" ? arrayType : objectType;
  return typeOfValue(type);
}

function typeOfValue(type: ProtoType): number {
  if (type.kind === "enum") return stringType;
  if (type.kind === "scalar")
    return type.scalar === "bool" ? booleanType : type.scalar === "string" || type.scalar === "bytes" ? stringType : numberType;
  const { name, fields } = type.message;
  if (name === "google.protobuf.Timestamp" || name === "google.protobuf.Duration") return stringType;
  const [inner] = fields;
  return wrappers.has(name) && inner !== undefined ? typeOfValue(inner.type) : objectType;
}

/** What a field is that is known by its wire type alone. */
function typeOnWire(wire: number): number {
  return wire === WireType.length ? stringType : wire === WireType.startGroup ? objectType : numberType;
}

/** The fields that a message has, below those that the contract describes. */
export function protoFields(message: ProtoMessage, fields: readonly Field[]): readonly WrittenField[] {
  const all = ({ members }: Shape): WrittenField[] =>
    members.flatMap(({ path, type, below }) => [{ path, type }, ...(below === null ? [] : all(below))]);
  return all(shapeOf(message, fields));
}

/** Finds which fields stand in messages' bytes: unknown numbers (`#7`), and on demand those of the message, of another wire type too. */
export class WireFields {
  readonly #scan = new ProtoScan(true, true);
  readonly #indexes: MessageIndexes;
  readonly #shape: Shape;
  readonly #knownToo: boolean;
  #found: WrittenField[] = [];

  constructor(message: ProtoMessage, fields: readonly Field[], options: { readonly indexes: MessageIndexes; readonly knownToo: boolean }) {
    this.#shape = shapeOf(message, fields);
    this.#indexes = options.indexes;
    this.#knownToo = options.knownToo;
  }

  /** The fields of the message `bytes[start, end)`, each maybe several times; null where it is none. */
  read(bytes: Uint8Array, start: number, end: number): readonly WrittenField[] | null {
    this.#scan.open(bytes);
    this.#found = [];
    return this.#message(this.#shape, start, end) ? this.#found : null;
  }

  #message(shape: Shape, start: number, end: number): boolean {
    const scan = this.#scan;
    const index: MessageIndex = this.#indexes.of(shape.message);
    const frame = scan.enter(index, start);
    if (frame === null) return false;
    const isRead = scan.scan(index, frame, start, end) >= 0 && this.#members(shape, frame);
    scan.leave(frame);
    return isRead;
  }

  #members(shape: Shape, frame: Frame): boolean {
    const scan = this.#scan;
    for (let found = frame.unknownHead; found >= 0; found = scan.next(found)) this.#unknown(shape, scan.number(found), scan.wire(found));
    for (const [i, { path, type, below }] of shape.members.entries()) {
      const head = frame.heads[i] as number;
      if (head >= 0 && this.#knownToo) this.#found.push({ path, type });
      if (below === null) continue;
      for (let found = head; found >= 0; found = scan.next(found))
        if (!this.#message(below, scan.start(found), scan.end(found))) return false;
    }
    return true;
  }

  #unknown({ prefix, message, members }: Shape, number: number, wire: number): void {
    const known = message.fields.findIndex((field) => field.number === number);
    if (known < 0) this.#found.push({ path: memberPath(prefix, `#${number}`), type: typeOnWire(wire) });
    else if (this.#knownToo) this.#found.push({ path: (members[known] as WrittenField).path, type: typeOnWire(wire) });
  }
}
