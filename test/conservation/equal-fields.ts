import { Days, Micros } from "./parquet-rows.ts";

/** A JSON number with its own text. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** JSON.parse that keeps every number's text. */
export function parseExact(text: string): Record<string, unknown> {
  return JSON.parse(text, ((_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" ? new NumberText(context.source ?? String(value)) : value) as never) as Record<string, unknown>;
}

function isoMicros(text: string): bigint | null {
  const match = /^(.*?\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?(Z|z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (match === null) return null;
  const whole = Date.parse(`${match[1]}${match[3] ?? "Z"}`.replace(" ", "T"));
  if (Number.isNaN(whole)) return null;
  return BigInt(whole) * 1000n + BigInt((match[2] ?? "").padEnd(6, "0").slice(0, 6) || "0");
}

function sameNumber(text: string, stored: unknown): boolean {
  if (typeof stored === "bigint") return /^-?\d+$/.test(text) ? BigInt(text) === stored : Number(text) === Number(stored);
  if (typeof stored === "number") return Number(text) === stored || Math.fround(Number(text)) === stored;
  return false;
}

/** Whether a stored cell is what the record says: null where the record has null or nothing. Compares values, not their spelling. */
function sameValue(sent: unknown, stored: unknown): boolean {
  if (sent === null || sent === undefined) return stored === null || stored === undefined;
  if (stored === null || stored === undefined) return false;
  if (sent instanceof NumberText) return sameNumber(sent.text, stored);
  if (typeof sent === "boolean") return sent === stored;
  if (typeof sent === "string") {
    if (stored instanceof Micros) return isoMicros(sent) === stored.micros;
    if (stored instanceof Days) return Date.parse(sent) / 86_400_000 === stored.days;
    return sent === stored;
  }
  if (Array.isArray(sent))
    return Array.isArray(stored) && sent.length === stored.length && sent.every((each, i) => sameValue(each, stored[i]));
  if (typeof sent === "object" && typeof stored === "object") {
    return Object.entries(stored).every(([name, value]) => sameValue((sent as Record<string, unknown>)[name], value));
  }
  return false;
}

/** Names of the columns of a promoted row that differ from its record. Columns of Sluice's own (`_sluice_*`) are not the record's. */
export function differingFields(sent: Record<string, unknown>, row: Record<string, unknown>): string[] {
  return Object.entries(row)
    .filter(([name, stored]) => !name.startsWith("_sluice_") && !sameValue(sent[name], stored))
    .map(([name]) => name);
}
