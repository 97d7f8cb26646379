import avsc from "avsc";
import * as fc from "fast-check";
import { uuidText } from "../../../src/core/uuid.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { invalid } from "../../fixtures/column-value.ts";

/** One Avro type as it is written and as it is read, with the contract's field for it and what its values become. */
export interface Shape {
  readonly writer: unknown;
  readonly reader: unknown;
  readonly sketch: FieldSketch;
  /** Values as avsc takes them, by the writer's schema. */
  readonly value: fc.Arbitrary<unknown>;
  /** The cell for what avsc reads by the reader's schema. */
  readonly cell: (read: unknown) => unknown;
}

/** Longs as bigint, so that nothing is rounded. */
const longs = avsc.types.LongType.__with({
  fromBuffer: (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (value: number | bigint) => BigInt(value),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** The avsc type of a schema. */
export function avscType(schema: unknown): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, { typeHook: (each) => (isLong(each) ? longs : undefined) });
}

const isLong = (schema: unknown): boolean =>
  schema === "long" || (typeof schema === "object" && schema !== null && (schema as { type?: unknown }).type === "long");

const nanosType = (zoned: boolean): FieldSketch["type"] => ({ kind: "timestamp", zoned, unit: "nanos" });

/** Counts of a unit of so many nanoseconds, many of them where 64 bits of nanoseconds end. */
const nearEnd = (factor: bigint): fc.Arbitrary<bigint> => {
  const end = 2n ** 63n / factor;
  return fc.oneof(
    fc.bigInt({ min: -end, max: end }),
    fc.bigInt({ min: end - 3n, max: end + 3n }),
    fc.bigInt({ min: -end - 3n, max: 3n - end }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
};

const same = (writer: unknown, sketch: FieldSketch, value: fc.Arbitrary<unknown>, cell: Shape["cell"]): Shape => ({
  writer,
  reader: writer,
  sketch,
  value,
  cell,
});

const int32 = fc.integer();
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -300n, max: 300n }));
const single = fc.float({ noNaN: false });
const double = fc.double();
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const wideText = fc.oneof(text, fc.string({ unit: "grapheme", minLength: 40, maxLength: 200 }));
const bytes = fc.uint8Array({ maxLength: 24 }).map((each) => Buffer.from(each));
const day = 86_400_000_000n;

