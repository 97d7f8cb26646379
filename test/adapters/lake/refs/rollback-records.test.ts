import fc from "fast-check";
import { expect, it } from "vitest";
import type { SequenceRange } from "../../../../src/adapters/lake/refs/rollback-records.ts";
import { formatRanges, isIn, parseRanges, subtractRanges, uniteRanges } from "../../../../src/adapters/lake/refs/rollback-records.ts";

const ranges = fc.array(
  fc.tuple(fc.nat(30), fc.nat(8)).map(([first, more]): SequenceRange => ({ first: BigInt(first), last: BigInt(first + more) })),
  { maxLength: 6 },
);
const members = (list: readonly SequenceRange[]): number[] => Array.from({ length: 50 }, (_, i) => i).filter((i) => isIn(list, BigInt(i)));

it("ranges are sets of sequence numbers, in their shortest form", () => {
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const left = subtractRanges(a, b);
      expect(members(left)).toEqual(members(a).filter((each) => !isIn(b, BigInt(each))));
      expect(members(uniteRanges([...a, ...b]))).toEqual(members([...a, ...b]));
      for (const list of [left, uniteRanges(a)])
        for (const [i, each] of list.entries()) expect(i === 0 || each.first > list[i - 1]!.last + 1n).toBe(true);
      expect(parseRanges(formatRanges(a))).toEqual(a);
    }),
  );
});
