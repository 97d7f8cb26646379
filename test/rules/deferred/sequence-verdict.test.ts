import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RulePlan, Severity } from "../../../src/core/rule.ts";
import type { DeferredKeys } from "../../../src/rules/deferred/deferred-rule.ts";
import { LastNumbers } from "../../../src/rules/deferred/last-numbers.ts";
import { judgeSequences, type SequenceVerdict } from "../../../src/rules/deferred/sequence-verdict.ts";

function plan(severity: Severity = "error", step = 1): RulePlan {
  return {
    index: 0,
    id: "counts",
    check: { family: "sequence", by: ["k"], scope: "partition", step },
    path: "n",
    scope: "row",
    severity,
    tolerance: null,
    threshold: null,
    where: null,
    dimension: null,
    description: null,
    location: { file: "contract.yaml", line: 1, column: 1 },
  };
}

type Row = readonly [key: number, number: number | bigint];

/** Rows of a window as a question; `at`: their rows, by default 0, 1, ... */
function ask(rows: readonly Row[], at: readonly number[] = rows.map((_, i) => i)): DeferredKeys {
  const keys = Uint32Array.from(rows.flatMap(([key]) => [key, 1, 2, 3]));
  return {
    rule: 0,
    rows: Uint32Array.from(at),
    keys: new Uint8Array(keys.buffer),
    numbers: BigInt64Array.from(rows, ([, number]) => BigInt(number)),
  };
}

function judge(rows: readonly Row[], known: readonly LastNumbers[] = [], of: RulePlan = plan()): SequenceVerdict {
  return judgeSequences([{ plan: of, question: ask(rows), known }])[0] as SequenceVerdict;
}

const said = ({ breaks }: SequenceVerdict): (readonly unknown[])[] =>
  breaks.map(({ index, kind, came, expected }) => [index, kind, Number(came), Number(expected)]);

describe("one sequence", () => {
  it("takes the first number of a key as it is, and names gaps, repeats and steps back with what was expected", () => {
    const rows: Row[] = [
      [1, 5],
      [1, 6],
      [2, 100],
      [1, 9],
      [1, 9],
      [1, 7],
      [2, 101],
      [1, 10],
    ];
    expect(said(judge(rows))).toEqual([
      [3, "gap", 9, 7],
      [4, "repeat", 9, 10],
      [5, "backward", 7, 10],
    ]);
  });

  it("counts in steps; what lies between two of them is uneven", () => {
    const rows = [10, 20, 25, 30, 60].map((n): Row => [1, n]);
    expect(said(judge(rows, [], plan("error", 10)))).toEqual([
      [2, "between", 25, 30],
      [4, "gap", 60, 40],
    ]);
    // A row that stays counts.
    expect(said(judge(rows, [], plan("warning", 10)))).toEqual([
      [2, "between", 25, 30],
      [3, "between", 30, 35],
      [4, "gap", 60, 40],
    ]);
  });

  it("rejects all but gaps, and nothing where it only warns", () => {
    const rows = [1, 3, 3, 2].map((n): Row => [1, n]);
    expect(judge(rows).breaks.map(({ rejected }) => rejected)).toEqual([false, true, true]);
    expect(judge(rows, [], plan("warning")).breaks.some(({ rejected }) => rejected)).toBe(false);
  });

  it("is exact at the ends of 64 bits", () => {
    const top = (1n << 63n) - 1n;
    expect(
      said(
        judge([
          [1, top - 1n],
          [1, top],
        ]),
      ),
    ).toEqual([]);
    expect(
      judge([
        [1, top],
        [1, -top],
      ]).breaks[0],
    ).toMatchObject({ kind: "backward", expected: top + 1n });
    expect(
      judge([
        [1, 9007199254740992n],
        [1, 9007199254740994n],
      ]).breaks[0],
    ).toMatchObject({ kind: "gap", expected: 9007199254740993n });
  });
});

it("two sequences: a row that one of them rejects counts in neither", () => {
  const first = {
    plan: plan(),
    question: ask([
      [1, 1],
      [1, 2],
      [1, 3],
    ]),
    known: [],
  };
  const second = {
    plan: plan(),
    question: ask([
      [9, 7],
      [9, 7],
      [9, 8],
    ]),
    known: [],
  };
  const [a, b] = judgeSequences([first, second]) as [SequenceVerdict, SequenceVerdict];
  expect(said(b)).toEqual([[1, "repeat", 7, 8]]);
  // Row 1 is rejected, so 2 never came.
  expect(said(a)).toEqual([[2, "gap", 3, 2]]);
});

/** The reference: one key at a time, in plain numbers. */
function reference(rows: readonly Row[], rejects: boolean): (readonly unknown[])[] {
  const last = new Map<number, number>();
  return rows.flatMap(([key, number], index) => {
    const n = Number(number);
    const before = last.get(key);
    const kind = before === undefined || n === before + 1 ? null : n > before ? "gap" : n === before ? "repeat" : "backward";
    if (before === undefined || (n > before && (kind !== "repeat" || !rejects))) last.set(key, n);
    return kind === null ? [] : [[index, kind, n, (before as number) + 1]];
  });
}

const rowsOf = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 12 })), { maxLength: 60 });

it("however a partition is cut into windows, and whatever of it is read again, the same rows break", () => {
  fc.assert(
    fc.property(rowsOf, fc.array(fc.nat({ max: 60 }), { maxLength: 6 }), fc.constantFrom("error", "warning"), (rows, at, severity) => {
      const whole = reference(rows, severity === "error");
      expect(said(judge(rows, [], plan(severity)))).toEqual(whole);
      const cuts = [...new Set([0, ...at.filter((cut) => cut < rows.length), rows.length])].toSorted((a, b) => a - b);
      let known: LastNumbers[] = [];
      const found: (readonly unknown[])[] = [];
      for (const [i, from] of cuts.slice(0, -1).entries()) {
        // A window that is lost, and cut otherwise when it is read again, leaves nothing behind.
        judge(rows.slice(from), known, plan(severity));
        const verdict = judge(rows.slice(from, cuts[i + 1]), known, plan(severity));
        found.push(...said(verdict).map(([index, ...rest]) => [(index as number) + from, ...rest]));
        known = [...known, verdict.raised];
      }
      expect(found).toEqual(whole);
    }),
  );
});

it("what is known after a window is the largest number of each key among the rows that stay", () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom("error", "warning"), (rows, severity) => {
      const verdict = judge(rows, [], plan(severity));
      const rejected = new Set(verdict.breaks.filter((each) => each.rejected).map(({ index }) => index));
      const table = new LastNumbers();
      const stay = rows.filter((_, i) => !rejected.has(i)).toReversed();
      for (const [key, number] of stay) table.raise(Uint32Array.of(key, 1, 2, 3), 0, BigInt(number));
      const contents = (of: LastNumbers): Map<number, bigint> => {
        const map = new Map<number, bigint>();
        of.forEach((keys, slot, number) => map.set(keys[slot] as number, number));
        return map;
      };
      expect(contents(verdict.raised)).toEqual(contents(table));
    }),
  );
});
