import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { flightTexts } from "../../bench/flights.ts";
import { codecs } from "../../src/codecs/index.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { ColumnProfile } from "../../src/core/profile.ts";
import type { Field } from "../../src/core/schema.ts";
import { slotOf } from "../../src/sketches/count-table.ts";
import { wholeShape } from "../../src/sketches/column-state.ts";
import { distinctStandardError, estimateDistinct } from "../../src/sketches/distinct.ts";
import type { WindowProfiler } from "../../src/sketches/index.ts";
import { compileProfiler, mergeProfiles } from "../../src/sketches/index.ts";
import { leafFields } from "../../src/sketches/leaf-columns.ts";
import { standardDeviation } from "../../src/sketches/moments.ts";
import { distributionOf, rankErrorMax, shareBelow } from "../../src/sketches/quantiles.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { layoutBatch } from "../../src/wasm/layout.ts";
import { makeResident } from "../../src/wasm/resident-batch.ts";
import { makeRecords } from "../fixtures/contract.ts";
import type { TestValue } from "./columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "./columns.ts";

const chunkRows = 2048;

interface Lane {
  readonly profiler: WindowProfiler;
  add(batch: Batch): void;
}

function laneOf(fields: readonly Field[]): Lane {
  const arena = new Arena();
  const layout = layoutBatch(fields, arena);
  const profiler = compileProfiler(contractOf(fields), layout, arena);
  const all = Uint32Array.from({ length: chunkRows }, (_, row) => row);
  return { profiler, add: (batch) => profiler.add(makeResident(batch, layout, arena), all.subarray(0, batch.rows)) };
}

/** One column's profile of windows of `window` values, merged. */
function profileOf(field: Field, values: readonly TestValue[], window = values.length): ColumnProfile {
  const lane = laneOf([field]);
  let merged: ReturnType<WindowProfiler["finish"]> | null = null;
  for (let from = 0; from < values.length; from += window) {
    lane.profiler.reset();
    const to = Math.min(values.length, from + window);
    for (let at = from; at < to; at += chunkRows) lane.add(batchOf([columnOf(field, values.slice(at, Math.min(to, at + chunkRows)))]));
    const profile = lane.profiler.finish();
    merged = merged === null ? profile : mergeProfiles(merged, profile);
  }
  return merged!.columns.get(field.path)!;
}

/** What is true of a column's values; numbers are told by their text. */
interface Truth {
  readonly counts: ReadonlyMap<string, number>;
  readonly sorted: Float64Array;
}

function truthOf(values: readonly TestValue[], numeric: boolean): Truth {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return { counts, sorted: numeric ? Float64Array.from(values, Number).sort() : new Float64Array(0) };
}

/** Holds what is stated of each sketch's error against the truth; answers rank errors at 99 points, of ties beyond the tie. */
function checkColumn(column: ColumnProfile, { counts, sorted }: Truth): number[] {
  const exact = column.top!.error === 0;
  const distinct = exact ? column.top!.entries.length : estimateDistinct(column.distinct);
  expect(Math.abs(distinct / counts.size - 1)).toBeLessThan(exact ? 1e-12 : 4 * distinctStandardError);
  const found = new Map(column.top!.entries.map((entry) => [entry.value, entry.count]));
  let tooShort = 0;
  for (const [value, count] of counts) {
    const least = found.get(value) ?? 0;
    expect(least).toBeLessThanOrEqual(count);
    if (least + column.top!.error < count) tooShort++;
  }
  expect(tooShort).toBeLessThanOrEqual(counts.size / 1000);
  expect(column.top!.error).toBeLessThanOrEqual(column.top!.total / 60 + 100);
  if (column.quantiles === null) return [];
  const n = sorted.length;
  const mean = sorted.reduce((total, value) => total + value / n, 0);
  const scale = Math.max(Math.abs(sorted[0]!), Math.abs(sorted.at(-1)!), 1e-300);
  expect(Math.abs(column.moments!.mean - mean) / scale).toBeLessThan(1e-11);
  expect(column.moments).toMatchObject({ count: n, min: sorted[0], max: sorted.at(-1) });
  const distribution = distributionOf(column.quantiles);
  return Array.from({ length: 99 }, (_, i) => {
    let at = Math.floor(((i + 1) / 100) * n);
    const value = sorted[at]!;
    while (sorted[at + 1] === value) at++;
    return Math.abs(shareBelow(distribution, value, true) - (at + 1) / n);
  });
}

