import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Field } from "../../src/core/schema.ts";
import { hllImage, kllImage, mergeProfiles, profileBatch } from "../../src/sketches/index.ts";
import { estimateDistinct } from "../../src/sketches/distinct.ts";
import { distributionOf, quantileOf } from "../../src/sketches/quantiles.ts";
import { pythonSketches, runPython } from "../live/harness/python-readers.ts";
import type { TestValue } from "./columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, seededRandom } from "./columns.ts";

const python = await pythonSketches();

const columns: readonly { readonly field: Field; readonly update: string; readonly value: (i: number) => TestValue }[] = [
  { field: fieldOf("longs", { kind: "long" }), update: "i * 7919 - 40000", value: (i) => BigInt(i * 7919 - 40_000) },
  { field: fieldOf("doubles", { kind: "double" }), update: "i / 7", value: (i) => i / 7 },
  { field: fieldOf("texts", { kind: "string" }), update: "('é' * (i % 40)) + str(i)", value: (i) => "é".repeat(i % 40) + String(i) },
  {
    field: fieldOf("times", { kind: "timestamp", zoned: true, unit: "micros" }),
    update: "i * 1000003",
    value: (i) => BigInt(i) * 1_000_003n,
  },
];

const script = `
import sys, json
from datasketches import hll_sketch, tgt_hll_type, kll_doubles_sketch
folder, count = sys.argv[1], int(sys.argv[2])
updates = json.loads(sys.argv[3])
answer = {}
for name, expression in updates.items():
    image = open(f"{folder}/{name}.hll", "rb").read()
    ours = hll_sketch.deserialize(image)
    theirs = hll_sketch(12, tgt_hll_type.HLL_8)
    value = eval("lambda i: " + expression)
    for i in range(count): theirs.update(value(i))
    answer[name] = {
        "estimate": ours.get_estimate(),
        "lower": ours.get_lower_bound(3),
        "upper": ours.get_upper_bound(3),
        "registers": theirs.serialize_compact()[40:] == image[40:],
    }
for name in ("many", "few", "one", "none"):
    sketch = kll_doubles_sketch.deserialize(open(f"{folder}/{name}.kll", "rb").read())
    empty = sketch.is_empty()
    answer[name] = {
        "n": sketch.n, "k": sketch.k, "retained": sketch.num_retained,
        "min": None if empty else sketch.get_min_value(), "max": None if empty else sketch.get_max_value(),
        "quantiles": [] if empty else [sketch.get_quantile(q, True) for q in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)],
    }
    if not empty:
        sketch.merge(sketch)
        answer[name]["merged"] = sketch.n
answer["nothing"] = hll_sketch.deserialize(open(f"{folder}/nothing.hll", "rb").read()).is_empty()
print(json.dumps(answer))
`;

describe.skipIf(python === null)("sketches as Apache DataSketches reads them", () => {
  test("registers are those of DataSketches' own updates, and quantiles are the same", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-sketches-"));
    try {
      const count = 20_000;
      const estimates: Record<string, number> = {};
      for (const { field, value } of columns) {
        const contract = contractOf([field]);
        const part = (from: number, to: number) =>
          profileBatch(
            contract,
            batchOf([
              columnOf(
                field,
                Array.from({ length: to - from }, (_, i) => value(from + i)),
              ),
            ]),
            null,
          );
        const { distinct } = mergeProfiles(part(0, 12_000), part(9000, count)).columns.get(field.path)!;
        writeFileSync(join(folder, `${field.path}.hll`), hllImage(distinct));
        estimates[field.path] = estimateDistinct(distinct);
      }
      const random = seededRandom(3);
      const field = fieldOf("x", { kind: "double" });
      const contract = contractOf([field]);
      const kll: Record<string, number[]> = {
        many: Array.from({ length: 50_000 }, () => 1e3 * random()),
        few: Array.from({ length: 50_000 }, () => Math.floor(40 * random())),
        one: [2.5],
        none: [],
      };
      const profiles = Object.entries(kll).map(([name, values]) => {
        const column = profileBatch(contract, batchOf([columnOf(field, values)]), null).columns.get("x")!;
        writeFileSync(join(folder, `${name}.kll`), kllImage(column.quantiles!, column.moments!.min, column.moments!.max));
        if (values.length === 0) writeFileSync(join(folder, "nothing.hll"), hllImage(column.distinct));
        return [name, column] as const;
      });
      const updates = Object.fromEntries(columns.map(({ field: { path }, update }) => [path, update]));
      const answer = JSON.parse(await runPython(python!, script, [folder, String(count), JSON.stringify(updates)]));
      for (const [path, estimate] of Object.entries(estimates)) {
        expect([path, answer[path].registers]).toEqual([path, true]);
        expect(answer[path].lower).toBeLessThan(count);
        expect(answer[path].upper).toBeGreaterThan(count);
        expect(Math.abs(answer[path].estimate / estimate - 1)).toBeLessThan(0.01);
      }
      expect(answer.nothing).toBe(true);
      for (const [name, { quantiles, moments }] of profiles) {
        const distribution = distributionOf(quantiles!);
        const empty = quantiles!.count === 0;
        expect(answer[name]).toMatchObject({
          n: kll[name]!.length,
          k: 512,
          retained: quantiles!.levels.reduce((sum, items) => sum + items.length, 0),
          min: empty ? null : moments!.min,
          max: empty ? null : moments!.max,
          quantiles: empty ? [] : [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99].map((q) => quantileOf(distribution, q)),
        });
        if (!empty) expect(answer[name].merged).toBe(2 * kll[name]!.length);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
});
