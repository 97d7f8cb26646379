import { daysFromCivil } from "../../core/civil.ts";
import { SluiceError } from "../../core/errors.ts";
import { decimalOf } from "../../core/iceberg-type.ts";
import { uuidBytes } from "../../core/uuid.ts";
import type { IcebergField, SingleValue } from "../../core/table-schema.ts";

/** A value as Parquet's physical types have it. */
export type PhysicalValue = number | bigint | boolean | Uint8Array;

const microsPerDay = 86_400_000_000n;

/**
 * What rows have for a field that their file is without (spec, "Default values"): its initial default as files of today hold it, null where it has none or is
 * no scalar. Throws TABLE_UNSUPPORTED on values that are none of the type.
 */
export function initialDefault({ name, type, "initial-default": value = null }: IcebergField): PhysicalValue | null {
  if (value === null || typeof type !== "string") return null;
  const physical = physicalOf(type, value);
  if (physical === null)
    throw new SluiceError(
      "TABLE_UNSUPPORTED",
      `column ${name} is ${type}, and its default value is none: ${JSON.stringify(textOf(value))}`,
    );
  return physical;
}

/** Numbers that JavaScript would write otherwise are kept as raw JSON. */
function textOf(value: SingleValue): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function physicalOf(type: string, value: SingleValue): PhysicalValue | null {
  const text = textOf(value);
  const decimal = decimalOf(type);
  if (decimal !== null) return unscaledOf(text, decimal.scale);
  if (type.startsWith("fixed[") || type === "binary") return /^([0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text, "hex") : null;
  switch (type) {
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "int":
      return /^-?\d+$/.test(text) ? Number(text) : null;
    case "long":
      return /^-?\d+$/.test(text) ? BigInt(text) : null;
    case "float":
    case "double":
      return text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text);
    case "date":
      return daysOf(text);
    case "time":
      return timeOf(`1970-01-01T${text}`, 6);
    case "timestamp":
    case "timestamptz":
      return timeOf(text, 6);
    case "timestamp_ns":
    case "timestamptz_ns":
      return timeOf(text, 9);
    case "string":
      return typeof value === "string" ? Buffer.from(value) : null;
    case "uuid":
      return uuidBytes(text);
    default:
      return null;
  }
}

function unscaledOf(text: string, scale: number): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = ""] = match;
  if (fraction.length > scale) return null;
  return BigInt(`${sign}${whole}${fraction.padEnd(scale, "0")}`);
}

function daysOf(text: string): number | null {
  const match = /^([+-]?\d{4,6})-(\d\d)-(\d\d)$/.exec(text);
  return match === null ? null : daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]));
}

/** Micro- or nanoseconds since the epoch, null where 64 bits do not reach; times of zones have the offset of UTC. */
function timeOf(text: string, digits: 6 | 9): bigint | null {
  const match = /^(.+)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[+-]00:00|Z)?$/.exec(text);
  const days = match === null ? null : daysOf(match[1] as string);
  if (match === null || days === null) return null;
  const [, , hours, minutes, seconds = "0", fraction = ""] = match;
  const ofDay = (BigInt(hours as string) * 60n + BigInt(minutes as string)) * 60n + BigInt(seconds);
  const unit = 10n ** BigInt(digits);
  const value = BigInt(days) * (microsPerDay / 1_000_000n) * unit + ofDay * unit + BigInt(fraction.padEnd(digits, "0").slice(0, digits));
  return BigInt.asIntN(64, value) === value ? value : null;
}
