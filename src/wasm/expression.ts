import { demand } from "../core/broken-invariant.ts";
import { signedLeb, unsignedLeb } from "./leb128.ts";
import type { ValueType } from "./value-type.ts";

/** A value that code computes: its type, and the instructions that leave it on the stack (WebAssembly core specification, section 5.4). */
export interface Expr {
  readonly type: ValueType;
  readonly code: readonly number[];
}

/** An instruction of some arguments, all of which have been pushed in order. */
export function apply(type: ValueType, opcode: readonly number[], ...operands: readonly Expr[]): Expr {
  const code: number[] = [];
  for (const operand of operands) for (const byte of operand.code) code.push(byte);
  for (const byte of opcode) code.push(byte);
  return { type, code };
}

/** An i32 constant, from a signed or unsigned number. */
export function c32(value: number): Expr {
  return { type: "i32", code: [0x41, ...signedLeb(BigInt(value | 0))] };
}

/** An i64 constant, from a signed or unsigned number. */
export function c64(value: bigint | number): Expr {
  return { type: "i64", code: [0x42, ...signedLeb(BigInt.asIntN(64, BigInt(value)))] };
}

/** An f64 constant. */
export function cf64(value: number): Expr {
  return { type: "f64", code: [0x44, ...new Uint8Array(new Float64Array([value]).buffer)] };
}

/** A v128 constant from its 16 bytes. */
export function c128(bytes: ArrayLike<number>): Expr {
  demand(bytes.length === 16, "a v128 has 16 bytes");
  return { type: "v128", code: [0xfd, 0x0c, ...Array.from(bytes)] };
}

type Scalar = "i32" | "i64" | "f64";
type Opcodes = Readonly<Partial<Record<ValueType, number>>>;

function opcodeOf(name: string, opcodes: Opcodes, type: ValueType): number {
  const opcode = opcodes[type];
  demand(opcode !== undefined, `there is no ${type}.${name}`);
  return opcode;
}

function same(name: string, a: Expr, b: Expr): void {
  demand(a.type === b.type, `${name} of ${a.type} and ${b.type}`);
}

const binary =
  (name: string, opcodes: Readonly<Partial<Record<Scalar, number>>>) =>
  (a: Expr, b: Expr): Expr => {
    same(name, a, b);
    return apply(a.type, [opcodeOf(name, opcodes, a.type)], a, b);
  };

const comparison =
  (name: string, opcodes: Readonly<Partial<Record<Scalar, number>>>) =>
  (a: Expr, b: Expr): Expr => {
    same(name, a, b);
    return apply("i32", [opcodeOf(name, opcodes, a.type)], a, b);
  };

const unary =
  (name: string, opcodes: Readonly<Partial<Record<Scalar, number>>>) =>
  (a: Expr): Expr =>
    apply(a.type, [opcodeOf(name, opcodes, a.type)], a);

export const add = binary("add", { i32: 0x6a, i64: 0x7c, f64: 0xa0 });
export const sub = binary("sub", { i32: 0x6b, i64: 0x7d, f64: 0xa1 });
export const mul = binary("mul", { i32: 0x6c, i64: 0x7e, f64: 0xa2 });
export const div = binary("div", { f64: 0xa3 });
export const divS = binary("div_s", { i32: 0x6d, i64: 0x7f });
export const divU = binary("div_u", { i32: 0x6e, i64: 0x80 });
export const remS = binary("rem_s", { i32: 0x6f, i64: 0x81 });
export const remU = binary("rem_u", { i32: 0x70, i64: 0x82 });
export const and = binary("and", { i32: 0x71, i64: 0x83 });
export const or = binary("or", { i32: 0x72, i64: 0x84 });
export const xor = binary("xor", { i32: 0x73, i64: 0x85 });
export const shl = binary("shl", { i32: 0x74, i64: 0x86 });
export const shrS = binary("shr_s", { i32: 0x75, i64: 0x87 });
export const shrU = binary("shr_u", { i32: 0x76, i64: 0x88 });
export const rotl = binary("rotl", { i32: 0x77, i64: 0x89 });

