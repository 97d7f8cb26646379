import { demand } from "../../core/broken-invariant.ts";
import type { Contract } from "../../core/contract.ts";
import type { Condition, RulePlan } from "../../core/rule.ts";
import type { Arena } from "../../wasm/arena.ts";
import { add, and, c128, c32, ctz, load32, loadV128, ltU, mul, or, popcnt, select, shrU, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global } from "../../wasm/function-builder.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { i8x16, simd, splat8 } from "../../wasm/simd.ts";
import { resolvePath } from "../column-path.ts";
import type { CheckOf } from "../rule-family.ts";
import { conditionRows } from "./condition-rows.ts";
import { KernelModule } from "./kernel-module.ts";
import { locateLayout } from "./located-layout.ts";
import { eachBlock, maskAt, type Mask } from "./mask.ts";
import { writeKeys, type KeyPlaces } from "./row-keys.ts";
import { offenderRows } from "./offender-rows.ts";

/** Where the kernels' findings stand in the arena. */
export interface KernelPlaces {
  /** Indexes of the rules that have a kernel, ascending. */
  readonly covered: readonly number[];
  /** u32 by rule index. */
  readonly checked: number;
  readonly failed: number;
  /** A byte a row; it says which rows were not decoded before the kernels run. */
  readonly rejected: number;
  /** Rules whose rows' keys the module writes. */
  readonly keys: readonly KeyPlaces[];
  /** u32: the offending rows of the covered rules of scope `row`, rule after rule. */
  readonly offenders: number;
}

/** Rows that a `where` leaves, as a mask, and their number. */
interface Applying {
  readonly mask: number;
  readonly count: Global;
}

class KernelWriter {
  readonly #contract: Pick<Contract, "fields" | "rules">;
  readonly #layout: BatchLayout;
  readonly #kernels: KernelModule;
  readonly #places: KernelPlaces & { readonly covered: number[]; readonly keys: KeyPlaces[] };
  /** The end of the offenders written so far. */
  readonly #cursor: Global;
  readonly #applying = new Map<string, Applying | null>();
  readonly #steps: FunctionRef[] = [];
  readonly #found: FunctionRef;

