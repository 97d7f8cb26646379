import { create, createFileRegistry, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  OneofDescriptorProtoSchema,
  type DescriptorProto,
  type FieldDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";

const {
  BOOL,
  BYTES,
  DOUBLE,
  ENUM,
  FIXED32,
  FIXED64,
  FLOAT,
  INT32,
  INT64,
  MESSAGE,
  SFIXED32,
  SFIXED64,
  SINT32,
  SINT64,
  STRING,
  UINT32,
  UINT64,
} = FieldDescriptorProto_Type;

interface Scalar {
  readonly type: FieldDescriptorProto_Type;
  readonly sketch: FieldSketch;
  /** Values as protobuf-es takes them. */
  readonly value: fc.Arbitrary<unknown>;
  readonly cell: (value: unknown) => unknown;
}

const whole = (value: unknown): bigint => BigInt(value as number | bigint);
const ranged = (bits: number) => (value: unknown) => (BigInt.asIntN(bits, whole(value)) === whole(value) ? whole(value) : invalid);
const finite = (value: unknown): unknown => (Number.isFinite(value) ? value : invalid);
const int32 = fc.integer();
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -200n, max: 200n }));
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 200n }));
const long: FieldSketch = { type: "long" };
const wide: FieldSketch = { type: { kind: "decimal", precision: 20, scale: 0 } };

/** Scalars, each with a column for it. Enum values are 0 NONE, 1 ONE, 5 FIVE. */
const scalars: readonly Scalar[] = [
  { type: INT32, sketch: { type: "int" }, value: int32, cell: whole },
  { type: INT32, sketch: { type: "double" }, value: int32, cell: (value) => value },
  { type: INT32, sketch: { type: "json" }, value: int32, cell: String },
  { type: INT64, sketch: long, value: int64, cell: whole },
  { type: INT64, sketch: { type: "int" }, value: int64, cell: ranged(32) },
  { type: UINT32, sketch: long, value: uint32, cell: whole },
  { type: UINT32, sketch: { type: "int" }, value: uint32, cell: ranged(32) },
  { type: UINT64, sketch: long, value: uint64, cell: ranged(64) },
  { type: UINT64, sketch: wide, value: uint64, cell: whole },
  { type: SINT32, sketch: { type: "int" }, value: int32, cell: whole },
  { type: SINT64, sketch: long, value: int64, cell: whole },
  { type: FIXED32, sketch: long, value: uint32, cell: whole },
  { type: FIXED64, sketch: wide, value: uint64, cell: whole },
  { type: SFIXED32, sketch: { type: "int" }, value: int32, cell: whole },
  { type: SFIXED64, sketch: long, value: int64, cell: whole },
  { type: FLOAT, sketch: { type: "float" }, value: fc.float(), cell: finite },
  { type: FLOAT, sketch: { type: "double" }, value: fc.float(), cell: finite },
  { type: DOUBLE, sketch: { type: "double" }, value: fc.double(), cell: finite },
  { type: BOOL, sketch: { type: "boolean" }, value: fc.boolean(), cell: (value) => value },
  { type: BOOL, sketch: long, value: fc.boolean(), cell: () => invalid },
  { type: STRING, sketch: { type: "string" }, value: fc.string({ unit: "grapheme", maxLength: 30 }), cell: (value) => value },
  { type: STRING, sketch: { type: "json" }, value: fc.string({ unit: "grapheme", maxLength: 9 }), cell: (value) => JSON.stringify(value) },
  {
    type: BYTES,
    sketch: { type: "binary" },
    value: fc.uint8Array({ maxLength: 20 }),
    cell: (value) => Uint8Array.from(value as Uint8Array),
  },
  {
    type: STRING,
    sketch: { type: "uuid" },
    value: fc.oneof(fc.uuid(), fc.uuid(), fc.string({ unit: "grapheme", maxLength: 40 })),
    cell: (value) => {
      const bytes = uuidBytes(value as string);
      return bytes === null ? invalid : uuidText(bytes);
    },
  },
  {
    type: BYTES,
    sketch: { type: "uuid" },
    value: fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 18 })),
    cell: (value) => ((value as Uint8Array).length === 16 ? uuidText(value as Uint8Array) : invalid),
  },
  {
    type: ENUM,
    sketch: { type: "string" },
    value: fc.constantFrom(0, 1, 5),
    cell: (value) => ({ 0: "NONE", 1: "ONE", 5: "FIVE" })[value as number] ?? invalid,
  },
  { type: ENUM, sketch: { type: "int" }, value: fc.constantFrom(0, 1, 5, -3), cell: whole },
];

