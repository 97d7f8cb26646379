import { BrokenInvariant } from "../core/broken-invariant.ts";
import { Cell, type Column } from "../core/column.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { RowList } from "./row-list.ts";
import { invalidRule } from "./rule-family.ts";
import { VerdictCache } from "./verdict-cache.ts";

/** Requires a column whose cells are spans of bytes. */
export function requireBytes(field: Field, plan: RulePlan, what: string): void {
  const { kind } = field.type;
  if (kind !== "string" && kind !== "json" && kind !== "binary") throw invalidRule(plan, `a ${kind} column has no ${what}`);
}

/** Judges a span of bytes. */
export type TextCheck = (bytes: Uint8Array, start: number, end: number) => boolean;

type TextScan = (column: Column, from: number, to: number, out: RowList) => void;

/** A scan that finds cells whose bytes fail `accepts`. */
export function scanSpans(accepts: TextCheck): TextScan {
  return (column, from, to, out) => {
    if (column.kind !== "bytes") throw new BrokenInvariant("not a column of bytes");
    const { state, bytes, starts, lengths } = column;
    for (let i = from; i < to; i++) {
      if (state[i] !== Cell.value) continue;
      const start = starts[i] as number;
      if (!accepts(bytes, start, start + (lengths[i] as number))) out.push(i);
    }
  };
}

/** As `scanSpans`, for a pure but slow check: its answers for short values are remembered. */
export function scanTexts(accepts: TextCheck): TextScan {
  const cache = new VerdictCache(accepts);
  return scanSpans((bytes, start, end) => cache.test(bytes, start, end));
}

/** The text of a span. */
export function spanText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}
