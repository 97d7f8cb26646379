import { dateText, epochText, timeText } from "../core/civil.ts";
import type { Field, FieldType } from "../core/schema.ts";
import type { ColumnPast } from "../core/table-plan.ts";
import type { Compilation } from "./compilation.ts";
import { literalFor, literalWords } from "./compile-literals.ts";
import type { Node } from "./node.ts";

/** A column's default value in the form that Iceberg's schemas have it (spec, appendix D); null, and a finding, where the column can't have it. */
export function compileDefault(compilation: Compilation, field: Field, node: Node, formatVersion: number | null): ColumnPast["default"] {
  const refuse = (message: string, hint: string | null = null): null => {
    compilation.findings.error("default-unfit", node.at, `${field.path}: ${message}`, hint);
    return null;
  };
  if (formatVersion !== 3)
    return refuse("default values take Iceberg's format version 3", "set `formatVersion: 3` in the dataset's settings");
  if (field.path !== field.name) return refuse("only columns at the top have default values");
  const literal = literalFor(field, node);
  const value = literal === null || literal.type === "null" ? null : singleValue(field.type, literal);
  return value ?? refuse(`the default can't stand in the column, which takes ${rangeWords(field.type)}`);
}

function rangeWords(type: FieldType): string {
  if (type.kind === "decimal") return `numbers of at most ${type.precision} digits, ${type.scale} of them after the point`;
  return type.kind === "int" || type.kind === "long" ? `whole numbers that fit ${type.kind}` : literalWords(type);
}

type Literal = Exclude<NonNullable<ReturnType<typeof literalFor>>, { readonly type: "null" }>;

/** Null where the value is beyond the type. */
function singleValue(type: FieldType, literal: Literal): ColumnPast["default"] {
  if (literal.type === "boolean" || literal.type === "string") return literal.value;
  if (literal.type !== "number") return null;
  const { text, value } = literal;
  switch (type.kind) {
    case "int":
      return integerWithin(text, 32) === null ? null : value;
    case "long": {
      const exact = integerWithin(text, 64);
      return exact !== null && Number.isSafeInteger(value) ? value : exact;
    }
    case "float":
      return Number.isFinite(Math.fround(value)) ? Math.fround(value) : null;
    case "double":
      return Number.isFinite(value) ? value : null;
    case "decimal":
      return decimalText(text, type);
    case "date":
      return dateText(value);
    case "time":
      return timeText(value);
    case "timestamp":
      return epochText(type, BigInt(text)).replace(/Z$/, "+00:00");
    default:
      return null;
  }
}

function integerWithin(text: string, bits: number): bigint | null {
  if (!/^-?\d+$/.test(text)) return null;
  const value = BigInt(text);
  return BigInt.asIntN(bits, value) === value ? value : null;
}

/** With exactly as many digits after the point as the type has; null where that takes more digits than there are. */
function decimalText(text: string, { precision, scale }: { readonly precision: number; readonly scale: number }): string | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = ""] = match;
  const kept = fraction.replace(/0+$/, "");
  const digits = whole.replace(/^0+/, "");
  if (kept.length > scale || digits.length + scale > precision) return null;
  return `${sign}${digits || "0"}${scale === 0 ? "" : `.${kept.padEnd(scale, "0")}`}`;
}
