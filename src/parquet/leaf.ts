import type { FieldType } from "../core/schema.ts";
import { uuidSize } from "../core/uuid.ts";
import type { ThriftWriter } from "./thrift-writer.ts";

/** Parquet's physical types, by their numbers in `parquet.thrift`. */
export const PhysicalType = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, bytes: 6, fixed: 7 } as const;

/**
 * How a leaf's values stand on their way into pages: a byte each (flag), 8 bytes (long; single and double as doubles, singles already rounded), as PLAIN
 * pages hold them (text, those of a fixed width with their length all the same; wide: big-endian two's complement).
 */
export type LeafKind = "flag" | "long" | "single" | "double" | "text" | "wide";

/** A primitive type as Parquet stores it (Iceberg spec, appendix A). */
export interface LeafType {
  readonly kind: LeafKind;
  readonly physical: number;
  /** Bytes of a value in a PLAIN page; 0 for texts that bring their length. */
  readonly width: number;
  /** Values have to be UTF-8. */
  readonly isUtf8: boolean;
  /** How a manifest holds its bounds; null: values stand in no statistics. */
  readonly bound: "boolean" | "int" | "long" | "float" | "double" | "decimal" | "string" | "binary" | null;
  /** Writes converted and logical type, scale and precision of a SchemaElement, whose last field was 5 or less. */
  annotate(element: ThriftWriter, id: number): void;
}

const Converted = { utf8: 0, decimal: 5, date: 6, timestampMicros: 10 } as const;
const Logical = { string: 1, decimal: 5, date: 6, timestamp: 8, uuid: 14 } as const;
/** Parquet's units of time, by their numbers in its union. */
const Unit = { micros: 2, nanos: 3 } as const;

const plain = (element: ThriftWriter, id: number): void => element.i32(9, id);

function annotated(converted: number | null, logical: number, write: (element: ThriftWriter) => void = () => {}): LeafType["annotate"] {
  return (element, id) => {
    if (converted !== null) element.i32(6, converted);
    element.i32(9, id);
    element.struct(10, () => element.struct(logical, () => write(element)));
  };
}

const base = { isUtf8: false, annotate: plain } as const;
const text: LeafType = {
  kind: "text",
  physical: PhysicalType.bytes,
  width: 0,
  isUtf8: true,
  bound: "string",
  annotate: annotated(Converted.utf8, Logical.string),
};

/** The leaf type of a column's own type: where the table has a wider one by evolution, readers promote. */
export function leafTypeOf(type: FieldType): LeafType {
  switch (type.kind) {
    case "boolean":
      return { ...base, kind: "flag", physical: PhysicalType.boolean, width: 1, bound: "boolean" };
    case "int":
      return { ...base, kind: "long", physical: PhysicalType.int32, width: 4, bound: "int" };
    case "long":
      return { ...base, kind: "long", physical: PhysicalType.int64, width: 8, bound: "long" };
    case "float":
      return { ...base, kind: "single", physical: PhysicalType.float, width: 4, bound: "float" };
    case "double":
      return { ...base, kind: "double", physical: PhysicalType.double, width: 8, bound: "double" };
    case "date": {
      const annotate = annotated(Converted.date, Logical.date);
      return { ...base, kind: "long", physical: PhysicalType.int32, width: 4, bound: "int", annotate };
    }
    case "timestamp": {
      // Readers take the converted type for an instant in UTC: a local time has none, and there is none of nanoseconds.
      const converted = type.zoned && type.unit === "micros" ? Converted.timestampMicros : null;
      const annotate = annotated(converted, Logical.timestamp, (element) => {
        element.bool(1, type.zoned);
        element.struct(2, () => element.struct(Unit[type.unit], () => {}));
      });
      return { ...base, kind: "long", physical: PhysicalType.int64, width: 8, bound: "long", annotate };
    }
    case "decimal":
      return decimalType(type.precision, type.scale);
    case "binary":
      return { ...base, kind: "text", physical: PhysicalType.bytes, width: 0, bound: "binary" };
    case "uuid":
      // Iceberg's Java (1.11) orders UUIDs as two signed numbers: by bounds of bytes, Spark passes over files that have the rows.
      return {
        ...base,
        kind: "text",
        physical: PhysicalType.fixed,
        width: uuidSize,
        bound: null,
        annotate: annotated(null, Logical.uuid),
      };
    case "time":
    case "string":
    case "json":
      return text;
    default:
      throw new Error(`${type.kind} is not a primitive type`);
  }
}

function decimalType(precision: number, scale: number): LeafType {
  const annotate: LeafType["annotate"] = (element, id) => {
    element.i32(6, Converted.decimal);
    element.i32(7, scale);
    element.i32(8, precision);
    element.i32(9, id);
    element.struct(10, () =>
      element.struct(Logical.decimal, () => {
        element.i32(1, scale);
        element.i32(2, precision);
      }),
    );
  };
  const decimal = { ...base, bound: "decimal", annotate } as const;
  if (precision <= 9) return { ...decimal, kind: "long", physical: PhysicalType.int32, width: 4 };
  if (precision <= 18) return { ...decimal, kind: "long", physical: PhysicalType.int64, width: 8 };
  return { ...decimal, kind: "wide", physical: PhysicalType.fixed, width: bytesOfPrecision(precision) };
}

/** The fewest bytes whose two's complement holds every number of so many digits. */
function bytesOfPrecision(precision: number): number {
  const most = 10n ** BigInt(precision);
  let bytes = 1;
  while (1n << BigInt(8 * bytes - 1) < most) bytes++;
  return bytes;
}
