import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { BenchTable, Comparison, Measurement, Spread } from "../../bench/bench.ts";

interface Result {
  readonly name: string;
  readonly setup: string;
  readonly comparisons: readonly Comparison[];
  readonly measurements: readonly Measurement[];
  readonly tables?: readonly BenchTable[];
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number; readonly platform: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly date: string;
}

const folder = new URL("../../bench/results/", import.meta.url);
const page = readFileSync(new URL("../../docs/performance.md", import.meta.url), "utf8");
const resultOf = (name: string): Result => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Result;
/** What peers answered, which `drift-peers` compares with, is no bench's result. */
const names = readdirSync(folder)
  .map((file) => file.replace(/\.json$/, ""))
  .filter((name) => name !== "drift-peer-answers");

/** What each comparison was promised: its floor and its aim. */
const promised: Readonly<Record<string, readonly (readonly [RegExp, number, number])[]>> = {
  engine: [
    [/^decode \+ 20 rules, Buffers/, 6, 9],
    [/^decode \+ 20 rules, slab/, 8, 12],
    [/^\+ profile of every column, Buffers/, 5, 7],
    [/^\+ profile of every column, slab/, 6, 10],
    [/^\+ Parquet \+ quarantine/, 2.2, 4],
    [/shuffled/, 10, 18],
  ],
  duckdb: [[/^engine \/ DuckDB, CPU/, 3, 6]],
  avro: [[/^compiled \/ avsc/, 4, 8]],
  protobuf: [[/^compiled \/ protobuf-es/, 4, 8]],
  parquet: [[/^rows\/s, own pages \/ parquet-wasm/, 3, 5]],
  gate: [
    [/kafkajs/, 0.8, 1.5],
    [/bare consumer of ours|record batches|raw/, 0.35, 0.7],
  ],
  peers: [
    [/pandera/, 2, 4],
    [/Great Expectations/, 20, 60],
    [/Deequ/, 20, 60],
  ],
  columns: [
    [/DuckDB/, 0.8, 2],
    [/Polars/, 0.8, 2],
  ],
};

/** Whom each bench compares with, as its versions name them. */
const peersOf: Readonly<Record<string, readonly string[]>> = {
  engine: ["ajv"],
  json: ["ajv"],
  duckdb: ["@duckdb/node-api"],
  avro: ["avsc"],
  protobuf: ["@bufbuild/protobuf"],
  parquet: ["parquet-wasm", "pyarrow (Python)"],
  gate: ["kafkajs", "ajv"],
  columns: ["@duckdb/node-api", "polars (Python or Java)"],
  peers: ["polars", "pandera[polars]", "duckdb", "great-expectations", "deequ"].map((name) => `${name} (Python or Java)`),
  scale: ["ajv"],
};

