import type { Arena } from "../../wasm/arena.ts";
import { add, and, c32, eqz, load32, load8U, ltU, shl } from "../../wasm/expression.ts";
import type { FunctionRef, Global } from "../../wasm/function-builder.ts";
import { slackBytes } from "../../wasm/layout.ts";
import { WasmModule } from "../../wasm/module.ts";

/** What tables of patterns may take in all; the reference judges the others. */
const constantBytesMax = 16 << 20;

/** The module of a contract's kernels while it is written: constants, masks to work in, and the functions that several kernels call. */
export class KernelModule {
  readonly wasm = new WasmModule();
  /** The number of rows of the chunk at hand. */
  readonly rows: Global = this.wasm.global("i32");
  readonly rowsMax: number;
  readonly #arena: Arena;
  readonly #masks = new Map<number, { readonly addresses: number[]; used: number }>();
  #constantBytes = 0;
  readonly #shared = new Map<string, FunctionRef>();

  constructor(arena: Arena, rowsMax: number) {
    this.#arena = arena;
    this.rowsMax = rowsMax;
  }

  /** Room of its own, zero at first. */
  allocate(bytes: number): number {
    return this.#arena.allocate(bytes + slackBytes);
  }

  /** Whether a large constant is worth its room: all of a module's together are bounded. */
  affords(bytes: number): boolean {
    return this.#constantBytes + bytes <= constantBytesMax;
  }

  /** The address of constant bytes; 64 more can be read behind them. */
  constant(bytes: Uint8Array): number {
    this.#constantBytes += bytes.length;
    const address = this.allocate(bytes.length);
    this.wasm.data(address, bytes);
    return address;
  }

  /** A mask of a byte a cell, to be overwritten by the next kernel. */
  workMask(cells: number): number {
    const pool = this.#masks.get(cells) ?? { addresses: [], used: 0 };
    this.#masks.set(cells, pool);
    const address = pool.addresses[pool.used] ?? this.allocate(cells);
    pool.addresses[pool.used++] = address;
    return address;
  }

  /** Begins another kernel: what the one before worked in is free. */
  nextKernel(): void {
    for (const pool of this.#masks.values()) pool.used = 0;
  }

  /** A function that is written once, when first asked for. */
  shared(name: string, write: () => FunctionRef): FunctionRef {
    const ref = this.#shared.get(name) ?? write();
    this.#shared.set(name, ref);
    return ref;
  }

  /** (offsets, rows, cells' mask, rows' mask): a row is set where any of its cells is. */
  get fold(): FunctionRef {
    return this.shared("fold", () =>
      this.wasm.func(null, ["i32", "i32", "i32", "i32"], [], (f, [offsets, rows, from, to]) => {
        const row = f.local("i32");
        const cell = f.local("i32");
        const end = f.local("i32");
        const any = f.local("i32");
        f.set(cell, load32(offsets));
        f.block((done) => {
          f.loop((next) => {
            f.brIf(done, eqz(ltU(row, rows)));
            f.set(end, load32(add(offsets, shl(row, c32(2))), 4));
            f.set(any, c32(0));
            f.loop((more) => {
              f.if(and(ltU(cell, end), eqz(any)), () => {
                f.set(any, load8U(add(from, cell)));
                f.set(cell, add(cell, c32(1)));
                f.br(more);
              });
            });
            f.set(cell, end);
            f.store8(add(to, row), any);
            f.set(row, add(row, c32(1)));
            f.br(next);
          });
        });
      }),
    );
  }
}
