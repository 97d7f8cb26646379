import type { Batch } from "../../../src/core/batch.ts";
import { Cell, type Column, type InvalidCells } from "../../../src/core/column.ts";
import type { Field } from "../../../src/core/schema.ts";
import { mapKeyField } from "../../../src/wasm/layout.ts";
import { makeRecords } from "../../fixtures/contract.ts";

/** Draws at random, the same from the same seed (xorshift). */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) | 1;
  }

  /** 0 to `max`. */
  nat(max: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (Math.imul(x, 0x2545f491) >>> 0) % (max + 1);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.nat(values.length - 1)] as T;
  }
}

export const longs: readonly bigint[] = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  5n,
  10n,
  100n,
  -100n,
  65_535n,
  70_000n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 53n - 1n,
  -(2n ** 53n) - 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n - 2n,
  -(2n ** 63n),
  -(2n ** 63n) + 1n,
];
export const doubles: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.2,
  0.30000000000000004,
  0.3,
  Math.fround(0.1),
  1.5,
  2.5,
  5e-324,
  -5e-324,
  1e308,
  -1e308,
  Infinity,
  -Infinity,
  NaN,
  2 ** 53,
  2 ** 53 + 2,
  3,
  7,
  100,
];
export const unscaled: readonly bigint[] = [
  0n,
  1n,
  -1n,
  5n,
  10n,
  99n,
  100n,
  101n,
  -100n,
  150n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n,
  2n ** 64n + 1n,
  -(2n ** 64n),
  -(2n ** 64n) - 1n,
  10n ** 29n,
  -(10n ** 29n),
  10n ** 30n - 1n,
];
export const texts: readonly string[] = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "aé",
  "é",
  "😀",
  "😀😀",
  "N/A",
  "EWR",
  "JFK",
  "LGA",
  "LGB",
  "abcdefgh",
  "abcdefgi",
  "abcdefghi",
  "abcdefghj",
  "abcdefghijklmnop",
  "abcdefghijklmnoq",
  "abcdefghijklmnopq",
  "abcdefghijklmnopqrstuvwxyz0123456789",
  "abcdefghijklmnopqrstuvwxyz0123456780",
  "abcdefghijklmnopqrst*vwxyz0123456789",
  "ééééééééé",
  "日本語日本語日本語",
  "a\u0000",
  "a\u0000\u0000",
  "\u0000",
  "123e4567-e89b-12d3-a456-426614174000",
  "123e4567-e89b-12d3-a456-42661417400g",
  "N12345",
  "N1234",
  "N123456",
  "N00000",
  "N9ZZZZ",
  "N9AAAA",
  "N99999",
  "N/9999",
  "N:9999",
  "N0/000",
  "N0@AAA",
  "N0[AAA",
  "N000:0",
  "M0000",
  "O0000",
  "z".repeat(36),
  "a".repeat(36),
  "0".repeat(36),
  "9".repeat(36),
  "*".repeat(36),
  ..."/:`{)+"
    .split("")
    .flatMap((bad) => [1, 17, 34].map((at) => `${"a0*z9".repeat(8).slice(0, at)}${bad}${"a0*z9".repeat(8).slice(at + 1, 36)}`)),
  "n12345",
  "1.2.3.4",
  "::1",
  "a@b.c",
  "http://a/b",
  "AAAA",
  "true",
  '{"a":1}',
  "x".repeat(300),
  " ",
  "\t ",
  "\u00a0\u3000\ufeff",
  "\u2003\u2028\n",
  "\u200b",
  "\u180e",
  " \u00a1",
  "-",
  "_",
  "2026-01-31",
];

const states: readonly number[] = [Cell.value, Cell.value, Cell.value, Cell.value, Cell.null, Cell.missing, Cell.invalid];
export const allValues: readonly number[] = [Cell.value];
const noValues: readonly number[] = [Cell.null, Cell.missing];
const anyKinds = [states, states, states, allValues, noValues];

function invalidCells(state: Uint8Array): InvalidCells | null {
  const rows = Uint32Array.from(state.entries().flatMap(([i, cell]) => (cell === Cell.invalid ? [i] : [])));
  if (rows.length === 0) return null;
  return { rows, starts: new Uint32Array(rows.length), lengths: new Uint32Array(rows.length), causes: new Uint8Array(rows.length).fill(1) };
}