/** Lines of one part of the page that are rows of tables, as cells. */
function rowsOf(heading: string): string[][] {
  const [, rest = ""] = page.split(`\n## ${heading}\n`);
  return (rest.split("\n## ")[0] as string)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** The figures of a cell, each with half of the last digit's worth. */
function figuresOf(cell: string): { readonly value: number; readonly within: number }[] {
  return Array.from(cell.matchAll(/([\d,]*\d(?:\.\d+)?)( M)?(?![\d,])/g), ([, text = "", millions]) => {
    const unit = millions === undefined ? 1 : 1e6;
    const digits = text.split(".")[1]?.length ?? 0;
    return { value: Number(text.replaceAll(",", "")) * unit, within: 0.5001 * unit * 10 ** -digits };
  });
}

const says = (cell: string, value: number): boolean => {
  const [figure, ...more] = figuresOf(cell);
  return figure !== undefined && more.length === 0 && Math.abs(figure.value - value) <= figure.within;
};

function spreadsOf(value: unknown): Spread[] {
  if (typeof value !== "object" || value === null) return [];
  if ("median" in value) return [value as Spread];
  return Object.values(value).flatMap(spreadsOf);
}

describe("committed results", () => {
  it.each(names)("%s says what was measured, on what, of what", (name) => {
    const result = resultOf(name);
    expect(result.name).toBe(name);
    expect(result.setup.length).toBeGreaterThan(20);
    expect(Object.keys(result.machine).toSorted()).toEqual(["cores", "cpu", "memoryGiB", "platform"]);
    expect(result.versions["node"]).toMatch(/^v?24\./);
    expect(result.commit).toMatch(/^[0-9a-f]{7,40}$/);
    expect(Date.parse(result.date)).toBeGreaterThan(Date.parse("2026-01-01"));
    expect(result.comparisons.length + result.measurements.length + (result.tables ?? []).length).toBeGreaterThan(0);
    for (const { min, median, max } of spreadsOf([result.comparisons, result.measurements]))
      expect([min <= median, median <= max]).toEqual([true, true]);
  });

  it("name the versions of whom they compare with", () => {
    for (const [name, peers] of Object.entries(peersOf)) {
      const { versions } = resultOf(name);
      expect([name, peers.filter((peer) => versions[peer] === undefined)]).toEqual([name, []]);
    }
  });

  it("have the floors and aims that were promised, and are below a floor only where the page says so", () => {
    const below: string[] = [];
    for (const [name, promises] of Object.entries(promised)) {
      const { comparisons } = resultOf(name);
      for (const [pattern, floor, aim] of promises) {
        const kept = comparisons.filter((each) => pattern.test(each.name));
        expect(kept.length, `${name} ${String(pattern)}`).toBeGreaterThan(0);
        for (const each of kept) expect([each.name, each.floor, each.aim]).toEqual([each.name, floor, aim]);
      }
      for (const each of comparisons) if (each.floor !== null && each.ratio.median < each.floor) below.push(each.name);
    }
    const missed = page.split("\n").filter((line) => /^\|.*: missed \|$/.test(line));
    expect(below.length).toBe(missed.length);
    for (const name of below) expect(missed.some((line) => line.includes(name.split(" / ").at(-1) as string))).toBe(true);
  });
});

describe("the page on performance", () => {
  it.each([
    ["One thread, the same records", ["engine"], 13],
    ["NDJSON to Parquet, beside DuckDB", ["duckdb"], 12],
    ["Avro and Protobuf", ["avro", "protobuf"], 4],
    ["Parquet alone", ["parquet"], 2],
    ["Columns in memory", ["columns"], 10],
    ["The whole path", ["gate"], 15],
    ["Whole processes", ["peers"], 5],
  ] as const)("%s: every least, middle and greatest figure is the committed one", (heading, files, count) => {
    const spreads = files.flatMap((name) => spreadsOf(resultOf(name)));
    const cells = rowsOf(heading)
      .flat()
      .filter((cell) => cell.split(" / ").length === 3);
    for (const cell of cells) {
      const figures = figuresOf(cell.replace(/\(.*\)/, ""));
      const isMeasured = spreads.some(({ min, median, max }) =>
        [min, median, max].every((value, i) => Math.abs(value - (figures[i]?.value ?? Number.NaN)) <= (figures[i]?.within ?? 0)),
      );
      expect([cell, isMeasured]).toEqual([cell, true]);
    }
    expect(cells.length).toBeGreaterThanOrEqual(count);
  });

  it("Scale: every figure is the committed median", () => {
    const { measurements, comparisons } = resultOf("scale");
    const rows = rowsOf("Scale").slice(2);
    expect(rows.map(([name]) => name)).toEqual(comparisons.map(({ name }) => name.split(":")[0]));
    for (const [name, ...cells] of rows) {
      const of = (what: string): Measurement => measurements.find((each) => each.name === `${name}: ${what}`) as Measurement;
      const [judged, written, peer] = ["decode + rules + profile", "+ Parquet", "JSON.parse + ajv"].map(of) as [
        Measurement,
        Measurement,
        Measurement,
      ];
      const medians = [judged, written, peer].map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion?.median ?? Number.NaN);
      const expected = [...medians, judged.peakRssMb?.median ?? Number.NaN];
      expect([name, ...cells.map((cell, i) => says(cell, expected[i] as number))]).toEqual([name, true, true, true, true]);
    }
  });

  it("Commits: every figure is the committed one", () => {
    const [table] = resultOf("promotions").tables ?? [];
    const columns: Readonly<Record<string, string>> = {
      "CPU of a commit, ms": "commit, CPU ms",
      "of a table of 100 to 200 promotions, in turns with it, ms": "of a young table in turns with it",
      "metadata of both tables before maintenance, kB": "metadata before maintenance, kB",
      "after it, kB": "after, kB",
      "CPU of opening the lake and reading its state, ms": "start, CPU ms",
      "files in the promoted table's metadata folder": "metadata files",
    };
    const rows = rowsOf("Commits");
    const [, ...at] = rows.find(([name]) => name === "promotions") as string[];
    for (const [name, column] of Object.entries(columns)) {
      const cells = (rows.find(([first]) => first === name) as string[]).slice(1);
      for (const [i, cell] of cells.entries()) {
        const value = table?.rows.find(({ promotions }) => says(at[i] as string, promotions as number))?.[column];
        expect([name, at[i], typeof value === "number" ? says(cell, value) : cell === value]).toEqual([name, at[i], true]);
      }
    }
  });
});
