import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { RulePlan, Violations } from "../../core/rule.ts";
import type { Arena, WasmExports } from "../../wasm/arena.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import type { ChunkKeys } from "../rule-family.ts";
import { writeKernels, type KernelPlaces } from "./write-kernels.ts";

/** What the kernels found in one chunk. The counts are by rule index, and zero for rules that they don't cover. */
export interface KernelFindings {
  /** Rows that a covered rule was applied to. */
  readonly checked: Float64Array;
  /** Rows that offend. */
  readonly failed: Float64Array;
  /** Of covered rules of scope `row` that some row offends against, in rule order. */
  readonly violations: readonly Violations[];
  /** Of rules that need their rows' keys only: by rule index, views until the next chunk. Their rows are counted in `checked`. */
  readonly keys: ReadonlyMap<number, ChunkKeys>;
  /** 1 for rows that were not decoded, or offend against a covered rule of scope `row` and severity `error`. */
  readonly rejected: Uint8Array;
}

/** A contract's rules as a module over one arena; `run` judges the chunk that stands in it. */
export interface RuleKernels {
  readonly layout: BatchLayout;
  /** Indexes of the rules that the kernels judge; the others are left to the reference. */
  readonly covered: ReadonlySet<number>;
  /** Indexes of the rules whose keys the kernels write: the rest of them is the reference's. */
  readonly keyed: ReadonlySet<number>;
  /** Also sets the violation bits of the layout, for covered rules of scope `row`. The findings are copies. */
  run(batch: Batch): KernelFindings;
}

class CompiledKernels implements RuleKernels {
  readonly layout: BatchLayout;
  readonly covered: ReadonlySet<number>;
  readonly keyed: ReadonlySet<number>;
  readonly #rules: number;
  readonly #rowRules: readonly number[];
  readonly #arena: Arena;
  readonly #places: KernelPlaces;
  readonly #exports: WasmExports;

  constructor(rules: readonly RulePlan[], layout: BatchLayout, arena: Arena, places: KernelPlaces, exports: WasmExports) {
    this.layout = layout;
    this.covered = new Set(places.covered);
    this.keyed = new Set(places.keys.map(({ rule }) => rule));
    this.#rules = rules.length;
    this.#rowRules = places.covered.filter((index) => (rules[index] as RulePlan).scope === "row");
    this.#arena = arena;
    this.#places = places;
    this.#exports = exports;
  }

  run(batch: Batch): KernelFindings {
    const { rows } = batch;
    if (batch.resident !== this.layout || rows > this.layout.rowsMax) throw new BrokenInvariant("the batch is not the kernels' chunk");
    const arena = this.#arena;
    const places = this.#places;
    arena.u8.set(batch.undecoded.length === rows ? batch.undecoded : batch.undecoded.subarray(0, rows), places.rejected);
    (this.#exports["run"] as (rows: number) => number)(rows);
    const checkedRows = arena.u32(places.checked, this.#rules);
    const failedRows = arena.u32(places.failed, this.#rules);
    const violations: Violations[] = [];
    let at = places.offenders;
    for (const rule of this.#rowRules) {
      const count = failedRows[rule] as number;
      if (count === 0) continue;
      violations.push({ rule, rows: arena.u32(at, count).slice() });
      at += count * 4;
    }
    return {
      checked: Float64Array.from(checkedRows),
      failed: Float64Array.from(failedRows),
      violations,
      keys: this.#keys(),
      rejected: arena.bytes(places.rejected, rows).slice(),
    };
  }

  #keys(): Map<number, ChunkKeys> {
    const arena = this.#arena;
    const keys = new Map<number, ChunkKeys>();
    for (const { rule, count, rows, ends, hashes, words } of this.#places.keys) {
      const found = arena.i32(count, 1)[0] as number;
      if (found < 0) continue;
      const size = found === 0 ? 0 : (arena.u32(ends, found)[found - 1] as number);
      keys.set(rule, {
        rows: arena.u32(rows, found),
        ends: arena.u32(ends, found),
        hashes: arena.i32(hashes, found),
        words: arena.u32(words, size),
      });
    }
    return keys;
  }
}

/** Compiles the kernels of a contract's rules for chunks of a layout; its module and constants take room in the arena. */
export function compileKernels(contract: Pick<Contract, "fields" | "rules">, layout: BatchLayout, arena: Arena): RuleKernels {
  const { bytes, places } = writeKernels(contract, layout, arena);
  return new CompiledKernels(contract.rules, layout, arena, places, arena.instantiate(bytes));
}
