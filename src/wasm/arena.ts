import { demand } from "../core/broken-invariant.ts";

const pageBytes = 65_536;

/** What a module exports: its functions by name. */
export type WasmExports = Readonly<Record<string, (...values: number[]) => number>>;

/**
 * One memory that several modules share, handed out from its start and never given back. Allocating may move nothing, but it detaches the
 * typed arrays made before: views are made when they are needed, after the last `allocate`.
 */
export class Arena {
  readonly memory = new WebAssembly.Memory({ initial: 1 });
  // Address 0 stands for "none".
  #end = 64;
  #u8 = new Uint8Array(this.memory.buffer);

  /** The address of `bytes` new zero bytes, a multiple of `align` (a power of two). */
  allocate(bytes: number, align = 16): number {
    const address = Math.ceil(this.#end / align) * align;
    demand(address + bytes < 2 ** 32 - pageBytes, "a memory holds at most 4 GiB");
    this.#end = address + bytes;
    const missing = this.#end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes));
    return address;
  }

  /** Bytes handed out so far. */
  get used(): number {
    return this.#end;
  }

  get u8(): Uint8Array<ArrayBuffer> {
    if (this.#u8.buffer !== this.memory.buffer) this.#u8 = new Uint8Array(this.memory.buffer);
    return this.#u8;
  }

  /** Views of `length` elements at an address. */
  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  u32(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  i32(address: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.memory.buffer, address, length);
  }

  i64(address: number, length: number): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.memory.buffer, address, length);
  }

  f64(address: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.memory.buffer, address, length);
  }

  /** Runs a module's start and data segments over this memory. Addresses in its data must have been allocated here. */
  instantiate(
    module: Uint8Array<ArrayBuffer> | WebAssembly.Module,
    imports: Readonly<Record<string, (...values: never[]) => number | void>> = {},
  ): WasmExports {
    const compiled = module instanceof WebAssembly.Module ? module : new WebAssembly.Module(module);
    const instance = new WebAssembly.Instance(compiled, { env: { ...imports, memory: this.memory } });
    return instance.exports as WasmExports;
  }
}