function textColumn(field: Field, state: Uint8Array, draw: Draw): Column {
  const binary = field.type.kind === "binary";
  const spans = Array.from(state, (cell) => {
    if (cell !== Cell.value) return new Uint8Array(0);
    return binary && draw.nat(1) === 1 ? Uint8Array.from({ length: draw.nat(12) }, () => draw.nat(255)) : Buffer.from(draw.pick(texts));
  });
  const starts = new Uint32Array(state.length);
  let size = 0;
  for (const [i, span] of spans.entries()) {
    starts[i] = span.length === 0 ? 0 : size;
    size += span.length;
  }
  const lengths = Uint32Array.from(spans, (span) => span.length);
  return {
    kind: "bytes",
    field,
    length: state.length,
    state,
    invalid: invalidCells(state),
    bytes: new Uint8Array(Buffer.concat(spans)),
    starts,
    lengths,
  };
}

function decimalColumn(field: Field, state: Uint8Array, draw: Draw): Column {
  const scale = field.type.kind === "decimal" ? field.type.scale : 0;
  const values = new Float64Array(state.length);
  const words = new Uint32Array(state.length * 4);
  for (let i = 0; i < state.length; i++) {
    if (state[i] !== Cell.value) continue;
    const value = draw.pick(unscaled);
    values[i] = Number(value) / 10 ** scale;
    for (let w = 0; w < 4; w++) words[i * 4 + w] = Number(BigInt.asUintN(32, value >> BigInt(32 * w)));
  }
  return { kind: "decimal", field, length: state.length, state, invalid: invalidCells(state), unscaled: words, values };
}

/** A column of any cells, its children and elements included. */
export function drawColumn(field: Field, length: number, draw: Draw, kinds: readonly (readonly number[])[] = anyKinds): Column {
  const kind = draw.pick(kinds);
  const state = Uint8Array.from({ length }, () => draw.pick(kind));
  const base = { field, length, state, invalid: invalidCells(state) };
  const each = <T>(values: readonly T[], none: T): T[] => Array.from(state, (cell) => (cell === Cell.value ? draw.pick(values) : none));
  const { type } = field;
  switch (type.kind) {
    case "boolean":
      return { ...base, kind: "boolean", values: Uint8Array.from(each([0, 1], 0)) };
    case "float":
      return { ...base, kind: "float", values: Float64Array.from(each(doubles, 0), (value) => Math.fround(value)) };
    case "double":
      return { ...base, kind: "float", values: Float64Array.from(each(doubles, 0)) };
    case "decimal":
      return decimalColumn(field, state, draw);
    case "struct":
      return { ...base, kind: "struct", children: type.fields.map((child) => drawColumn(child, length, draw, kinds)) };
    case "list":
    case "map": {
      const offsets = new Int32Array(length + 1);
      for (let i = 0; i < length; i++) offsets[i + 1] = (offsets[i] as number) + (state[i] === Cell.value ? draw.nat(3) : 0);
      const elements = offsets[length] as number;
      const element = drawColumn(type.kind === "list" ? type.element : type.value, elements, draw, kinds);
      const keys = type.kind === "list" ? null : textColumn(mapKeyField(field), new Uint8Array(elements), draw);
      return { ...base, kind: "list", offsets, keys, element } as Column;
    }
    case "string":
    case "json":
    case "binary":
      return textColumn(field, state, draw);
    default: {
      const exact = BigInt64Array.from(each(longs, 0n));
      return { ...base, kind: "integer", exact, values: Float64Array.from(exact, Number) };
    }
  }
}

/** A batch of `rows` rows, a few of them not decoded. */
export function drawBatch(fields: readonly Field[], rows: number, draw: Draw, kinds: readonly (readonly number[])[] = anyKinds): Batch {
  const records = makeRecords(Array.from({ length: rows }, () => "{}"));
  const undecoded = Uint8Array.from({ length: rows }, () => (draw.nat(9) === 0 ? 1 : 0));
  return {
    records,
    rows,
    columns: fields.map((field) => drawColumn(field, rows, draw, kinds)),
    faults: [],
    undecoded,
    skipped: [],
    unknown: null,
  };
}
