import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffLines } from "../../src/core/line-diff.ts";

/** Applies hunks of a unified diff, as `patch` does: throws where the text is not what they say it is. */
function patch(text: string, diff: readonly string[]): string {
  const lines = text.split("\n");
  const out: string[] = [];
  let at = 0;
  for (const line of diff) {
    const title = /^@@ -(\d+),\d+ \+(\d+),\d+ @@$/.exec(line);
    if (title !== null) {
      while (at < Number(title[1]) - 1) out.push(lines[at++] as string);
      expect(out.length).toBe(Number(title[2]) - 1);
    } else if (line.startsWith("+")) out.push(line.slice(1));
    else {
      expect(lines[at]).toBe(line.slice(1));
      if (line.startsWith(" ")) out.push(line.slice(1));
      at++;
    }
  }
  return [...out, ...lines.slice(at)].join("\n");
}

describe("diffLines", () => {
  it("shows what changed with two lines around", () => {
    const before = ["a", "b", "c", "d", "e", "f", "g", "h"].join("\n");
    const after = ["a", "b", "c", "D", "e", "f", "g", "h", "i"].join("\n");
    expect(diffLines(before, after)).toEqual(["@@ -2,7 +2,8 @@", " b", " c", "-d", "+D", " e", " f", " g", " h", "+i"]);
    expect(diffLines(before, after, 0)).toEqual(["@@ -4,1 +4,1 @@", "-d", "+D", "@@ -9,0 +9,1 @@", "+i"]);
    expect(diffLines(before, before)).toEqual([]);
  });

  it("is a patch that makes the one text of the other, and no longer than it must be", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", "", "- x"), { maxLength: 12 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, fc.nat(3), (before, after, context) => {
        const diff = diffLines(before, after, context);
        expect(patch(before, diff)).toBe(after);
        const changed = diff.filter((line) => /^[-+]/.test(line)).length;
        expect(changed).toBe(leastChange(before.split("\n"), after.split("\n")));
      }),
    );
  });
});

/** The least number of lines to take out and put in, by recursion. */
function leastChange(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(a[i - 1] === b[j - 1] ? row[j - 1]! : 1 + Math.min(row[j]!, next[j - 1]!));
    row = next;
  }
  return row[b.length]!;
}
