import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashBytes, hashWords } from "../../src/sketches/murmur3.ts";
import { parseThetaImage, thetaImage } from "../../src/sketches/theta-image.ts";
import type { CompactTheta } from "../../src/sketches/theta.ts";
import { estimateTheta, thetaK, thetaMax, thetaStandardError, ThetaSketch, uniteThetas } from "../../src/sketches/theta.ts";
import { pythonHere, pythonSketches, runPython } from "../live/harness/python-readers.ts";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";

/** The values of a case: `count` texts from `from` on, every one `times` over. */
interface Case {
  readonly from: number;
  readonly count: number;
  readonly times: number;
}

const python = `
import sys, json
from datasketches import update_theta_sketch, theta_union, compact_theta_sketch
spec = json.load(open(sys.argv[1]))
def sketch(case):
    s = update_theta_sketch(12)
    for _ in range(case["times"]):
        for i in range(case["from"], case["from"] + case["count"]): s.update("value " + str(i))
    return s
out = []
for cases in spec["unions"]:
    union = theta_union(12)
    for case in cases: union.update(sketch(case))
    compact = union.get_result(True)
    out.append([compact.serialize().hex(), compact.get_estimate()])
single = [[s.compact(True).serialize().hex(), s.get_estimate()] for s in map(sketch, spec["single"])]
read = [compact_theta_sketch.deserialize(bytes.fromhex(h)).get_estimate() for h in spec["images"]]
print(json.dumps({"single": single, "unions": out, "read": read}))
`;

const out = new Uint32Array(4);

function sketchOf({ from, count, times }: Case): CompactTheta {
  const sketch = new ThetaSketch();
  for (let time = 0; time < times; time++) {
    for (let i = from; i < from + count; i++) {
      const bytes = Buffer.from(`value ${i}`);
      hashBytes(bytes, 0, bytes.length, out);
      sketch.add(out);
    }
  }
  return sketch.compact();
}

const hex = (sketch: CompactTheta): string => Buffer.from(thetaImage(sketch)).toString("hex");

const single: readonly Case[] = [
  { from: 0, count: 0, times: 1 },
  { from: 0, count: 1, times: 3 },
  { from: 7, count: 2, times: 1 },
  { from: 0, count: 4_096, times: 2 },
  { from: 0, count: 7_680, times: 1 },
  { from: 0, count: 7_681, times: 1 },
  { from: 0, count: 20_000, times: 1 },
  { from: 50_000, count: 60_000, times: 1 },
];
const unions: readonly (readonly Case[])[] = [
  [single[0]!, single[0]!],
  [single[0]!, single[1]!],
  [single[1]!, single[2]!],
  [
    { from: 0, count: 3_000, times: 1 },
    { from: 2_000, count: 3_000, times: 1 },
  ],
  [
    { from: 0, count: 20_000, times: 1 },
    { from: 10_000, count: 100, times: 1 },
  ],
  [
    { from: 0, count: 20_000, times: 1 },
    { from: 10_000, count: 60_000, times: 1 },
    { from: 500_000, count: 5_000, times: 1 },
  ],
  [
    { from: 0, count: 5_000, times: 1 },
    { from: 0, count: 5_000, times: 1 },
  ],
];

describe("a theta sketch", () => {
  it.skipIf(!pythonHere)(
    "is, byte for byte, what Apache DataSketches makes of the same values, alone and united",
    { timeout: 900_000 },
    async (context) => {
      const interpreter = await pythonSketches();
      if (interpreter === null) return context.skip();
      using scratch = scratchFolder();
      const file = join(scratch.folder, "cases.json");
      const own = single.map((each) => hex(sketchOf(each)));
      const united = unions.map((cases) => uniteThetas(cases.map(sketchOf)));
      writeFileSync(file, JSON.stringify({ single, unions, images: united.map(hex) }));
      const found = JSON.parse(await runPython(interpreter, python, [file])) as {
        readonly single: readonly (readonly [string, number])[];
        readonly unions: readonly (readonly [string, number])[];
        readonly read: readonly number[];
      };
      expect(own).toEqual(found.single.map(([image]) => image));
      expect(united.map(hex)).toEqual(found.unions.map(([image]) => image));
      expect(united.map(estimateTheta)).toEqual(found.unions.map(([, estimate]) => expect.closeTo(estimate, 6)));
      expect(found.read).toEqual(united.map((each) => expect.closeTo(estimateTheta(each), 6)));
    },
  );

  it("estimates within four standard errors, and exactly while it holds every value", () => {
    expect(estimateTheta(sketchOf({ from: 0, count: 7_680, times: 1 }))).toBe(7_680);
    for (const count of [10_000, 50_000, 200_000]) {
      const words = new ThetaSketch();
      for (let i = 0; i < count; i++) {
        hashWords(i, 0, 8, out);
        words.add(out);
      }
      expect(Math.abs(estimateTheta(words.compact()) / count - 1)).toBeLessThan(4 * thetaStandardError);
    }
  });

  it("is the same by any order and any split of its values, up to what a union keeps", () => {
    const value = fc.integer({ min: 0, max: 30_000 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.array(value, { maxLength: 200 }), (a, b) => {
        const sketch = (values: readonly number[]): CompactTheta => {
          const made = new ThetaSketch();
          for (const each of values) {
            hashWords(each, 0, 8, out);
            made.add(out);
          }
          return made.compact();
        };
        const whole = sketch([...a, ...b]);
        expect(uniteThetas([sketch(a), sketch(b)])).toEqual(whole);
        expect(uniteThetas([sketch(b), sketch(a), sketch(a)])).toEqual(whole);
        expect(parseThetaImage(thetaImage(whole))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
    const large = uniteThetas([sketchOf({ from: 0, count: 9_000, times: 1 }), sketchOf({ from: 9_000, count: 9_000, times: 1 })]);
    expect(large.hashes).toHaveLength(thetaK);
    expect(large.theta).toBeLessThan(thetaMax);
    expect(parseThetaImage(thetaImage(large))).toEqual(large);
  });

  it("is refused where its image is of another kind, seed or length, or out of order", () => {
    const good = thetaImage(sketchOf({ from: 0, count: 3, times: 1 }));
    for (const [at, byte] of [
      [0, 5],
      [1, 2],
      [2, 1],
      [5, 2],
      [6, 0],
      [8, 9],
      [23, 0xff],
    ] as const) {
      const bad = good.slice();
      bad[at] = byte;
      expect(() => parseThetaImage(bad), `byte ${at}`).toThrow(RangeError);
    }
    for (let length = 0; length < good.length; length++) expect(() => parseThetaImage(good.subarray(0, length))).toThrow(RangeError);
  });
});
