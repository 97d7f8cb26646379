import { demand } from "../core/broken-invariant.ts";
import { apply, type Expr } from "./expression.ts";
import { unsignedLeb } from "./leb128.ts";
import type { ValueType } from "./value-type.ts";

const code = (opcode: number): readonly number[] => [0xfd, ...unsignedLeb(opcode)];
const two =
  (opcode: number) =>
  (a: Expr, b: Expr): Expr =>
    apply("v128", code(opcode), a, b);
const one =
  (opcode: number) =>
  (a: Expr): Expr =>
    apply("v128", code(opcode), a);
const reduced =
  (opcode: number) =>
  (a: Expr): Expr =>
    apply("i32", code(opcode), a);
/** Shifts take an i32 count for all lanes. */
const shift = two;
const lane =
  (type: ValueType, opcode: number) =>
  (a: Expr, index: number): Expr =>
    apply(type, [...code(opcode), index], a);
const replaced =
  (opcode: number) =>
  (a: Expr, index: number, value: Expr): Expr =>
    apply("v128", [...code(opcode), index], a, value);

/** All lanes equal to one value. */
export const splat8 = one(0x0f);
export const splat32 = one(0x11);
export const splat64 = one(0x12);
export const splatF64 = one(0x14);

/** Instructions on 128-bit vectors (core specification, section 5.4.9), by lane shape; comparisons give lanes of all ones or all zeros. */
export const simd = {
  and: two(0x4e),
  andnot: two(0x4f),
  or: two(0x50),
  xor: two(0x51),
  not: one(0x4d),
  /** Bits of `a` where the mask has ones, else of `b`. */
  bitselect: (a: Expr, b: Expr, mask: Expr): Expr => apply("v128", code(0x52), a, b, mask),
  anyTrue: reduced(0x53),
  swizzle: two(0x0e),
  /** Lane i of the result is byte `lanes[i]` of the 32 bytes of `a` and `b`. */
  shuffle: (a: Expr, b: Expr, lanes: readonly number[]): Expr => {
    demand(lanes.length === 16, "a shuffle names 16 lanes");
    return apply("v128", [...code(0x0d), ...lanes], a, b);
  },
} as const;

export const i8x16 = {
  eq: two(0x23),
  ne: two(0x24),
  ltS: two(0x25),
  ltU: two(0x26),
  gtS: two(0x27),
  gtU: two(0x28),
  leU: two(0x2a),
  geS: two(0x2b),
  geU: two(0x2c),
  /** The 16-bit lanes of both, cut to signed bytes. */
  narrowS: two(0x65),
  add: two(0x6e),
  sub: two(0x71),
  addSatU: two(0x70),
  subSatU: two(0x73),
  minU: two(0x77),
  maxU: two(0x79),
  shl: shift(0x6b),
  shrU: shift(0x6d),
  popcnt: one(0x62),
  /** The top bit of each lane, as 16 bits. */
  bitmask: reduced(0x64),
  allTrue: reduced(0x63),
  extractU: lane("i32", 0x16),
  replace: replaced(0x17),
} as const;

export const i16x8 = {
  eq: two(0x2d),
  /** The 32-bit lanes of both, cut to signed 16 bits. */
  narrowS: two(0x85),
  add: two(0x8e),
  sub: two(0x91),
  mul: two(0x95),
  shl: shift(0x8b),
  shrU: shift(0x8d),
  /** Sums of neighbouring unsigned bytes. */
  addPairsU8: one(0x7d),
  bitmask: reduced(0x84),
  extractU: lane("i32", 0x19),
} as const;

export const i32x4 = {
  eq: two(0x37),
  ne: two(0x38),
  ltS: two(0x39),
  ltU: two(0x3a),
  gtS: two(0x3b),
  gtU: two(0x3c),
  add: two(0xae),
  sub: two(0xb1),
  mul: two(0xb5),
  minS: two(0xb6),
  minU: two(0xb7),
  maxS: two(0xb8),
  maxU: two(0xb9),
  shl: shift(0xab),
  shrU: shift(0xad),
  /** Products of neighbouring signed 16-bit lanes, summed to 32 bits. */
  dot16: two(0xba),
  /** Sums of neighbouring unsigned 16-bit lanes. */
  addPairsU16: one(0x7f),
  bitmask: reduced(0xa4),
  extract: lane("i32", 0x1b),
  replace: replaced(0x1c),
} as const;

export const i64x2 = {
  eq: two(0xd6),
  ne: two(0xd7),
  ltS: two(0xd8),
  gtS: two(0xd9),
  leS: two(0xda),
  geS: two(0xdb),
  add: two(0xce),
  sub: two(0xd1),
  mul: two(0xd5),
  shl: shift(0xcb),
  shrS: shift(0xcc),
  shrU: shift(0xcd),
  bitmask: reduced(0xc4),
  extract: lane("i64", 0x1d),
  replace: replaced(0x1e),
} as const;

export const f64x2 = {
  eq: two(0x47),
  ne: two(0x48),
  lt: two(0x49),
  gt: two(0x4a),
  le: two(0x4b),
  ge: two(0x4c),
  add: two(0xf0),
  sub: two(0xf1),
  mul: two(0xf2),
  div: two(0xf3),
  min: two(0xf4),
  max: two(0xf5),
  /** `b` where b < a, else `a`. */
  pmin: two(0xf6),
  pmax: two(0xf7),
  abs: one(0xec),
  neg: one(0xed),
  fromI32: one(0xfe),
  extract: lane("f64", 0x21),
  replace: replaced(0x22),
} as const;
