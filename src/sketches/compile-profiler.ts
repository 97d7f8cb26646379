import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { Field } from "../core/schema.ts";
import type { Arena, WasmExports } from "../wasm/arena.ts";
import type { BatchLayout, ColumnLayout } from "../wasm/layout.ts";
import { slackBytes } from "../wasm/layout.ts";
import { ColumnState, wholeShape } from "./column-state.ts";
import { isWideDecimal } from "./counted-numbers.ts";
import { HashForm } from "./kernels/number-code.ts";
import { profileModule, workBytes } from "./kernels/profile-module.ts";
import { TextForm } from "./kernels/text-code.ts";
import type { LeafColumn } from "./leaf-columns.ts";
import { leafFields, visitLeaves } from "./leaf-columns.ts";
import type { LeafState } from "./leaf-state.ts";
import { addLeaf, shapeFor } from "./leaf-state.ts";
import { finishProfile } from "./profiler.ts";
import { foldSamples } from "./sampler.ts";
import { startStreaming, unitOf } from "./streaming.ts";
import type { ColumnWatch, WatchTools } from "./watched/column-watch.ts";
import { watchColumns } from "./watched/column-watch.ts";
import type { WindowProfiler } from "./window-profiler.ts";

/**
 * The profiler of chunks that live in an arena, as WebAssembly: its profiles are those of `referenceProfiler` to the last bit, if both are given the
 * same rows in the same chunks. Batches from elsewhere go the reference's way into the same states.
 */
export function compileProfiler(
  contract: Contract,
  layout: BatchLayout,
  arena: Arena,
  watchTools: WatchTools | null = null,
): WindowProfiler {
  return new CompiledProfiler(contract, layout, arena, watchTools);
}

class CompiledProfiler implements WindowProfiler {
  readonly #layout: BatchLayout;
  readonly #arena: Arena;
  readonly #fields: readonly Field[];
  readonly #states: ReadonlyMap<string, LeafState>;
  readonly #kernels: WasmExports;
  /** Rows that were given outside the arena. */
  readonly #rows: number;
  /** Element rows of lists, one run a level of nesting. */
  readonly #elementRows: readonly number[];
  readonly #scratch: number;
  readonly #watch: ColumnWatch | null;
  #rowCount = 0;

