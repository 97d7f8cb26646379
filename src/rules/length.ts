import { BrokenInvariant } from "../core/broken-invariant.ts";
import { Cell, type Column } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { cellText } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import type { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** Code points of valid UTF-8: the bytes that don't continue another. */
export function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let p = start; p < end; p++) if (((bytes[p] as number) & 0xc0) !== 0x80) count++;
  return count;
}

/** `from 2 to 3 characters` */
export function countWords(min: number | null, max: number | null, one: string, many: string): string {
  const noun = (count: number): string => (count === 1 ? one : many);
  if (min !== null && max !== null) return min === max ? `exactly ${min} ${noun(min)}` : `${min} to ${max} ${many}`;
  return min !== null ? `at least ${min} ${noun(min)}` : `at most ${max ?? 0} ${noun(max ?? 0)}`;
}

/** Text (in code points) or binary (in bytes) that is too short or too long. */
export const lengthFamily: RuleFamily<"length"> = {
  family: "length",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const { kind } = path.field.type;
    if (kind !== "string" && kind !== "binary" && kind !== "json") throw invalidRule(plan, `a ${kind} column has no length`);
    const least = check.min ?? 0;
    const most = check.max ?? Infinity;
    const text = kind !== "binary";
    const measure = (column: Column, cell: number): number => {
      if (column.kind !== "bytes") throw new BrokenInvariant("not a column of bytes");
      const start = column.starts[cell] as number;
      const length = column.lengths[cell] as number;
      return text ? codePoints(column.bytes, start, start + length) : length;
    };
    const scan = (column: Column, from: number, to: number, out: RowList): void => {
      if (column.kind !== "bytes") throw new BrokenInvariant("not a column of bytes");
      const { state, lengths } = column;
      for (let i = from; i < to; i++) {
        if (state[i] !== Cell.value) continue;
        const size = lengths[i] as number;
        // A code point takes one to four bytes.
        if (size <= most && size >= least && (!text || size >= least * 4)) continue;
        const length = measure(column, i);
        if (length < least || length > most) out.push(i);
      }
    };
    const words = countWords(check.min, check.max, text ? "character" : "byte", text ? "characters" : "bytes");
    return cellRule(path, {
      scan,
      expected: words,
      limit: words,
      describe: (column, cell, batch) => {
        const length = measure(column, cell);
        const noun = text ? "character" : "byte";
        return { observed: cellText(column, cell, batch), finding: `has ${length} ${length === 1 ? noun : `${noun}s`}` };
      },
    });
  },
};
