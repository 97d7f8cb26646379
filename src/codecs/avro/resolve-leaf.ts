import type { AvroEnum, AvroLogical, AvroSchema } from "../../core/avro/avro-schema.ts";
import { InvalidCause } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";
import { uuidSize } from "../../core/uuid.ts";
import type { AvroConversion, AvroLeaf, AvroRead, AvroSymbols } from "./avro-plan.ts";

const encoder = new TextEncoder();
type Kind = Field["type"]["kind"];

const moments: ReadonlySet<Kind> = new Set<Kind>(["date", "time", "timestamp"]);
const numbers: ReadonlySet<Kind> = new Set<Kind>(["int", "long", "float", "double", "decimal"]);

/** How a leaf's values become cells of a field, promoted to the reader's type if there is one; `invalid` where the field can't take them. */
export function resolveLeaf(
  writer: AvroLeaf,
  reader: AvroSchema | null,
  field: Field,
): AvroRead & { readonly kind: "cell" | "invalid" | "null" } {
  const invalid = (cause: number = InvalidCause.type): AvroRead & { readonly kind: "invalid" } => ({
    kind: "invalid",
    schema: writer,
    cause,
  });
  const cell = (as: AvroConversion, scale = 0, symbols: AvroSymbols | null = null): AvroRead & { readonly kind: "cell" } => ({
    kind: "cell",
    schema: writer,
    as,
    scale,
    symbols,
  });
  const { type } = field;
  const { kind } = type;
  const readAs = reader === null ? writer.type : reader.type;
  const logical = logicalOf(writer) ?? (reader === null ? null : logicalOf(reader));
  switch (writer.type) {
    case "null":
      return { kind: "null" };
    case "boolean":
      return kind === "boolean" ? cell("boolean") : invalid();
    case "int":
    case "long":
      if (readAs === "float") return kind === "float" || kind === "double" ? cell("single") : invalid();
      if (readAs === "double") return kind === "float" || kind === "double" ? cell("integer") : invalid();
      return wholeNumber(logical, type, cell, invalid);
    case "float":
    case "double":
      return kind === "float" || kind === "double" ? cell("real") : invalid();
    case "string":
      return textual(readAs === "bytes", kind, cell, invalid);
    case "bytes":
      if (logical?.kind === "decimal" && numbers.has(kind)) return cell("decimal", logical.scale);
      return textual(readAs === "bytes", kind, cell, invalid);
    case "fixed":
      if (logical?.kind === "decimal" && numbers.has(kind)) return cell("decimal", logical.scale);
      if (logical?.kind === "uuid" && kind === "string") return cell("uuid");
      if (kind === "uuid") return writer.size === uuidSize ? cell("raw") : invalid();
      return kind === "binary" ? cell("raw") : invalid();
    case "enum":
      return kind === "string" ? cell("symbol", 0, symbolsOf(writer, reader)) : invalid();
  }
}

type Cell = (as: AvroConversion, scale?: number) => AvroRead & { readonly kind: "cell" };
type Invalid = (cause?: number) => AvroRead & { readonly kind: "invalid" };

function logicalOf(schema: AvroSchema): AvroLogical | null {
  return "logical" in schema ? schema.logical : null;
}

/** An int or long by its logical type: what counts days or units of time becomes a moment, or the plain count in a column of whole numbers. */
function wholeNumber(
  logical: AvroLogical | null,
  type: Field["type"],
  cell: Cell,
  invalid: Invalid,
): AvroRead & { readonly kind: "cell" | "invalid" } {
  if (numbers.has(type.kind)) return cell("integer");
  switch (logical?.kind) {
    case "date":
      return type.kind === "date" ? cell("days") : invalid();
    case "time-millis":
      return type.kind === "time" ? cell("day-millis") : invalid();
    case "time-micros":
      return type.kind === "time" ? cell("day-micros") : invalid();
    case "timestamp-millis":
    case "timestamp-micros":
    case "timestamp-nanos":
      if (type.kind !== "timestamp") return invalid();
      return type.zoned ? cell(`epoch-${unitOf(logical.kind)}`) : invalid(InvalidCause.offset);
    case "local-timestamp-millis":
    case "local-timestamp-micros":
    case "local-timestamp-nanos":
      // As JSON's texts without an offset: a column of instants reads them as UTC.
      return type.kind === "timestamp" ? cell(`epoch-${unitOf(logical.kind)}`) : invalid();
    default:
      return invalid();
  }
}

function unitOf(kind: string): "millis" | "micros" | "nanos" {
  return kind.endsWith("millis") ? "millis" : kind.endsWith("micros") ? "micros" : "nanos";
}

/** A string or bytes; `bytes`: what it is read as. */
function textual(bytes: boolean, kind: Kind, cell: Cell, invalid: Invalid): AvroRead & { readonly kind: "cell" | "invalid" } {
  if (kind === "binary") return cell("raw");
  if (kind === "string") return cell("text");
  if (kind === "uuid") return cell(bytes ? "uuid-bytes" : "text");
  return moments.has(kind) && !bytes ? cell("text") : invalid();
}

/** The text of each of the writer's symbols as the reader's enum has it. */
function symbolsOf(writer: AvroEnum, reader: AvroSchema | null): AvroSymbols {
  return writer.symbols.map((symbol) => {
    if (reader?.type !== "enum" || reader.symbols.includes(symbol)) return encoder.encode(symbol);
    return reader.fallback === null ? null : encoder.encode(reader.fallback);
  });
}