  constructor(contract: Contract, layout: BatchLayout, arena: Arena, watchTools: WatchTools | null) {
    this.#layout = layout;
    this.#watch = watchColumns(contract, watchTools);
    this.#arena = arena;
    this.#fields = leafFields(contract.fields);
    const addresses = this.#fields.map((field) => arena.allocate(shapeFor(field).bytes + slackBytes));
    const work = arena.allocate(workBytes);
    this.#rows = arena.allocate(layout.rowsMax * 4);
    const capacities = listCapacities(layout.columns);
    this.#elementRows = capacities.map((capacity) => arena.allocate(capacity * 4));
    this.#scratch = arena.allocate(Math.max(layout.rowsMax, ...capacities) * 8);
    const byAddress = new Map<number, LeafState>();
    this.#states = new Map(
      this.#fields.map((field, i) => {
        const address = addresses[i] as number;
        const leaf = { field, state: new ColumnState(shapeFor(field), arena.memory.buffer, address) };
        byAddress.set(address, leaf);
        return [field.path, leaf];
      }),
    );
    const stateAt = (address: number): LeafState => byAddress.get(address) as LeafState;
    this.#kernels = arena.instantiate(profileModule(), {
      start: (address: number) => startStreaming(stateAt(address).state, stateAt(address).field),
      fold: (address: number) => foldSamples(stateAt(address).state),
    });
    this.#kernel("setWork", work);
  }

  #kernel(name: string, ...values: number[]): number {
    return (this.#kernels[name] as (...given: number[]) => number)(...values);
  }

  #attach(): void {
    for (const { state } of this.#states.values()) state.attach(this.#arena.memory.buffer);
  }

  reset(): void {
    this.#attach();
    this.#rowCount = 0;
    for (const { state } of this.#states.values()) state.reset();
    this.#watch?.reset();
  }

  add(batch: Batch, rows: Uint32Array): void {
    this.#attach();
    this.#rowCount += rows.length;
    this.#watch?.add(batch, rows);
    if (batch.resident !== this.#layout) {
      for (const column of batch.columns) visitLeaves(column, rows, (leaf, own) => this.#addLeaf(leaf, own));
      return;
    }
    const from = this.#rowsIn(rows);
    for (const column of this.#layout.columns) this.#addColumn(column, from, from + 4 * rows.length, 0);
  }

  #addLeaf(leaf: LeafColumn, rows: Uint32Array): void {
    const found = this.#states.get(leaf.field.path);
    if (found !== undefined) addLeaf(found, leaf, rows);
  }

  /** The address of row numbers in the arena. */
  #rowsIn(rows: Uint32Array): number {
    if (rows.buffer === this.#arena.memory.buffer) return rows.byteOffset;
    this.#arena.u32(this.#rows, rows.length).set(rows);
    return this.#rows;
  }

  /** Adds the rows whose numbers stand from `rows` to `end`; `depth` lists are around the column. */
  #addColumn(column: ColumnLayout, rows: number, end: number, depth: number): void {
    if (column.kind === "struct") {
      for (const child of column.children) this.#addColumn(child, rows, end, depth);
    } else if (column.kind === "list") {
      const out = this.#elementRows[depth] as number;
      const count = this.#kernel("elementRows", column.state, column.offsets, rows, end, out);
      this.#addColumn(column.element as ColumnLayout, out, out + 4 * count, depth + 1);
    } else {
      const leaf = this.#states.get(column.field.path);
      if (leaf === undefined) return;
      this.#addValues(column, leaf.state.address, rows, end);
    }
  }

  #addValues(column: ColumnLayout, state: number, rows: number, end: number): void {
    const { field, state: cells, values } = column;
    const scratch = this.#scratch;
    const { factor, divisor } = unitOf(field);
    switch (column.kind) {
      case "boolean":
        this.#kernel("addBooleans", state, cells, values, rows, end, hashForm(field), values, factor, divisor, scratch);
        return;
      case "float":
        this.#kernel("addDoubles", state, cells, values, rows, end, hashForm(field), values, factor, divisor, scratch);
        return;
      case "integer":
        this.#kernel("addLongs", state, cells, column.exact, rows, end, hashForm(field), values, factor, divisor, scratch);
        return;
      case "decimal":
        if (isWideDecimal(field)) this.#kernel("addWide", state, cells, column.unscaled, rows, end, values, scratch);
        else this.#kernel("addDecimals", state, cells, column.unscaled, rows, end, hashForm(field), values, factor, divisor, scratch);
        return;
      default:
        this.#kernel("addTexts", state, cells, column.starts, column.lengths, rows, end, textForm(field), scratch);
    }
  }

  finish(): ReturnType<WindowProfiler["finish"]> {
    this.#attach();
    for (const { field, state } of this.#states.values()) {
      if (state.shape === wholeShape) this.#kernel("settleDense", state.address, hashForm(field));
    }
    const profile = finishProfile(this.#fields, this.#states, this.#rowCount);
    return this.#watch === null ? profile : this.#watch.complete(profile);
  }
}

function hashForm(field: Field): number {
  switch (field.type.kind) {
    case "int":
    case "date":
      return HashForm.int;
    case "float":
      return HashForm.float;
    case "boolean":
      return HashForm.boolean;
    case "decimal":
      return HashForm.decimal;
    default:
      return HashForm.long;
  }
}

function textForm(field: Field): number {
  const { kind } = field.type;
  return kind === "binary" || kind === "uuid" ? TextForm.binary : kind === "json" ? TextForm.json : TextForm.string;
}

/** The most elements of a list at each level of nesting. */
function listCapacities(columns: readonly ColumnLayout[]): number[] {
  const capacities: number[] = [];
  const walk = (column: ColumnLayout, depth: number): void => {
    for (const child of column.children) walk(child, depth);
    if (column.element === null) return;
    capacities[depth] = Math.max(capacities[depth] ?? 0, column.element.capacity);
    walk(column.element, depth + 1);
  };
  for (const column of columns) walk(column, 0);
  return capacities;
}