const whole = (read: unknown): bigint => BigInt(read as number | bigint);
const ranged = (value: bigint, bits: number): unknown => (BigInt.asIntN(bits, value) === value ? value : invalid);
const finite = (value: unknown): unknown => (Number.isFinite(value) ? value : invalid);
const decodeText = (read: unknown): unknown => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(read as Uint8Array);
  } catch {
    return invalid;
  }
};
const unscaled = (read: unknown): bigint => {
  const hex = Buffer.from(read as Uint8Array).toString("hex");
  return hex === "" ? 0n : BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`));
};
const fitting = (value: bigint, digits: number): unknown => ((value < 0n ? -value : value) < 10n ** BigInt(digits) ? value : invalid);

/** Types whose reader's schema is the writer's. */
const leaves: readonly Shape[] = [
  same("null", { type: "string" }, fc.constant(null), () => null),
  same("boolean", { type: "boolean" }, fc.boolean(), (read) => read),
  same("int", { type: "int" }, int32, whole),
  same("int", { type: "long" }, int32, whole),
  same("int", { type: "double" }, int32, (read) => read),
  same("int", { type: "decimal" }, int32, (read) => fitting(whole(read) * 100n, 10)),
  same("int", { type: "string" }, int32, () => invalid),
  same("long", { type: "long" }, int64, whole),
  same("long", { type: "int" }, int64, (read) => ranged(whole(read), 32)),
  same("long", { type: "double" }, int64, (read) => Number(whole(read))),
  same("long", { type: { kind: "decimal", precision: 38, scale: 10 } }, int64, (read) => whole(read) * 10n ** 10n),
  same("float", { type: "float" }, single, finite),
  same("float", { type: "double" }, single, finite),
  same("double", { type: "double" }, double, finite),
  same("double", { type: "float" }, double, (read) => finite(Math.fround(read as number))),
  same("double", { type: "long" }, double, () => invalid),
  same("string", { type: "string" }, wideText, (read) => read),
  same("string", { type: "binary" }, text, (read) => new Uint8Array(Buffer.from(read as string))),
  same("string", { type: "json" }, text, (read) => JSON.stringify(read)),
  same(
    "string",
    { type: "date" },
    fc
      .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
      .map((each) => each.toISOString().slice(0, 10)),
    (read) => BigInt(Date.parse(read as string) / 86_400_000),
  ),
  same("bytes", { type: "binary" }, bytes, (read) => new Uint8Array(read as Buffer)),
  same("bytes", { type: "string" }, bytes, decodeText),
  same(
    { type: "fixed", size: 7 },
    { type: "binary" },
    fc.uint8Array({ minLength: 7, maxLength: 7 }).map((each) => Buffer.from(each)),
    (read) => new Uint8Array(read as Buffer),
  ),
  same({ type: "enum", symbols: ["A", "BB", "CCC"] }, { type: "string" }, fc.constantFrom("A", "BB", "CCC"), (read) => read),
  same({ type: "int", logicalType: "date" }, { type: "date" }, int32, whole),
  same({ type: "int", logicalType: "date" }, { type: "long" }, int32, whole),
  same({ type: "int", logicalType: "time-millis" }, { type: "time" }, fc.integer({ min: -5, max: 86_400_005 }), (read) =>
    whole(read) >= 0n && whole(read) * 1000n < day ? whole(read) * 1000n : invalid,
  ),
  same({ type: "long", logicalType: "time-micros" }, { type: "time" }, fc.bigInt({ min: -5n, max: day + 5n }), (read) =>
    whole(read) >= 0n && whole(read) < day ? whole(read) : invalid,
  ),
  same({ type: "long", logicalType: "timestamp-millis" }, { type: "timestamp" }, int64, (read) => ranged(whole(read) * 1000n, 64)),
  same({ type: "long", logicalType: "timestamp-micros" }, { type: "timestamp" }, int64, whole),
  same(
    { type: "long", logicalType: "timestamp-nanos" },
    { type: "timestamp" },
    fc.oneof(
      int64,
      fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((each) => each * 1000n),
    ),
    (read) => (whole(read) % 1000n === 0n ? whole(read) / 1000n : invalid),
  ),
  same({ type: "long", logicalType: "timestamp-nanos" }, { type: nanosType(true) }, int64, whole),
  same({ type: "long", logicalType: "local-timestamp-nanos" }, { type: nanosType(false) }, int64, whole),
  same({ type: "long", logicalType: "timestamp-nanos" }, { type: nanosType(false) }, int64, () => invalid),
  same({ type: "long", logicalType: "timestamp-micros" }, { type: nanosType(true) }, nearEnd(1000n), (read) =>
    ranged(whole(read) * 1000n, 64),
  ),
  same({ type: "long", logicalType: "local-timestamp-millis" }, { type: nanosType(false) }, nearEnd(1_000_000n), (read) =>
    ranged(whole(read) * 1_000_000n, 64),
  ),
  same(
    { type: "long", logicalType: "timestamp-micros" },
    { type: { kind: "timestamp", zoned: false, unit: "micros" } },
    int64,
    () => invalid,
  ),
  same(
    { type: "long", logicalType: "local-timestamp-millis" },
    { type: { kind: "timestamp", zoned: false, unit: "micros" } },
    fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
    (read) => whole(read) * 1000n,
  ),
  same({ type: "long", logicalType: "local-timestamp-micros" }, { type: "timestamp" }, int64, whole),
  same(
    { type: "bytes", logicalType: "decimal", precision: 20, scale: 2 },
    { type: { kind: "decimal", precision: 20, scale: 2 } },
    bytes,
    (read) => fitting(unscaled(read), 20),
  ),
  same(
    { type: "bytes", logicalType: "decimal", precision: 8, scale: 1 },
    { type: { kind: "decimal", precision: 38, scale: 4 } },
    bytes,
    (read) => fitting(unscaled(read) * 1000n, 38),
  ),
  same(
    { type: "bytes", logicalType: "decimal", precision: 12, scale: 4 },
    { type: { kind: "decimal", precision: 12, scale: 2 } },
    fc.uint8Array({ maxLength: 5 }).map((each) => Buffer.from(each)),
    (read) => (unscaled(read) % 100n === 0n ? fitting(unscaled(read) / 100n, 12) : invalid),
  ),
  same(
    { type: "fixed", size: 9, logicalType: "decimal", precision: 21, scale: 3 },
    { type: { kind: "decimal", precision: 21, scale: 3 } },
    fc.uint8Array({ minLength: 9, maxLength: 9 }).map((each) => Buffer.from(each)),
    (read) => fitting(unscaled(read), 21),
  ),
  same(
    { type: "fixed", size: 16, logicalType: "uuid" },
    { type: "string" },
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((each) => Buffer.from(each)),
    (read) =>
      Buffer.from(read as Buffer)
        .toString("hex")
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
  ),
  same({ type: "string", logicalType: "uuid" }, { type: "string" }, fc.uuid(), (read) => read),
  same(
    { type: "fixed", size: 16, logicalType: "uuid" },
    { type: "uuid" },
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((each) => Buffer.from(each)),
    (read) => uuidText(read as Buffer),
  ),
  same({ type: "string", logicalType: "uuid" }, { type: "uuid" }, fc.oneof(fc.uuid(), text), (read) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(read as string) ? (read as string).toLowerCase() : invalid,
  ),
  same(
    "bytes",
    { type: "uuid" },
    fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 18 })).map((each) => Buffer.from(each)),
    (read) => ((read as Buffer).length === 16 ? uuidText(read as Buffer) : invalid),
  ),
  same(["null", "string", "long"], { type: "string" }, fc.oneof(fc.constant(null), text, int64), (read) =>
    typeof read === "bigint" ? invalid : read,
  ),
  same(["null", { type: "enum", symbols: ["X", "Y"] }], { type: "string" }, fc.constantFrom(null, "X", "Y"), (read) => read),
];

// Beyond this avsc's own promotion of longs is off by one and more.
const wholeBelow = fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((each) => BigInt(each) * 1000n);

/** Types that a reader's schema promotes. */
const promoted: readonly Shape[] = [
  { writer: "int", reader: "long", sketch: { type: "long" }, value: int32, cell: whole },
  { writer: "int", reader: "float", sketch: { type: "float" }, value: int32, cell: (read) => Math.fround(read as number) },
  { writer: "int", reader: "double", sketch: { type: "double" }, value: int32, cell: (read) => read },
  { writer: "long", reader: "double", sketch: { type: "double" }, value: wholeBelow, cell: (read) => Number(read) },
  { writer: "float", reader: "double", sketch: { type: "double" }, value: single, cell: finite },
  { writer: "string", reader: "bytes", sketch: { type: "binary" }, value: text, cell: (read) => new Uint8Array(read as Buffer) },
  { writer: "bytes", reader: "string", sketch: { type: "string" }, value: text.map((each) => Buffer.from(each)), cell: (read) => read },
  { writer: "string", reader: ["null", "string"], sketch: { type: "string" }, value: text, cell: (read) => read },
  { writer: "int", reader: ["null", "string", "long"], sketch: { type: "long" }, value: int32, cell: whole },
];

let names = 0;

/** Gives named types names of their own: a schema may hold a shape several times. */
function named(schema: unknown, name: string): unknown {
  if (Array.isArray(schema)) return schema.map((each) => named(each, name));
  if (typeof schema !== "object" || schema === null) return schema;
  const { type } = schema as { type?: unknown };
  return type === "fixed" || type === "enum" ? { ...schema, name } : schema;
}

const leaf = (shapes: readonly Shape[]): fc.Arbitrary<Shape> =>
  fc.constantFrom(...shapes).map((shape) => {
    const name = `N${names++}`;
    return { ...shape, writer: named(shape.writer, name), reader: named(shape.reader, name) };
  });

const isNullable = (schema: unknown): boolean => schema === "null" || Array.isArray(schema);

const optional = (shape: Shape): Shape =>
  isNullable(shape.writer) || isNullable(shape.reader)
    ? shape
    : {
        ...shape,
        writer: ["null", shape.writer],
        reader: ["null", shape.reader],
        value: fc.option(shape.value),
        cell: (read) => (read === null ? null : shape.cell(read)),
      };

const list = (shape: Shape): Shape => ({
  writer: { type: "array", items: shape.writer },
  reader: { type: "array", items: shape.reader },
  sketch: { type: "list", of: shape.sketch },
  value: fc.array(shape.value, { maxLength: 4 }),
  cell: (read) => (read as unknown[]).map(shape.cell),
});

const map = (shape: Shape): Shape => ({
  writer: { type: "map", values: shape.writer },
  reader: { type: "map", values: shape.reader },
  sketch: { type: "map", of: shape.sketch },
  value: fc.dictionary(
    fc.string({ unit: "grapheme", maxLength: 4 }).filter((key) => key !== "__proto__"),
    shape.value,
    { maxKeys: 3 },
  ),
  cell: (read) => new Map(Object.entries(read as object).map(([key, value]) => [key, shape.cell(value)])),
});

interface Part {
  readonly shape: Shape;
  /** Written and not read, read and not written (with a default), or both, perhaps under an alias. */
  readonly fate: "both" | "dropped" | "added" | "renamed";
}

/** A record of parts `f0`, `f1`, ...; fields that are added take the default 7 or "seven". */
function record(parts: readonly Part[], order: readonly number[]): Shape {
  const name = `R${names++}`;
  const fields = parts.map(({ shape, fate }, i) => ({ shape, fate, written: `f${i}`, read: fate === "renamed" ? `g${i}` : `f${i}` }));
  const sorted = fields.map((_, i) => i).toSorted((a, b) => (order[a % order.length] ?? 0) - (order[b % order.length] ?? 0));
  const readers = sorted.map((i) => fields[i]!).filter(({ fate }) => fate !== "dropped");
  const added = {
    type: "record",
    name: `A${names++}`,
    fields: [
      { name: "n", type: "long" },
      { name: "s", type: ["string", "null"] },
    ],
  };
  const addedSketch: FieldSketch = { type: "struct", of: { n: { type: "long" }, s: { type: "string" } } };
  let defined = false;
  const addedType = (): unknown => {
    if (defined) return added.name;
    defined = true;
    return added;
  };
  return {
    writer: {
      type: "record",
      name,
      fields: fields.filter(({ fate }) => fate !== "added").map(({ shape, written }) => ({ name: written, type: shape.writer })),
    },
    reader: {
      type: "record",
      name,
      fields: readers.map(({ shape, fate, written, read }) =>
        fate === "added"
          ? { name: read, type: addedType(), default: { n: 7, s: "seven" } }
          : { name: read, type: shape.reader, ...(fate === "renamed" ? { aliases: [written] } : {}) },
      ),
    },
    sketch: {
      type: "struct",
      of: Object.fromEntries(readers.map(({ shape, fate, read }) => [read, fate === "added" ? addedSketch : shape.sketch])),
    },
    value: fc.record(Object.fromEntries(fields.filter(({ fate }) => fate !== "added").map(({ shape, written }) => [written, shape.value]))),
    cell: (value) =>
      Object.fromEntries(
        readers.map(({ shape, fate, read }) => {
          const each = (value as Record<string, unknown>)[read];
          return [read, fate === "added" ? { n: 7n, s: "seven" } : shape.cell(each)];
        }),
      ),
  };
}

/** Records of nested types; with `evolved`, written and read by different schemas. */
export function recordShape(evolved: boolean): fc.Arbitrary<Shape> {
  const base = leaf(evolved ? [...leaves, ...promoted] : leaves);
  const part = (shape: fc.Arbitrary<Shape>): fc.Arbitrary<Part> =>
    fc.record({ shape, fate: evolved ? fc.constantFrom("both", "both", "both", "dropped", "added", "renamed") : fc.constant("both") });
  const orders = fc.array(fc.nat({ max: evolved ? 5 : 0 }), { minLength: 3, maxLength: 5 });
  const recordOf = (shape: fc.Arbitrary<Shape>, maxLength: number): fc.Arbitrary<Shape> =>
    fc.tuple(fc.array(part(shape), { minLength: 1, maxLength }), orders).map(([parts, order]) => record(parts, order));
  const { node } = fc.letrec<{ node: Shape }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 6, arbitrary: base },
      { weight: 3, arbitrary: tie("node").map(optional) },
      { weight: 1, arbitrary: tie("node").map(list) },
      { weight: 1, arbitrary: tie("node").map(map) },
      { weight: 1, arbitrary: recordOf(tie("node"), 3) },
    ),
  }));
  return recordOf(node, 6);
}