  constructor(contract: Pick<Contract, "fields" | "rules">, layout: BatchLayout, arena: Arena) {
    this.#contract = contract;
    this.#layout = layout;
    this.#kernels = new KernelModule(arena, layout.rowsMax);
    const { rules } = contract;
    const rowRules = rules.filter(({ scope }) => scope === "row").length;
    this.#places = {
      covered: [],
      keys: [],
      checked: this.#kernels.allocate(rules.length * 4),
      failed: this.#kernels.allocate(rules.length * 4),
      rejected: this.#kernels.allocate(layout.rowsMax),
      offenders: this.#kernels.allocate(rowRules * layout.rowsMax * 4),
    };
    this.#cursor = this.#kernels.wasm.global("i32");
    this.#found = this.#writeFound();
  }

  /** (first row, bits of 16 rows, address of their rule's violation word in the first row, its bit, 1 where it rejects). */
  #writeFound(): FunctionRef {
    const { wasm } = this.#kernels;
    const wordBytes = this.#layout.violationWords * 4;
    return wasm.func(null, ["i32", "i32", "i32", "i32", "i32"], [], (f, [first, bits, word, bit, rejects]) => {
      const row = f.local("i32");
      const at = f.local("i32");
      f.loop((again) => {
        f.set(row, add(first, ctz(bits)));
        f.store32(this.#cursor, row);
        f.setGlobal(this.#cursor, add(this.#cursor, c32(4)));
        f.set(at, add(word, mul(row, c32(wordBytes))));
        f.store32(at, or(load32(at), bit));
        f.if(rejects, () => f.store8(row, c32(1), this.#places.rejected));
        f.set(bits, and(bits, sub(bits, c32(1))));
        f.brIf(again, bits);
      });
    });
  }

  #step(write: (f: FunctionBuilder) => void): void {
    this.#kernels.nextKernel();
    this.#steps.push(this.#kernels.wasm.func(null, [], [], (f) => write(f)));
  }

  /** The rows that were decoded, and those of them that a condition is true for. */
  #writeApplying(condition: Condition | null, plan: RulePlan): Applying | null {
    const { rows } = this.#kernels;
    const applying: Applying = { mask: this.#kernels.allocate(this.#layout.rowsMax), count: this.#kernels.wasm.global("i32") };
    let wanted: Mask;
    if (condition === null) {
      const lanes = c128(Uint8Array.from({ length: 16 }, (_, lane) => lane));
      wanted = {
        prepare: () => {},
        lanes: ({ cell }) => {
          const left = sub(rows, cell);
          // Lanes behind the last row count for nothing, here and in every kernel after it.
          const inside = i8x16.ltU(lanes, splat8(select(ltU(left, c32(16)), left, c32(16))));
          return simd.and(inside, i8x16.eq(loadV128(cell, this.#places.rejected), splat8(c32(0))));
        },
      };
    } else {
      const holds = conditionRows(this.#kernels, condition, (path) => {
        const located = locateLayout(this.#layout, resolvePath(this.#contract.fields, path, plan));
        return located.lists.length > 0 ? null : located;
      });
      const decoded = this.#applyingOf(null, plan);
      if (holds === null || decoded === null) return null;
      wanted = {
        prepare: (f) => holds.prepare(f),
        lanes: (block) => simd.and(holds.lanes(block), maskAt(decoded.mask).lanes(block)),
      };
    }
    this.#step((f) => {
      f.setGlobal(applying.count, c32(0));
      wanted.prepare(f);
      eachBlock(f, rows, (block) => {
        const mask = f.local("v128");
        f.set(mask, wanted.lanes(block));
        f.storeV128(block.cell, mask, applying.mask);
        f.setGlobal(applying.count, add(applying.count, popcnt(i8x16.bitmask(mask))));
      });
    });
    return applying;
  }

  #applyingOf(condition: Condition | null, plan: RulePlan): Applying | null {
    const key = JSON.stringify(condition);
    let applying = this.#applying.get(key);
    if (applying === undefined) {
      this.#kernels.nextKernel();
      applying = this.#writeApplying(condition, plan);
      this.#applying.set(key, applying);
    }
    return applying;
  }

  /** What becomes of 16 rows' offenders: their number, or each of them. */
  #writeFindings(f: FunctionBuilder, plan: RulePlan, first: Expr, bits: Expr, count: (more: Expr) => void): void {
    if (plan.scope === "window") return count(popcnt(bits));
    const word = this.#layout.violations + (plan.index >> 5) * 4;
    f.run(this.#found, first, bits, c32(word), c32(1 << (plan.index & 31)), c32(plan.severity === "error" ? 1 : 0));
  }

  #writeRule(plan: RulePlan): void {
    const applying = this.#applyingOf(plan.where, plan);
    if (applying === null) return;
    this.#kernels.nextKernel();
    if (plan.check.family === "duplicate") return this.#writeKeyRule(plan, plan.check, applying);
    const offenders = offenderRows({ kernels: this.#kernels, fields: this.#contract.fields, layout: this.#layout }, plan);
    if (offenders === null) return;
    this.#places.covered.push(plan.index);
    const { checked, failed } = this.#places;
    this.#steps.push(
      this.#kernels.wasm.func(null, [], [], (f) => {
        const before = f.local("i32");
        const bits = f.local("i32");
        const count = f.local("i32");
        f.store32(checked + plan.index * 4, applying.count);
        f.set(before, this.#cursor);
        offenders.prepare(f);
        eachBlock(f, this.#kernels.rows, (block) => {
          const mask = simd.and(offenders.lanes(block), loadV128(block.cell, applying.mask));
          f.set(bits, i8x16.bitmask(mask));
          f.if(bits, () => this.#writeFindings(f, plan, block.cell, bits, (more) => f.set(count, add(count, more))));
        });
        const found: Expr = plan.scope === "window" ? count : shrU(sub(this.#cursor, before), c32(2));
        f.store32(failed + plan.index * 4, found);
      }),
    );
  }

  #writeKeyRule(plan: RulePlan, check: CheckOf<"duplicate">, applying: Applying): void {
    // With a horizon it is not judged here.
    if ((check.horizon ?? null) !== null) return;
    const located = check.columns.map((path) => locateLayout(this.#layout, resolvePath(this.#contract.fields, path, plan)));
    const keys = writeKeys(this.#kernels, plan.index, located, applying.mask);
    if (keys === null) return;
    this.#places.keys.push(keys.places);
    this.#steps.push(
      this.#kernels.wasm.func(null, [], [], (f) => {
        f.store32(this.#places.checked + plan.index * 4, applying.count);
        keys.write(f);
      }),
    );
  }

  write(): { readonly bytes: Uint8Array<ArrayBuffer>; readonly places: KernelPlaces } {
    const { rules } = this.#contract;
    demand(rules.length <= this.#layout.violationWords * 32, "the layout has fewer violation bits than there are rules");
    for (const plan of rules) this.#writeRule(plan);
    const { wasm, rows } = this.#kernels;
    wasm.func("run", ["i32"], [], (f, [count]) => {
      f.setGlobal(rows, count);
      f.setGlobal(this.#cursor, c32(this.#places.offenders));
      f.memoryFill(this.#layout.violations, 0, mul(count, c32(this.#layout.violationWords * 4)));
      for (const step of this.#steps) f.run(step);
    });
    return { bytes: wasm.finish(), places: this.#places };
  }
}

/** Writes the module of a contract's kernels, and says where its findings will be. */
export function writeKernels(
  contract: Pick<Contract, "fields" | "rules">,
  layout: BatchLayout,
  arena: Arena,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly places: KernelPlaces } {
  return new KernelWriter(contract, layout, arena).write();
}