const keys = [STRING, INT32, UINT64, SINT64, BOOL, FIXED32];

type Part =
  | {
      readonly kind: "scalar";
      readonly scalar: Scalar;
      readonly shape: "plain" | "optional" | "list" | "map" | "oneof";
      readonly key: number;
      readonly packed: boolean;
    }
  | { readonly kind: "message"; readonly parts: readonly Part[]; readonly shape: "plain" | "list" | "map" | "oneof"; readonly key: number };

const part = fc.letrec<{ part: Part; message: Part; scalar: Part }>((tie) => ({
  scalar: fc.record({
    kind: fc.constant("scalar" as const),
    scalar: fc.constantFrom(...scalars),
    shape: fc.constantFrom("plain", "plain", "optional", "list", "map", "oneof"),
    key: fc.nat({ max: keys.length - 1 }),
    packed: fc.boolean(),
  }),
  message: fc.record({
    kind: fc.constant("message" as const),
    parts: fc.array(tie("part"), { minLength: 1, maxLength: 3 }),
    shape: fc.constantFrom("plain", "plain", "list", "map", "oneof"),
    key: fc.nat({ max: keys.length - 1 }),
  }),
  part: fc.oneof({ maxDepth: 2, withCrossShrink: true }, { weight: 5, arbitrary: tie("scalar") }, { weight: 1, arbitrary: tie("message") }),
})).part;

let names = 0;

/** Descriptors of a message and what is declared inside it. Numbers have gaps, some above 15 and 1024. */
function describe(name: string, under: string, parts: readonly Part[]): DescriptorProto {
  const nested: DescriptorProto[] = [];
  let grouped = false;
  const optional: string[] = [];
  const fields = parts.map((each, i): FieldDescriptorProto => {
    const number = [1, 4, 7, 16, 300, 2000][i % 6]! + Math.floor(i / 6);
    let type = each.kind === "scalar" ? each.scalar.type : MESSAGE;
    let typeName = type === ENUM ? ".test.E" : "";
    if (each.kind === "message") {
      const inner = describe(`M${i}`, `${under}.${name}`, each.parts);
      nested.push(inner);
      typeName = `${under}.${name}.M${i}`;
    }
    if (each.shape === "map") {
      const entry = (number: number, label: string, type: FieldDescriptorProto_Type, typeName: string): FieldDescriptorProto =>
        create(FieldDescriptorProtoSchema, { name: label, number, type, typeName, label: FieldDescriptorProto_Label.OPTIONAL });
      nested.push(
        create(DescriptorProtoSchema, {
          name: `F${i}Entry`,
          field: [entry(1, "key", keys[each.key]!, ""), entry(2, "value", type, typeName)],
          options: { mapEntry: true },
        }),
      );
      type = MESSAGE;
      typeName = `${under}.${name}.F${i}Entry`;
    }
    if (each.shape === "oneof") grouped = true;
    if (each.shape === "optional") optional.push(`f${i}`);
    const repeated = each.shape === "list" || each.shape === "map";
    return create(FieldDescriptorProtoSchema, {
      name: `f${i}`,
      number,
      type,
      typeName,
      label: repeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
      ...(each.shape === "oneof" ? { oneofIndex: 0 } : {}),
      ...(each.shape === "optional" ? { proto3Optional: true } : {}),
      ...(each.shape === "list" && each.kind === "scalar" && type !== STRING && type !== BYTES
        ? { options: create(FieldOptionsSchema, { packed: each.packed }) }
        : {}),
    });
  });
  // Synthetic oneofs come after real ones.
  for (const field of fields) if (field.proto3Optional) field.oneofIndex = (grouped ? 1 : 0) + optional.indexOf(field.name);
  return create(DescriptorProtoSchema, {
    name,
    field: fields,
    nestedType: nested,
    oneofDecl: [...(grouped ? ["choice"] : []), ...optional.map((each) => `_${each}`)].map((each) =>
      create(OneofDescriptorProtoSchema, { name: each }),
    ),
  });
}

/** A random proto3 message type with the contract's fields for it. */
export interface ProtoShape {
  readonly desc: DescMessage;
  readonly fields: Readonly<Record<string, FieldSketch>>;
  /** Fills messages of the type. */
  readonly value: fc.Arbitrary<Message>;
  /** The row that a message means. */
  readonly row: (message: Message) => Record<string, unknown>;
}

