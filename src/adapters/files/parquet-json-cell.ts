import type { SchemaElement, SchemaTree } from "hyparquet";
import { dateText, nanosOfDayText, nanosText, timestampText, timeText } from "../../core/civil.ts";
import { SluiceError } from "../../core/errors.ts";
import { signedOf } from "../../core/unscaled-bytes.ts";

/** The JSON text of one value, as hyparquet hands it out with `plainParsers`. */
export type WriteCell = (value: unknown) => string;

/** Parsers for hyparquet that lose nothing: timestamps and dates as plain numbers, JSON as its text. */
export const plainParsers = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array | undefined) => (bytes === undefined ? bytes : textOf(bytes)),
  jsonFromBytes: (bytes: Uint8Array | undefined) => (bytes === undefined ? bytes : textOf(bytes)),
};

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Takes decimals for what they are stored as: hyparquet's own conversion goes through doubles. */
export function withPlainDecimals(element: SchemaElement): SchemaElement {
  if (element.converted_type !== "DECIMAL" && element.logical_type?.type !== "DECIMAL") return element;
  const { converted_type: _converted, logical_type: _logical, ...plain } = element;
  return plain;
}

/**
 * Compiles a column of a Parquet schema to a writer of JSON: integers and decimals with all their digits, dates and times in ISO 8601 (timestamps with
 * `Z` if they are instants), bytes as base64, NaN and infinities as text (JSON has none). Rejects with FILE_UNREADABLE what JSON can't carry.
 */
export function compileCell(tree: SchemaTree): WriteCell {
  const write = compilePresent(tree);
  return (value) => (value === null || value === undefined ? "null" : write(value));
}

function compilePresent(tree: SchemaTree): WriteCell {
  const { element, children } = tree;
  const only = children[0];
  if (only === undefined) return element.repetition_type === "REPEATED" ? array(leaf(element)) : leaf(element);
  if (isList(element) && children.length === 1 && only.element.repetition_type === "REPEATED") return array(compileCell(elementOf(only)));
  if (isMap(element) && only.children.length === 2) {
    const write = compileCell(only.children[1] as SchemaTree);
    return (value) =>
      object(Object.entries(value as Record<string, unknown>).map(([key, each]) => `${JSON.stringify(key)}:${write(each)}`));
  }
  const fields = children.map((child) => ({
    name: child.element.name,
    label: `${JSON.stringify(child.element.name)}:`,
    write: compileCell(child),
  }));
  const struct = (value: unknown): string =>
    object(fields.map(({ name, label, write }) => label + write((value as Record<string, unknown>)[name])));
  return element.repetition_type === "REPEATED" ? array(struct) : struct;
}

function isList({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === "LIST" || logical?.type === "LIST";
}

function isMap({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP";
}

/** The element of a list's repeated group: its only child, or the group itself in old two-level lists. */
function elementOf(group: SchemaTree): SchemaTree {
  const child = group.children[0];
  if (child !== undefined && group.children.length === 1) return child;
  return { ...group, element: { ...group.element, repetition_type: "REQUIRED" } };
}

function array(write: WriteCell): WriteCell {
  return (value) => `[${(value as unknown[]).map((each) => (each === null || each === undefined ? "null" : write(each))).join(",")}]`;
}

function object(members: readonly string[]): string {
  return `{${members.join(",")}}`;
}

function leaf(element: SchemaElement): WriteCell {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") return decimal(element);
  if (logical?.type === "TIMESTAMP") return timestamp(logical.unit, logical.isAdjustedToUTC);
  if (converted === "TIMESTAMP_MILLIS") return timestamp("MILLIS", true);
  if (converted === "TIMESTAMP_MICROS") return timestamp("MICROS", true);
  if (type === "INT96") return timestamp("NANOS", false);
  if (logical?.type === "TIME") return time(logical.unit);
  if (converted === "TIME_MILLIS") return time("MILLIS");
  if (converted === "TIME_MICROS") return time("MICROS");
  if (converted === "DATE" || logical?.type === "DATE") return (value) => `"${dateText(Number(value))}"`;
  if (converted === "JSON" || logical?.type === "JSON") return json;
  if (converted === "INTERVAL" || converted === "BSON" || logical?.type === "GEOMETRY" || logical?.type === "GEOGRAPHY") {
    throw new SluiceError("FILE_UNREADABLE", `column ${element.name} is ${converted ?? logical?.type}, which is not read`);
  }
  switch (type) {
    case "BOOLEAN":
    case "INT32":
    case "INT64":
      return String;
    case "FLOAT":
    case "DOUBLE":
      return float;
    default:
      return (value) =>
        typeof value === "string" ? JSON.stringify(value) : typeof value === "number" ? float(value) : base64(value as Uint8Array);
  }
}

/** The nearest double's shortest text; -0 keeps its sign, which `JSON.stringify` drops. */
function float(value: unknown): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? String(value) : `"${String(value)}"`;
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}"`;
}

/** JSON stands as it is; what is none, as text. Line ends between its tokens would break a line in two. */
function json(value: unknown): string {
  const text = value as string;
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  return text.replaceAll(/[\r\n]/g, " ");
}

function decimal({ scale = 0 }: SchemaElement): WriteCell {
  return (value) => {
    const unscaled = value instanceof Uint8Array ? signedOf(value) : BigInt(value as number | bigint);
    if (scale === 0) return unscaled.toString();
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
    return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  };
}

type TimeUnit = "MILLIS" | "MICROS" | "NANOS";

function timestamp(unit: TimeUnit, zoned: boolean): WriteCell {
  return (value) => {
    const count = BigInt(value as bigint | number);
    if (unit === "NANOS") return `"${nanosText(count, zoned)}"`;
    return `"${timestampText(unit === "MILLIS" ? count * 1000n : count, zoned)}"`;
  };
}

function time(unit: TimeUnit): WriteCell {
  return (value) => {
    const count = BigInt(value as bigint | number);
    if (unit === "MILLIS") return `"${timeText(Number(count) * 1000)}"`;
    if (unit === "MICROS") return `"${timeText(Number(count))}"`;
    return `"${nanosOfDayText(count)}"`;
  };
}
