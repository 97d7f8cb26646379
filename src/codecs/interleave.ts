import { Cell, type BytesColumn, type Column, type InvalidCells, type ListColumn, type StructColumn } from "../core/column.ts";

/** Where each row of the result comes from: column `source[row]` of the parts, at the same row; `noSource`: from none, so that the cell is missing. */
export type RowSources = Uint16Array;
export const noSource = 0xffff;

/**
 * One column out of several of the same field, row by row, with values of its own. Invalid cells keep their source text: `texts[i]` is the slab of
 * `parts[i]`, and the result's index one slab, which `gather` answers positions in.
 */
export function interleave(parts: readonly Column[], sources: RowSources, gather: GatherText): Column {
  const first = parts[0] as Column;
  const rows = sources.length;
  const state = new Uint8Array(rows).fill(Cell.missing);
  for (let row = 0; row < rows; row++) {
    const from = parts[sources[row] as number];
    if (from !== undefined) state[row] = from.state[row] as number;
  }
  const base = { field: first.field, length: rows, state, invalid: invalidCells(parts, sources, gather) };
  switch (first.kind) {
    case "boolean":
      return { ...base, kind: first.kind, values: pick(parts, sources, "values", 1, new Uint8Array(rows)) };
    case "float":
      return { ...base, kind: first.kind, values: pick(parts, sources, "values", 1, new Float64Array(rows)) };
    case "integer": {
      const exact = pick(parts, sources, "exact", 1, new BigInt64Array(rows));
      return { ...base, kind: first.kind, exact, values: pick(parts, sources, "values", 1, new Float64Array(rows)) };
    }
    case "decimal": {
      const unscaled = pick(parts, sources, "unscaled", 4, new Uint32Array(rows * 4));
      return { ...base, kind: first.kind, unscaled, values: pick(parts, sources, "values", 1, new Float64Array(rows)) };
    }
    case "bytes":
      return { ...base, kind: first.kind, ...pickText(parts as readonly BytesColumn[], sources, state) };
    case "struct": {
      const children = first.children.map((_, i) =>
        interleave(
          (parts as readonly StructColumn[]).map((part) => part.children[i] as Column),
          sources,
          gather,
        ),
      );
      return { ...base, kind: first.kind, children };
    }
    case "list":
      return { ...base, kind: first.kind, ...pickElements(parts as readonly ListColumn[], sources, gather) };
  }
}

/** Below this many bytes a loop is quicker than a call. */
const shortBytes = 24;

/** Takes the source text of an invalid cell of part `part` into the result's slab; answers where it stands there. */
export type GatherText = (part: number, start: number, length: number) => number;

type Values = Uint8Array | Uint32Array | Float64Array | BigInt64Array;

function pick<T extends Values>(
  parts: readonly Column[],
  sources: RowSources,
  name: "values" | "exact" | "unscaled",
  width: number,
  into: T,
): T {
  const arrays = parts.map((part) => (part as unknown as Readonly<Record<string, T>>)[name] as T);
  for (let row = 0; row < sources.length; row++) {
    const from = arrays[sources[row] as number];
    if (from === undefined) continue;
    for (let i = row * width; i < (row + 1) * width; i++) into[i] = from[i] as T[number];
  }
  return into;
}

function pickText(
  parts: readonly BytesColumn[],
  sources: RowSources,
  state: Uint8Array,
): Pick<BytesColumn, "bytes" | "starts" | "lengths"> {
  const rows = sources.length;
  const starts = new Uint32Array(rows);
  const lengths = new Uint32Array(rows);
  let size = 0;
  for (let row = 0; row < rows; row++) if (state[row] === Cell.value) size += parts[sources[row] as number]?.lengths[row] as number;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (state[row] !== Cell.value) continue;
    const from = parts[sources[row] as number] as BytesColumn;
    const length = from.lengths[row] as number;
    const start = from.starts[row] as number;
    if (length > shortBytes) bytes.set(from.bytes.subarray(start, start + length), at);
    else for (let k = 0; k < length; k++) bytes[at + k] = from.bytes[start + k] as number;
    starts[row] = at;
    lengths[row] = length;
    at += length;
  }
  return { bytes, starts, lengths };
}

/** The elements of the chosen rows, part by part: each part's list of elements is interleaved as rows of its own. */
function pickElements(
  parts: readonly ListColumn[],
  sources: RowSources,
  gather: GatherText,
): Pick<ListColumn, "offsets" | "keys" | "element"> {
  const rows = sources.length;
  const offsets = new Int32Array(rows + 1);
  const froms: number[] = [];
  const positions: number[] = [];
  for (let row = 0; row < rows; row++) {
    const source = sources[row] as number;
    const part = parts[source];
    if (part !== undefined && part.state[row] === Cell.value) {
      for (let i = part.offsets[row] as number; i < (part.offsets[row + 1] as number); i++) {
        froms.push(source);
        positions.push(i);
      }
    }
    offsets[row + 1] = froms.length;
  }
  const elementSources = Uint16Array.from(froms);
  const at = Int32Array.from(positions);
  const keys = parts.map((part) => part.keys);
  const moved = (columns: readonly Column[]): Column =>
    interleave(
      columns.map((column, part) => take(column, elementSources, at, part)),
      elementSources,
      gather,
    );
  return {
    offsets,
    keys: keys[0] === null ? null : (moved(keys as readonly Column[]) as BytesColumn),
    element: moved(parts.map((part) => part.element)),
  };
}