type Shape = (i: number, random: () => number) => number;

const length = 40_000;
const shapes: Readonly<Record<string, Shape>> = {
  sorted: (i) => i,
  reversed: (i) => length - i,
  "all equal": () => 7,
  "all distinct, scattered": (i) => (i * 2_654_435_761) % 4_294_967_291,
  zipf: (_, random) => Math.floor(1e5 ** random()),
  "alternating extremes": (i, random) => Math.floor((i % 2 === 0 ? -1 : 1) * 2 ** 52 * random()),
  "heavy ties": (_, random) => (random() < 0.7 ? 5 : Math.floor(1e6 * random())),
  "ten heavy values among many": (_, random) => (random() < 0.5 ? 1e7 + Math.floor(10 * random()) : Math.floor(1e6 * random())),
  "heavy values come late": (i, random) => (i > 0.9 * length && random() < 0.5 ? -1e9 : Math.floor(1e7 * random())),
};

describe("a window's sketches keep their stated errors", () => {
  test("on adversarial numbers, as whole numbers and as doubles", () => {
    const rankErrors: number[] = [];
    for (const [name, shape] of Object.entries(shapes)) {
      const random = seededRandom(name.length);
      const values = Array.from({ length }, (_, i) => shape(i, random));
      const truth = truthOf(values, true);
      for (const field of [fieldOf("n", { kind: "long" }), fieldOf("x", { kind: "double" })]) {
        rankErrors.push(...checkColumn(profileOf(field, values), truth));
      }
      rankErrors.push(...checkColumn(profileOf(fieldOf("n", { kind: "long" }), values, 20_000), truth));
    }
    rankErrors.sort((a, b) => a - b);
    expect(rankErrors[Math.floor(0.99 * rankErrors.length)]).toBeLessThan(rankErrorMax);
    expect(rankErrors.at(-1)).toBeLessThan(2 * rankErrorMax);
  });

  test("on texts, short and long, few and many", () => {
    const random = seededRandom(9);
    const texts: Readonly<Record<string, (i: number) => string>> = {
      "short ones": () => `N${Math.floor(5000 ** random())}`,
      "long ones": () => `https://example.org/a/rather/long/path/of/resources/${Math.floor(1e5 ** random())}?and=more`,
      "each its own": (i) => `id-${i}`,
      "of four bytes a letter": () => `${"😀".repeat(70)}${Math.floor(1000 * random())}`,
    };
    for (const [name, make] of Object.entries(texts)) {
      const values = Array.from({ length: 30_000 }, (_, i) => make(i));
      const column = profileOf(fieldOf("t", { kind: "string" }), values);
      const points = values.map((value) => Array.from(value).length);
      expect([name, column.lengths!.min, column.lengths!.max]).toEqual([name, Math.min(...points), Math.max(...points)]);
      expect(column.lengths!.mean).toBeCloseTo(points.reduce((a, b) => a + b, 0) / points.length, 9);
      // What is cut can't be told apart by its text.
      if (name === "short ones" || name === "each its own") checkColumn(column, truthOf(values, false));
      else expect(Math.abs(estimateDistinct(column.distinct) / new Set(values).size - 1)).toBeLessThan(4 * distinctStandardError);
    }
  });

  test("means and deviations keep their digits where numbers are large and close", () => {
    const random = seededRandom(2);
    const values = Array.from({ length: 100_000 }, () => 1e9 + normal(random));
    const { moments } = profileOf(fieldOf("x", { kind: "double" }), values);
    const mean = values.reduce((sum, value) => sum + (value - 1e9), 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - 1e9 - mean) ** 2, 0) / (values.length - 1));
    expect(moments!.mean - 1e9).toBeCloseTo(mean, 6);
    expect(standardDeviation(moments!)).toBeCloseTo(deviation, 6);
  });

  test("on the flights", async () => {
    const file = fileURLToPath(new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url));
    const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const decode = codecs.find((codec) => codec.name === "json")!.compile(contract);
    const lane = laneOf(contract.fields);
    const fields = leafFields(contract.fields);
    const values = new Map<string, TestValue[]>(fields.map((field) => [field.path, []]));
    const texts: Buffer[] = [];
    for await (const some of flightTexts(20_480)) texts.push(...some);
    for (let from = 0; from < texts.length; from += chunkRows) {
      const batch = decode(makeRecords(texts.slice(from, from + chunkRows)));
      lane.add(batch);
      for (const column of batch.columns) {
        for (let row = 0; row < batch.rows; row++) {
          if (column.state[row] !== 0) continue;
          const own = values.get(column.field.path)!;
          if (column.kind === "bytes") {
            const start = column.starts[row]!;
            own.push(Buffer.from(column.bytes.subarray(start, start + column.lengths[row]!)).toString());
          } else if (column.kind === "integer" && column.field.type.kind !== "timestamp") own.push(column.exact[row]);
          else if (column.kind === "float") own.push(column.values[row]);
        }
      }
    }
    const profile = lane.profiler.finish();
    let checked = 0;
    for (const [path, own] of values) {
      const column = profile.columns.get(path)!;
      if (column.kind === "time") continue;
      expect(column.count - column.nulls - column.missing).toBe(own.length);
      for (const error of checkColumn(column, truthOf(own, column.kind === "number"))) expect(error).toBeLessThan(rankErrorMax);
      checked++;
    }
    expect(checked).toBe(fields.length - 1);
  });
});