function sketchesOf(parts: readonly Part[]): Record<string, FieldSketch> {
  return Object.fromEntries(
    parts.map((each, i) => {
      const one: FieldSketch = each.kind === "scalar" ? each.scalar.sketch : { type: "struct", of: sketchesOf(each.parts) };
      return [`f${i}`, each.shape === "list" ? { type: "list", of: one } : each.shape === "map" ? { type: "map", of: one } : one];
    }),
  );
}

function keyValue(type: FieldDescriptorProto_Type): fc.Arbitrary<unknown> {
  if (type === STRING) return fc.string({ unit: "grapheme", maxLength: 3 }).filter((each) => each !== "__proto__");
  return type === BOOL ? fc.boolean() : (scalars.find((each) => each.type === type) as Scalar).value;
}

/** Fills a message by reflection. */
function valueOf(desc: DescMessage, parts: readonly Part[]): fc.Arbitrary<Message> {
  const fieldOf = (i: number): DescField => desc.fields.find((each) => each.name === `f${i}`)!;
  const inner = (i: number): DescMessage => fieldOf(i).message!;
  const one = (each: Part, i: number): fc.Arbitrary<unknown> =>
    each.kind === "scalar" ? each.scalar.value : valueOf(inner(i), each.parts);
  const setters = parts.map((each, i): fc.Arbitrary<((into: ReflectMessage) => void) | null> => {
    const field = fieldOf(i);
    if (field.fieldKind === "list")
      return fc
        .array(one(each, i), { maxLength: 4 })
        .map((values) => (into) => values.forEach((value) => into.get(field).add(wrap(value))));
    if (field.fieldKind === "map")
      return fc
        .array(fc.tuple(keyValue(keys[each.key]!), one(each, i)), { maxLength: 3 })
        .map((entries) => (into) => entries.forEach(([key, value]) => into.get(field).set(key, wrap(value))));
    return fc.option(
      one(each, i).map((value) => (into: ReflectMessage) => into.set(field, wrap(value))),
      { freq: 3 },
    );
  });
  return fc.tuple(...setters).map((all) => {
    const message = create(desc);
    const into = reflect(desc, message);
    for (const set of all) if (set !== null) set(into);
    return message;
  });
}

const wrap = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "$typeName" in value ? reflect(registryOf(value as Message), value as Message) : value;

const descs = new Map<string, DescMessage>();
const registryOf = (message: Message): DescMessage => descs.get(message.$typeName)!;

function note(desc: DescMessage): void {
  descs.set(desc.typeName, desc);
  for (const nested of desc.nestedMessages) note(nested);
}

function rowOf(desc: DescMessage, parts: readonly Part[], message: Message): Record<string, unknown> {
  const from = reflect(desc, message);
  return Object.fromEntries(
    parts.map((each, i) => {
      const field = desc.fields.find((other) => other.name === `f${i}`)!;
      const cell = (value: unknown): unknown =>
        each.kind === "scalar" ? each.scalar.cell(value) : rowOf(field.message!, each.parts, (value as ReflectMessage).message);
      if (field.fieldKind === "list") return [field.name, [...from.get(field)].map(cell)];
      if (field.fieldKind === "map") return [field.name, new Map([...from.get(field)].map(([key, value]) => [String(key), cell(value)]))];
      const absent = (each.shape === "optional" || each.shape === "oneof" || each.kind === "message") && !from.isSet(field);
      return [field.name, absent ? undefined : cell(from.get(field))];
    }),
  );
}

/** Random message types. */
export const protoShape: fc.Arbitrary<ProtoShape> = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => {
  const name = `T${names++}`;
  const file = create(FileDescriptorProtoSchema, {
    name: `${name}.proto`,
    package: "test",
    syntax: "proto3",
    enumType: [
      create(EnumDescriptorProtoSchema, {
        name: "E",
        value: [
          { name: "NONE", number: 0 },
          { name: "ONE", number: 1 },
          { name: "FIVE", number: 5 },
        ],
      }),
    ],
    messageType: [describe(name, ".test", parts)],
  });
  const desc = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getMessage(`test.${name}`)!;
  note(desc);
  return { desc, fields: sketchesOf(parts), value: valueOf(desc, parts), row: (message) => rowOf(desc, parts, message) };
});
