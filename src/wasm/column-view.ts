import type { BytesColumn, Column, InvalidCells } from "../core/column.ts";
import type { Arena } from "./arena.ts";
import type { ColumnLayout } from "./layout.ts";

/** Invalid cells of a chunk's columns, by layout; a column without any may be left out. */
export type InvalidByColumn = ReadonlyMap<ColumnLayout, InvalidCells>;

/**
 * A column's first `length` rows as views over the arena: no copies. They hold until the arena is written again or grows. Lists have as many
 * elements as their last offset says.
 */
export function columnView(layout: ColumnLayout, arena: Arena, length: number, invalid: InvalidByColumn = new Map()): Column {
  const base = { field: layout.field, length, state: arena.bytes(layout.state, length), invalid: invalid.get(layout) ?? null };
  switch (layout.kind) {
    case "boolean":
      return { ...base, kind: "boolean", values: arena.bytes(layout.values, length) };
    case "float":
      return { ...base, kind: "float", values: arena.f64(layout.values, length) };
    case "integer":
      return { ...base, kind: "integer", exact: arena.i64(layout.exact, length), values: arena.f64(layout.values, length) };
    case "decimal":
      return { ...base, kind: "decimal", unscaled: arena.u32(layout.unscaled, length * 4), values: arena.f64(layout.values, length) };
    case "bytes":
      return {
        ...base,
        kind: "bytes",
        bytes: arena.u8,
        starts: arena.u32(layout.starts, length),
        lengths: arena.u32(layout.lengths, length),
      };
    case "struct":
      return { ...base, kind: "struct", children: layout.children.map((child) => columnView(child, arena, length, invalid)) };
    case "list": {
      const offsets = arena.i32(layout.offsets, length + 1);
      const elements = offsets[length] as number;
      return {
        ...base,
        kind: "list",
        offsets,
        keys: layout.keys === null ? null : (columnView(layout.keys, arena, elements, invalid) as BytesColumn),
        element: columnView(layout.element as ColumnLayout, arena, elements, invalid),
      };
    }
  }
}
