import { BrokenInvariant } from "../core/broken-invariant.ts";
import { Cell, type Column } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { checksums } from "./formats/checksums.ts";
import type { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { scanTexts, spanText } from "./text-check.ts";

function listWords(lengths: readonly number[]): string {
  const last = lengths.at(-1);
  return lengths.length < 2 ? String(last) : `${lengths.slice(0, -1).join(", ")} or ${last}`;
}

/** A number or text whose check digits are wrong; spaces and hyphens between digits are passed over. */
export const checksumFamily: RuleFamily<"checksum"> = {
  family: "checksum",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const { kind } = path.field.type;
    if (kind !== "string" && kind !== "int" && kind !== "long") throw invalidRule(plan, `a ${kind} column has no check digits`);
    const { words, isValid } = checksums[check.algorithm];
    const lengths = new Set(check.lengths);
    const accepts = (text: string): boolean => {
      const plain = text.replace(/[ -]/g, "");
      return (lengths.size === 0 || lengths.has(plain.length)) && isValid(plain);
    };
    const expected = `${words}${check.lengths.length === 0 ? "" : ` and ${listWords(check.lengths)} characters`}`;
    const texts = scanTexts((bytes, start, end) => accepts(spanText(bytes, start, end)));
    const numbers = (column: Column, from: number, to: number, out: RowList): void => {
      if (column.kind !== "integer") throw new BrokenInvariant("not a column of whole numbers");
      const { state, exact } = column;
      for (let i = from; i < to; i++) {
        if (state[i] !== Cell.value) continue;
        const value = exact[i] as bigint;
        // A sign is no hyphen between digits.
        if (value < 0n || !accepts(String(value))) out.push(i);
      }
    };
    return cellRule(path, { scan: kind === "string" ? texts : numbers, expected, limit: check.algorithm });
  },
};