export const eq = comparison("eq", { i32: 0x46, i64: 0x51, f64: 0x61 });
export const ne = comparison("ne", { i32: 0x47, i64: 0x52, f64: 0x62 });
export const ltS = comparison("lt_s", { i32: 0x48, i64: 0x53 });
export const ltU = comparison("lt_u", { i32: 0x49, i64: 0x54 });
export const gtS = comparison("gt_s", { i32: 0x4a, i64: 0x55 });
export const gtU = comparison("gt_u", { i32: 0x4b, i64: 0x56 });
export const leS = comparison("le_s", { i32: 0x4c, i64: 0x57 });
export const leU = comparison("le_u", { i32: 0x4d, i64: 0x58 });
export const geS = comparison("ge_s", { i32: 0x4e, i64: 0x59 });
export const geU = comparison("ge_u", { i32: 0x4f, i64: 0x5a });
export const lt = comparison("lt", { f64: 0x63 });
export const gt = comparison("gt", { f64: 0x64 });
export const ge = comparison("ge", { f64: 0x66 });

export const clz = unary("clz", { i32: 0x67, i64: 0x79 });
export const ctz = unary("ctz", { i32: 0x68, i64: 0x7a });
export const popcnt = unary("popcnt", { i32: 0x69, i64: 0x7b });
export const abs = unary("abs", { f64: 0x99 });

/** 1 where the operand is zero. */
export const eqz = (a: Expr): Expr => apply("i32", [opcodeOf("eqz", { i32: 0x45, i64: 0x50 }, a.type)], a);

/** `a` where the condition is not zero, else `b`; both are computed. */
export function select(condition: Expr, a: Expr, b: Expr): Expr {
  same("select", a, b);
  // Vectors need the typed form.
  return a.type === "v128" ? apply("v128", [0x1c, 1, 0x7b], a, b, condition) : apply(a.type, [0x1b], a, b, condition);
}

const conversion =
  (name: string, to: ValueType, opcodes: Readonly<Partial<Record<ValueType, readonly number[]>>>) =>
  (a: Expr): Expr => {
    const opcode = opcodes[a.type];
    demand(opcode !== undefined, `there is no ${to}.${name} of ${a.type}`);
    return apply(to, opcode, a);
  };

/** i64 to i32, by its low 32 bits. */
export const wrap = conversion("wrap", "i32", { i64: [0xa7] });
/** i32 to i64. */
export const extendS = conversion("extend_s", "i64", { i32: [0xac] });
export const extendU = conversion("extend_u", "i64", { i32: [0xad] });
export const toF64S = conversion("convert_s", "f64", { i32: [0xb7], i64: [0xb9] });
export const toF64U = conversion("convert_u", "f64", { i32: [0xb8], i64: [0xba] });
/** The bits of an f64 as an i64. */
export const reinterpretI64 = conversion("reinterpret", "i64", { f64: [0xbd] });
/** The f64 of an i64's bits. */
export const reinterpretF64 = conversion("reinterpret", "f64", { i64: [0xbf] });
export const reinterpretI32 = conversion("reinterpret", "i32", { f32: [0xbc] });
export const promote = conversion("promote", "f64", { f32: [0xbb] });
export const demote = conversion("demote", "f32", { f64: [0xb6] });
export const extend32S = (a: Expr): Expr => apply("i64", [0xc4], a);

/** An address in memory: an i32 expression, or a constant. */
export type Address = Expr | number;

const addressOf = (address: Address): Expr => (typeof address === "number" ? c32(address) : address);

/** An address and a byte offset as an instruction takes them: a constant address is folded into the offset. */
export function memoryArgument(address: Address, offset: number): { readonly base: Expr; readonly argument: readonly number[] } {
  const base = addressOf(address);
  demand(base.type === "i32", "an address is an i32");
  // No alignment is promised.
  return { base, argument: [0, ...unsignedLeb(offset)] };
}

const loading =
  (type: ValueType, opcode: readonly number[]) =>
  (address: Address, offset = 0): Expr => {
    const { base, argument } = memoryArgument(address, offset);
    return apply(type, [...opcode, ...argument], base);
  };

export const load8U = loading("i32", [0x2d]);
export const load8S = loading("i32", [0x2c]);
export const load16U = loading("i32", [0x2f]);
export const load32 = loading("i32", [0x28]);
export const load64 = loading("i64", [0x29]);
export const load8UTo64 = loading("i64", [0x31]);
export const load32UTo64 = loading("i64", [0x35]);
export const load32STo64 = loading("i64", [0x34]);
export const loadF32 = loading("f32", [0x2a]);
export const loadF64 = loading("f64", [0x2b]);
export const loadV128 = loading("v128", [0xfd, 0x00]);
