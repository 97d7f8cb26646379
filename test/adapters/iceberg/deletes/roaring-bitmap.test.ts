import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { DeletedRows } from "../../../../src/adapters/iceberg/deletes/deleted-rows.ts";
import { applyDeletionVector } from "../../../../src/adapters/iceberg/deletes/deletion-vector.ts";
import { visitRoaring64 } from "../../../../src/adapters/iceberg/deletes/roaring-bitmap.ts";
import { scratchFolder } from "../../lake/lake-fixture.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";

/** CRoaring's portable bytes, in hex, of bitmaps given as runs; of every second one after its containers were made runs. */
const croaring = `
import sys, json
from pyroaring import BitMap64
out = []
for runs in json.load(open(sys.argv[1])):
    bitmap = BitMap64()
    for first, end in runs: bitmap.add_range(first, end)
    plain = bitmap.serialize().hex()
    bitmap.run_optimize()
    out.append([plain, bitmap.serialize().hex(), len(bitmap)])
print(json.dumps(out))
`;

type Run = readonly [first: number, end: number];

function runsOf(bytes: Uint8Array): { runs: Run[]; count: number } {
  const runs: [number, number][] = [];
  const count = visitRoaring64(bytes, (first, end) => {
    const last = runs.at(-1);
    if (last?.[1] === first) last[1] = end;
    else runs.push([first, end]);
  });
  return { runs, count };
}

/** Runs in order, those that touch made one. */
function joined(runs: readonly Run[]): Run[] {
  const all: [number, number][] = [];
  for (const [first, end] of runs.toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && first <= last[1]) last[1] = Math.max(last[1], end);
    else all.push([first, end]);
  }
  return all;
}

const spread = (count: number, step: number, from = 0): Run[] =>
  Array.from({ length: count }, (_, i) => [from + i * step, from + i * step + 1]);

/** Arrays, bitmaps and runs, at the sizes where one becomes the other, in one container and in many, beyond 32 bits too. */
const known: readonly (readonly Run[])[] = [
  [],
  [[0, 1]],
  [[65_535, 65_537]],
  spread(4_096, 2),
  spread(4_097, 2),
  spread(32_768, 2),
  [[0, 65_536]],
  [[10, 300_000]],
  [...spread(5, 65_536), [400_000, 400_100]],
  [...spread(9, 65_536), [700_000, 800_000]],
  spread(20, 65_536),
  [
    [2 ** 32 - 2, 2 ** 32 + 3],
    [3 * 2 ** 32, 3 * 2 ** 32 + 70_000],
  ],
];

function vector(body: Uint8Array): Buffer {
  const marked = Buffer.concat([Buffer.from("d1d33964", "hex"), body]);
  const blob = Buffer.alloc(marked.length + 8);
  blob.writeUInt32BE(marked.length, 0);
  marked.copy(blob, 4);
  blob.writeUInt32BE(crc32(marked), marked.length + 4);
  return blob;
}

/** One array of 1, 5 and 9. */
const small = Buffer.from("0100000000000000000000003a300000010000000000020010000000010005000900", "hex");

describe("a Roaring bitmap", () => {
  it.skipIf(!pythonHere)("has the values that CRoaring wrote, of every kind of container", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    const random = fc.sample(
      fc.array(
        fc
          .tuple(fc.integer({ min: 0, max: 500_000 }), fc.integer({ min: 1, max: 9_000 }))
          .map(([first, length]): Run => [first, first + length]),
        { maxLength: 30 },
      ),
      { numRuns: 40, seed: 7 },
    );
    const cases = [...known, ...random];
    using scratch = scratchFolder();
    const file = join(scratch.folder, "cases.json");
    writeFileSync(file, JSON.stringify(cases));
    const written = JSON.parse(await runPython(python, croaring, [file])) as [string, string, number][];
    for (const [i, [plain, optimized, count]] of written.entries()) {
      const wanted = { runs: joined(cases[i] as readonly Run[]), count };
      expect(runsOf(Buffer.from(plain, "hex"))).toEqual(wanted);
      expect(runsOf(Buffer.from(optimized, "hex"))).toEqual(wanted);
    }
  });

  it("deletes rows by a vector, those alone that the file has", () => {
    const deleted = new DeletedRows(6);
    expect(applyDeletionVector(vector(small), deleted)).toBe(3);
    expect([deleted.count, [0, 1, 2, 3, 4, 5].filter((row) => deleted.has(row))]).toEqual([2, [1, 5]]);
    expect([...(deleted.kept(0, 4) as Uint8Array)]).toEqual([1, 0, 1, 1]);
    expect(deleted.kept(2, 3)).toBeNull();
  });

  it("is refused where a byte of it is another, or missing", () => {
    const good = vector(small);
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good);
      bad[i] = (bad[i] as number) ^ 0x10;
      expect(() => applyDeletionVector(bad, new DeletedRows(6)), `byte ${i}`).toThrow(RangeError);
      expect(() => applyDeletionVector(good.subarray(0, i), new DeletedRows(6)), `${i} bytes`).toThrow(RangeError);
    }
    for (let i = 0; i < small.length; i++) expect(() => visitRoaring64(small.subarray(0, i), () => {})).toThrow(RangeError);
  });
});
