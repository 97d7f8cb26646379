import type { Column } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import type { Arena } from "./arena.ts";

/** Where one column's arrays stand in an arena, as `core/column.ts` describes them; 0 where its kind has none. */
export interface ColumnLayout {
  readonly field: Field;
  readonly kind: Column["kind"];
  /** Rows, or elements of a list, that fit. */
  readonly capacity: number;
  /** One `Cell` byte a row. */
  readonly state: number;
  /** boolean: a byte a row; float, integer, decimal: an f64 a row. */
  readonly values: number;
  /** integer: an i64 a row. */
  readonly exact: number;
  /** decimal: 16 bytes a row. */
  readonly unscaled: number;
  /** bytes: a u32 a row; starts are addresses in the arena. */
  readonly starts: number;
  readonly lengths: number;
  /** list: an i32 a row, and one more. */
  readonly offsets: number;
  /** struct. */
  readonly children: readonly ColumnLayout[];
  /** list and map. */
  readonly element: ColumnLayout | null;
  /** map. */
  readonly keys: ColumnLayout | null;
}

/** Where a chunk of rows stands in an arena: its records' bytes, its columns, and what is found about its rows. */
export interface BatchLayout {
  readonly rowsMax: number;
  /** The contract's top-level columns, in its order. */
  readonly columns: readonly ColumnLayout[];
  /** The records' bytes; at least `slackBytes` more can be read behind them. */
  readonly slab: number;
  readonly slabBytesMax: number;
  /** Text that is not a span of the slab. */
  readonly area: number;
  readonly areaBytesMax: number;
  /** u32 a row: the record's address in the arena, and its length. */
  readonly rowStarts: number;
  readonly rowLengths: number;
  /** A byte a row: 1 where the record gave no row. */
  readonly undecoded: number;
  /** u32 a row: row numbers, ascending, of those chosen (that passed). */
  readonly selection: number;
  /** Bits of violated rules, row-major: `violationWords` u32 a row. */
  readonly violations: number;
  readonly violationWords: number;
}

/** How large a chunk can be. */
export interface LayoutLimits {
  readonly rowsMax: number;
  readonly slabBytesMax: number;
  readonly areaBytesMax: number;
  /** List elements a row, on average; nested lists multiply it, up to `elementsMax` in all. */
  readonly elementsPerRow: number;
  readonly elementsMax: number;
}

export const defaultLimits: LayoutLimits = {
  rowsMax: 2048,
  slabBytesMax: 4 << 20,
  areaBytesMax: 4 << 20,
  elementsPerRow: 8,
  elementsMax: 65_536,
};

/** Bytes behind every text that may be read, so that code can load 16 at a time. */
export const slackBytes = 64;

/** A field's `Column` kind. */
function columnKind(field: Field): Column["kind"] {
  switch (field.type.kind) {
    case "boolean":
      return "boolean";
    case "float":
    case "double":
      return "float";
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp":
      return "integer";
    case "decimal":
      return "decimal";
    case "struct":
      return "struct";
    case "list":
    case "map":
      return "list";
    default:
      return "bytes";
  }
}

/** The field that stands for a map's keys. */
export function mapKeyField(field: Field): Field {
  return {
    name: "key",
    sourceName: "key",
    path: `${field.path}.key`,
    type: { kind: "string" },
    required: true,
    doc: null,
    classification: field.classification,
    format: null,
  };
}

function layoutColumn(field: Field, capacity: number, arena: Arena, limits: LayoutLimits): ColumnLayout {
  const { type } = field;
  const kind = columnKind(field);
  const array = (bytesPerRow: number, wanted: boolean): number => (wanted ? arena.allocate(capacity * bytesPerRow + slackBytes) : 0);
  const elements = Math.min(Math.max(capacity * limits.elementsPerRow, 16), Math.max(limits.elementsMax, capacity));
  return {
    field,
    kind,
    capacity,
    state: array(1, true),
    values: kind === "boolean" ? array(1, true) : array(8, kind === "float" || kind === "integer" || kind === "decimal"),
    exact: array(8, kind === "integer"),
    unscaled: array(16, kind === "decimal"),
    starts: array(4, kind === "bytes"),
    lengths: array(4, kind === "bytes"),
    offsets: kind === "list" ? arena.allocate((capacity + 1) * 4 + slackBytes) : 0,
    children: type.kind === "struct" ? type.fields.map((child) => layoutColumn(child, capacity, arena, limits)) : [],
    element:
      type.kind === "list"
        ? layoutColumn(type.element, elements, arena, limits)
        : type.kind === "map"
          ? layoutColumn(type.value, elements, arena, limits)
          : null,
    keys: type.kind === "map" ? layoutColumn(mapKeyField(field), elements, arena, limits) : null,
  };
}

/** Takes room in the arena for chunks of a contract's fields; `rules`: how many violation bits a row needs. */
export function layoutBatch(fields: readonly Field[], arena: Arena, rules = 0, limits: LayoutLimits = defaultLimits): BatchLayout {
  const { rowsMax } = limits;
  const violationWords = Math.max(2, Math.ceil(rules / 64) * 2);
  return {
    rowsMax,
    columns: fields.map((field) => layoutColumn(field, rowsMax, arena, limits)),
    rowStarts: arena.allocate(rowsMax * 4 + slackBytes),
    rowLengths: arena.allocate(rowsMax * 4 + slackBytes),
    undecoded: arena.allocate(rowsMax + slackBytes),
    selection: arena.allocate(rowsMax * 4 + slackBytes),
    violations: arena.allocate(rowsMax * violationWords * 4 + slackBytes),
    violationWords,
    slab: arena.allocate(limits.slabBytesMax + slackBytes),
    slabBytesMax: limits.slabBytesMax,
    area: arena.allocate(limits.areaBytesMax + slackBytes),
    areaBytesMax: limits.areaBytesMax,
  };
}