/** The cells of `column` at `at[i]` for those `i` whose source is `part`, moved to `i`; other rows are missing. */
function take(column: Column, sources: RowSources, at: Int32Array, part: number): Column {
  const rows = sources.length;
  const state = new Uint8Array(rows).fill(Cell.missing);
  const moves: number[] = [];
  for (let i = 0; i < rows; i++) {
    if (sources[i] !== part) continue;
    moves.push(i);
    state[i] = column.state[at[i] as number] as number;
  }
  const move = <T extends Values>(from: T, width: number, into: T): T => {
    for (const i of moves) for (let k = 0; k < width; k++) into[i * width + k] = from[(at[i] as number) * width + k] as T[number];
    return into;
  };
  const base = { field: column.field, length: rows, state, invalid: takeInvalid(column.invalid ?? null, sources, at, part) };
  switch (column.kind) {
    case "boolean":
      return { ...base, kind: column.kind, values: move(column.values, 1, new Uint8Array(rows)) };
    case "float":
      return { ...base, kind: column.kind, values: move(column.values, 1, new Float64Array(rows)) };
    case "integer":
      return {
        ...base,
        kind: column.kind,
        exact: move(column.exact, 1, new BigInt64Array(rows)),
        values: move(column.values, 1, new Float64Array(rows)),
      };
    case "decimal":
      return {
        ...base,
        kind: column.kind,
        unscaled: move(column.unscaled, 4, new Uint32Array(rows * 4)),
        values: move(column.values, 1, new Float64Array(rows)),
      };
    case "bytes":
      return {
        ...base,
        kind: column.kind,
        bytes: column.bytes,
        starts: move(column.starts, 1, new Uint32Array(rows)),
        lengths: move(column.lengths, 1, new Uint32Array(rows)),
      };
    case "struct":
      return { ...base, kind: column.kind, children: column.children.map((child) => take(child, sources, at, part)) };
    case "list":
      return { ...base, kind: column.kind, ...takeElements(column, moves, at, rows) };
  }
}

function takeElements(
  column: ListColumn,
  moves: readonly number[],
  at: Int32Array,
  rows: number,
): Pick<ListColumn, "offsets" | "keys" | "element"> {
  const offsets = new Int32Array(rows + 1);
  const positions: number[] = [];
  let next = 0;
  for (let i = 0; i < rows; i++) {
    if (moves[next] === i) {
      next++;
      const from = at[i] as number;
      for (let k = column.offsets[from] as number; k < (column.offsets[from + 1] as number); k++) positions.push(k);
    }
    offsets[i + 1] = positions.length;
  }
  const all = new Uint16Array(positions.length);
  const places = Int32Array.from(positions);
  return {
    offsets,
    keys: column.keys === null ? null : (take(column.keys, all, places, 0) as BytesColumn),
    element: take(column.element, all, places, 0),
  };
}

function takeInvalid(cells: InvalidCells | null, sources: RowSources, at: Int32Array, part: number): InvalidCells | null {
  if (cells === null) return null;
  const indexOf = new Map(Array.from(cells.rows, (row, i) => [row, i]));
  const found: { readonly row: number; readonly index: number }[] = [];
  for (let row = 0; row < sources.length; row++) {
    const index = sources[row] === part ? indexOf.get(at[row] as number) : undefined;
    if (index !== undefined) found.push({ row, index });
  }
  if (found.length === 0) return null;
  return {
    rows: Uint32Array.from(found, ({ row }) => row),
    starts: Uint32Array.from(found, ({ index }) => cells.starts[index] as number),
    lengths: Uint32Array.from(found, ({ index }) => cells.lengths[index] as number),
    causes: Uint8Array.from(found, ({ index }) => cells.causes[index] as number),
  };
}

function invalidCells(parts: readonly Column[], sources: RowSources, gather: GatherText): InvalidCells | null {
  const found: { readonly row: number; readonly start: number; readonly length: number; readonly cause: number }[] = [];
  for (const [part, { invalid }] of parts.entries()) {
    if (invalid === undefined || invalid === null) continue;
    for (const [i, row] of invalid.rows.entries()) {
      if (sources[row] !== part) continue;
      const length = invalid.lengths[i] as number;
      found.push({ row, start: gather(part, invalid.starts[i] as number, length), length, cause: invalid.causes[i] as number });
    }
  }
  if (found.length === 0) return null;
  found.sort((a, b) => a.row - b.row);
  return {
    rows: Uint32Array.from(found, ({ row }) => row),
    starts: Uint32Array.from(found, ({ start }) => start),
    lengths: Uint32Array.from(found, ({ length }) => length),
    causes: Uint8Array.from(found, ({ cause }) => cause),
  };
}