describe("hostile values", () => {
  /** Numbers that all begin their search in one slot, far from the dense ones. */
  const colliding = (i: number): bigint => {
    const word = BigInt(i + 1);
    return (word << 32n) | word;
  };

  test("that all want one slot cost a bounded search, and the errors stay true", () => {
    const slots = new Set(Array.from({ length: 1000 }, (_, i) => slotOf(i + 1, i + 1, wholeShape.slotCount)));
    expect(slots.size).toBe(1);
    const field = fieldOf("n", { kind: "long" });
    const seconds = (value: (i: number) => bigint): number => {
      const lane = laneOf([field]);
      const chunks = Array.from({ length: 20 }, (_, chunk) =>
        batchOf([
          columnOf(
            field,
            Array.from({ length: chunkRows }, (__, i) => value(chunk * chunkRows + i)),
          ),
        ]),
      );
      let best = Infinity;
      for (let round = 0; round < 3; round++) {
        lane.profiler.reset();
        const before = process.cpuUsage();
        for (const chunk of chunks) lane.add(chunk);
        best = Math.min(best, process.cpuUsage(before).user);
      }
      return best;
    };
    const friendly = seconds((i) => BigInt(i) * 1_000_003n);
    expect(seconds(colliding)).toBeLessThan(6 * friendly + 20_000);
    const random = seededRandom(4);
    const values = Array.from({ length: 60_000 }, () => colliding(random() < 0.3 ? 5 : Math.floor(30_000 * random())));
    const column = profileOf(field, values);
    const heavy = values.filter((value) => value === colliding(5)).length;
    const entry = column.top!.entries.find(({ value }) => value === String(colliding(5)));
    expect(entry!.count).toBeLessThanOrEqual(heavy);
    expect(entry!.count + column.top!.error).toBeGreaterThanOrEqual(heavy);
    expect(Math.abs(estimateDistinct(column.distinct) / new Set(values).size - 1)).toBeLessThan(4 * distinctStandardError);
  });
});

test("500 columns take at most 44 KiB each", () => {
  const kinds = ["long", "double", "string", "timestamp"] as const;
  const fields = Array.from({ length: 500 }, (_, i) => {
    const kind = kinds[i % 4]!;
    return fieldOf(`c${i}`, kind === "timestamp" ? { kind, zoned: true, unit: "micros" } : { kind });
  });
  const arena = new Arena();
  const layout = layoutBatch(fields, arena);
  const before = arena.used;
  compileProfiler(contractOf(fields), layout, arena);
  expect((arena.used - before) / 500).toBeLessThan(44 * 1024);
});
