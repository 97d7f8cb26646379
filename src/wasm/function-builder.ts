import { demand } from "../core/broken-invariant.ts";
import { apply, c32, memoryArgument, type Address, type Expr } from "./expression.ts";
import { unsignedLeb } from "./leb128.ts";
import { valueTypeBytes, type ValueType } from "./value-type.ts";

/** A parameter or variable of a function; as an expression it is its value. */
export interface Local extends Expr {
  readonly index: number;
}

/** A mutable variable of a module; as an expression it is its value. */
export interface Global extends Expr {
  readonly index: number;
}

/** A function of a module that others can call. */
export interface FunctionRef<P extends readonly ValueType[] = readonly ValueType[]> {
  readonly index: number;
  readonly params: P;
  readonly results: readonly ValueType[];
}

/** A place that a branch can go to: the start of a loop, or the end of a block. */
export interface Label {
  readonly depth: number;
}

const voidBlock = 0x40;

/** Writes one function's body: statements in order, structured as WebAssembly is. */
export class FunctionBuilder {
  readonly #params: readonly ValueType[];
  readonly #results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];
  #depth = 0;

  constructor(params: readonly ValueType[], results: readonly ValueType[]) {
    this.#params = params;
    this.#results = results;
  }

  #emit(bytes: readonly number[]): void {
    for (const byte of bytes) this.#code.push(byte);
  }

  /** Parameters are the first locals. */
  param(index: number): Local {
    return this.#local(index, this.#params[index] as ValueType);
  }

  /** A new variable, zero at first. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return this.#local(this.#params.length + this.#locals.length - 1, type);
  }

  #local(index: number, type: ValueType): Local {
    return { index, type, code: [0x20, ...unsignedLeb(index)] };
  }

  set(local: Local, value: Expr): void {
    demand(local.type === value.type, `a local of ${local.type} can't hold ${value.type}`);
    this.#emit(value.code);
    this.#emit([0x21, ...unsignedLeb(local.index)]);
  }

  /** Sets the local, and is its new value. */
  tee(local: Local, value: Expr): Expr {
    demand(local.type === value.type, `a local of ${local.type} can't hold ${value.type}`);
    return apply(local.type, [0x22, ...unsignedLeb(local.index)], value);
  }

  setGlobal(variable: Global, value: Expr): void {
    demand(variable.type === value.type, `a global of ${variable.type} can't hold ${value.type}`);
    this.#emit(value.code);
    this.#emit([0x24, ...unsignedLeb(variable.index)]);
  }

  #store(opcode: readonly number[], type: ValueType, address: Address, value: Expr, offset: number): void {
    demand(value.type === type, `a store of ${type} can't take ${value.type}`);
    const { base, argument } = memoryArgument(address, offset);
    this.#emit(base.code);
    this.#emit(value.code);
    this.#emit([...opcode, ...argument]);
  }

  store8(address: Address, value: Expr, offset = 0): void {
    this.#store([value.type === "i64" ? 0x3c : 0x3a], value.type, address, value, offset);
  }

  store16(address: Address, value: Expr, offset = 0): void {
    this.#store([value.type === "i64" ? 0x3d : 0x3b], value.type, address, value, offset);
  }

  store32(address: Address, value: Expr, offset = 0): void {
    this.#store([value.type === "i64" ? 0x3e : 0x36], value.type, address, value, offset);
  }

  store64(address: Address, value: Expr, offset = 0): void {
    this.#store([0x37], "i64", address, value, offset);
  }

  storeF32(address: Address, value: Expr, offset = 0): void {
    this.#store([0x38], "f32", address, value, offset);
  }

  storeF64(address: Address, value: Expr, offset = 0): void {
    this.#store([0x39], "f64", address, value, offset);
  }

  storeV128(address: Address, value: Expr, offset = 0): void {
    this.#store([0xfd, 0x0b], "v128", address, value, offset);
  }

  #nested(opening: readonly number[], body: (label: Label) => void): void {
    this.#emit(opening);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#emit([0x0b]);
  }

  if(condition: Expr, then: () => void, otherwise: (() => void) | null = null): void {
    demand(condition.type === "i32", "a condition is an i32");
    this.#emit(condition.code);
    this.#emit([0x04, voidBlock]);
    this.#depth++;
    then();
    if (otherwise !== null) {
      this.#emit([0x05]);
      otherwise();
    }
    this.#depth--;
    this.#emit([0x0b]);
  }

  /** A branch to its label goes to its start; reaching its end leaves it. */
  loop(body: (again: Label) => void): void {
    this.#nested([0x03, voidBlock], body);
  }

  /** A branch to its label goes behind its end. */
  block(body: (out: Label) => void): void {
    this.#nested([0x02, voidBlock], body);
  }

  br(label: Label): void {
    this.#emit([0x0c, ...unsignedLeb(this.#depth - label.depth)]);
  }

  brIf(label: Label, condition: Expr): void {
    demand(condition.type === "i32", "a condition is an i32");
    this.#emit(condition.code);
    this.#emit([0x0d, ...unsignedLeb(this.#depth - label.depth)]);
  }

  /** Runs the case with the index's number, or the default; none falls through to the next. */
  switch(index: Expr, cases: readonly (() => void)[], otherwise: () => void = () => {}): void {
    this.block((out) => {
      for (let i = 0; i <= cases.length; i++) this.#emit([0x02, voidBlock]);
      this.#depth += cases.length + 1;
      this.#emit(index.code);
      this.#emit([0x0e, ...unsignedLeb(cases.length)]);
      for (let i = 0; i <= cases.length; i++) this.#emit(unsignedLeb(i));
      for (const write of cases) {
        this.#depth--;
        this.#emit([0x0b]);
        write();
        this.br(out);
      }
      this.#depth--;
      this.#emit([0x0b]);
      otherwise();
    });
  }

  /** The call as an expression of the function's result; for one without result use `run`. */
  call(target: FunctionRef, ...given: readonly Expr[]): Expr {
    this.#checkCall(target, given);
    demand(target.results.length === 1, "a call in an expression has one result");
    return apply(target.results[0] as ValueType, [0x10, ...unsignedLeb(target.index)], ...given);
  }

  /** Calls a function and forgets its results. */
  run(target: FunctionRef, ...given: readonly Expr[]): void {
    this.#checkCall(target, given);
    for (const each of given) this.#emit(each.code);
    this.#emit([0x10, ...unsignedLeb(target.index)]);
    for (let i = 0; i < target.results.length; i++) this.#emit([0x1a]);
  }

  #checkCall(target: FunctionRef, given: readonly Expr[]): void {
    const types = given.map((each) => each.type).join();
    demand(types === target.params.join(), `a function of (${target.params.join()}) is called with (${types})`);
  }

  /** Computes a value and forgets it. */
  do(value: Expr): void {
    this.#emit(value.code);
    this.#emit([0x1a]);
  }

  return(value: Expr | null = null): void {
    if (value !== null) this.#emit(value.code);
    this.#emit([0x0f]);
  }

  /** A place that is never reached: it traps. */
  unreachable(): void {
    this.#emit([0x00]);
  }

  memoryCopy(to: Address, from: Address, length: Expr): void {
    this.#emit(memoryArgument(to, 0).base.code);
    this.#emit(memoryArgument(from, 0).base.code);
    this.#emit(length.code);
    this.#emit([0xfc, 0x0a, 0, 0]);
  }

  memoryFill(to: Address, byte: Expr | number, length: Expr): void {
    this.#emit(memoryArgument(to, 0).base.code);
    this.#emit((typeof byte === "number" ? c32(byte) : byte).code);
    this.#emit(length.code);
    this.#emit([0xfc, 0x0b, 0]);
  }

  /** The body as the code section holds it. A function with a result that runs off its end traps. */
  finish(): number[] {
    demand(this.#depth === 0, "a block was left open");
    const body = unsignedLeb(this.#locals.length);
    for (const type of this.#locals) body.push(1, valueTypeBytes[type]);
    for (const byte of this.#code) body.push(byte);
    if (this.#results.length > 0) body.push(0x00);
    body.push(0x0b);
    return body;
  }
}
