import { BrokenInvariant, demand } from "../core/broken-invariant.ts";
import type { Expr } from "./expression.ts";
import { cf64, c32, c64 } from "./expression.ts";
import { FunctionBuilder, type FunctionRef, type Global, type Local } from "./function-builder.ts";
import { unsignedLeb } from "./leb128.ts";
import { valueTypeBytes, type ValueType } from "./value-type.ts";

/** The parameters of a function as locals, one for each type. */
type LocalsOf<P extends readonly ValueType[]> = { readonly [K in keyof P]: Local };

interface Defined {
  readonly ref: FunctionRef;
  readonly type: number;
  readonly exported: string | null;
  body: number[] | null;
}

const encoder = new TextEncoder();
const name = (text: string): number[] => {
  const bytes = encoder.encode(text);
  return [...unsignedLeb(bytes.length), ...bytes];
};

/** Bytes that grow by doubling: modules reach megabytes, where spreading arrays would fail. */
class ByteList {
  #bytes = new Uint8Array(1024);
  length = 0;

  push(bytes: ArrayLike<number>): this {
    const end = this.length + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = end;
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }
}

/** Builds one module in WebAssembly's binary format (core specification, section 5.5). It imports its memory as `env.memory`. */
export class WasmModule {
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #imports: { readonly name: string; readonly type: number }[] = [];
  readonly #functions: Defined[] = [];
  readonly #globals: { readonly type: ValueType; readonly init: Expr }[] = [];
  readonly #segments: { readonly address: number; readonly bytes: Uint8Array }[] = [];

  #type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const list = (types: readonly ValueType[]): number[] => [...unsignedLeb(types.length), ...types.map((type) => valueTypeBytes[type])];
    this.#typeBytes.push([0x60, ...list(params), ...list(results)]);
    return this.#types.push(key) - 1;
  }

  /** A function of the host, imported as `env.<name>`; before any function of the module. */
  import(imported: string, params: readonly ValueType[], results: readonly ValueType[]): FunctionRef {
    demand(this.#functions.length === 0, "imports come before functions");
    const index = this.#imports.push({ name: imported, type: this.#type(params, results) }) - 1;
    return { index, params, results };
  }

  /** A function whose body comes later (`implement`), so that it can be called before. */
  declare<const P extends readonly ValueType[]>(params: P, results: readonly ValueType[], exported: string | null = null): FunctionRef<P> {
    const ref = { index: this.#imports.length + this.#functions.length, params, results };
    this.#functions.push({ ref, type: this.#type(params, results), exported, body: null });
    return ref;
  }

  implement<const P extends readonly ValueType[]>(ref: FunctionRef<P>, write: (f: FunctionBuilder, params: LocalsOf<P>) => void): void {
    const defined = this.#functions[ref.index - this.#imports.length];
    if (defined === undefined || defined.body !== null) throw new BrokenInvariant("a function is implemented once");
    const f = new FunctionBuilder(ref.params, ref.results);
    write(f, ref.params.map((_, i) => f.param(i)) as unknown as LocalsOf<P>);
    defined.body = f.finish();
  }

  /** A function, exported under its name unless that is null. */
  func<const P extends readonly ValueType[]>(
    exported: string | null,
    params: P,
    results: readonly ValueType[],
    write: (f: FunctionBuilder, params: LocalsOf<P>) => void,
  ): FunctionRef<P> {
    const ref = this.declare(params, results, exported);
    this.implement(ref, write);
    return ref;
  }

  /** A mutable variable of the instance. */
  global(type: "i32" | "i64" | "f64", value = 0): Global {
    const init = type === "i32" ? c32(value) : type === "i64" ? c64(value) : cf64(value);
    const index = this.#globals.push({ type, init }) - 1;
    return { index, type, code: [0x23, ...unsignedLeb(index)] };
  }

  /** Bytes that stand at an address once the module is instantiated. */
  data(address: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#segments.push({ address, bytes });
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteList().push([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, count: number, write: (into: ByteList) => void): void => {
      if (count === 0) return;
      const content = new ByteList().push(unsignedLeb(count));
      write(content);
      out.push([id]).push(unsignedLeb(content.length)).push(content.done());
    };
    section(1, this.#typeBytes.length, (into) => this.#typeBytes.forEach((type) => into.push(type)));
    section(2, this.#imports.length + 1, (into) => {
      for (const each of this.#imports) into.push([...name("env"), ...name(each.name), 0x00, ...unsignedLeb(each.type)]);
      into.push([...name("env"), ...name("memory"), 0x02, 0x00, 0x01]);
    });
    section(3, this.#functions.length, (into) => {
      for (const { type } of this.#functions) into.push(unsignedLeb(type));
    });
    section(6, this.#globals.length, (into) => {
      for (const { type, init } of this.#globals) into.push([valueTypeBytes[type], 0x01, ...init.code, 0x0b]);
    });
    const exported = this.#functions.filter((each) => each.exported !== null);
    section(7, exported.length, (into) => {
      for (const each of exported) into.push([...name(each.exported as string), 0x00, ...unsignedLeb(each.ref.index)]);
    });
    section(10, this.#functions.length, (into) => {
      for (const { body } of this.#functions) {
        if (body === null) throw new BrokenInvariant("a declared function has no body");
        into.push(unsignedLeb(body.length)).push(body);
      }
    });
    section(11, this.#segments.length, (into) => {
      for (const { address, bytes } of this.#segments)
        into.push([0x00, ...c32(address).code, 0x0b, ...unsignedLeb(bytes.length)]).push(bytes);
    });
    return out.done();
  }
}
