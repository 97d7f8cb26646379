import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contract, makeWindow, openLake, partitions, row } from "../../test/adapters/lake/lake-fixture.ts";
import { loadBoth } from "../../test/adapters/lake/table-content.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { spread } from "../bench.ts";
import { drawPanels } from "./panels.ts";

const promotions = 10_000;
/** Maintenance comes after so many, as a schedule would have it; each tenth point compacts as well. */
const every = 100;
const policy = { snapshotAgeMsMax: 0, snapshotsMin: 100 };
const small = { fileBytesTarget: 1 << 27, filesMin: 8 };
const figure = fileURLToPath(new URL("../../docs/figures/promotions.svg", import.meta.url));

/** What a table of so many promotions is like. */
interface Point {
  readonly promotions: number;
  /** CPU of a commit of both tables, ms: the median of the last hundred. */
  readonly commitMs: number;
  /** The same of a young table, committed to in turns with this one, so that both met the same machine; null at most points. */
  readonly youngMs: number | null;
  /** Bytes of both tables' metadata files, before and after maintenance. */
  readonly fullBytes: number;
  readonly metadataBytes: number;
  /** CPU of opening the lake and reading where the dataset stands, ms, with nothing cached in the process: the median of five. */
  readonly startMs: number;
  /** Files below the promoted table's metadata folder, which a listing has to go through. */
  readonly metadataFiles: number;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function metadataBytes(folder: string): Promise<number> {
  const { promoted, quarantine } = await loadBoth(folder, "orders");
  const newest = (location: string): number => {
    const metadata = join(location.slice("file://".length), "metadata");
    const last = readdirSync(metadata)
      .filter((name) => name.endsWith(".metadata.json"))
      .toSorted()
      .at(-1) as string;
    return statSync(join(metadata, last)).size;
  };
  return newest(promoted.location) + newest(quarantine.location);
}

async function metadataFiles(folder: string): Promise<number> {
  const { promoted } = await loadBoth(folder, "orders");
  return readdirSync(join(promoted.location.slice("file://".length), "metadata")).length;
}

async function startMs(folder: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = cpuMs();
    const lake = await openLake(folder);
    await lake.state("orders");
    times.push(cpuMs() - before);
    await lake.close();
  }
  return spread(times).median;
}

async function begun(folder: string): Promise<Lake> {
  const lake = await openLake(folder);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return lake;
}

/** Commits the window of so many promotions before; answers the CPU that it took, ms. */
async function promote(lake: Lake, i: number): Promise<number> {
  const window = makeWindow({ id: `w${i}`, from: BigInt(2 * i), values: [row(i), "bad"], rejected: [1] });
  const before = cpuMs();
  await lake.commitWindow(window);
  return cpuMs() - before;
}

/** A table of a hundred promotions, and the CPU of those after them. */
interface Young {
  readonly folder: string;
  readonly lake: Lake;
  readonly times: number[];
}

async function youngTable(within: string): Promise<Young> {
  const folder = mkdtempSync(join(within, "young-"));
  const lake = await begun(folder);
  for (let i = 0; i < every; i++) await promote(lake, i);
  await lake.maintenance.expire("orders", policy, false);
  return { folder, lake, times: [] };
}

/** Ends a young table; answers the median of what it took, ms. */
async function endYoung({ folder, lake, times }: Young): Promise<number> {
  await lake.close();
  rmSync(folder, { recursive: true, force: true });
  return spread(times).median;
}

async function measure(within: string, say: (line: string) => void): Promise<Point[]> {
  const folder = mkdtempSync(join(within, "old-"));
  const lake = await begun(folder);
  const points: Point[] = [];
  let times: number[] = [];
  let young: Young | null = null;
  for (let i = 0; i < promotions; i++) {
    const made = i + 1;
    // The last hundred before each thousand.
    if (i % (10 * every) === 9 * every) young = await youngTable(within);
    times.push(await promote(lake, i));
    if (young !== null) young.times.push(await promote(young.lake, every + young.times.length));
    if (made % every !== 0) continue;
    const fullBytes = await metadataBytes(folder);
    await lake.maintenance.expire("orders", policy, false);
    if (made % (10 * every) === 0) await lake.maintenance.compact("orders", small, false);
    const at = { metadataBytes: await metadataBytes(folder), startMs: await startMs(folder), metadataFiles: await metadataFiles(folder) };
    const youngMs = young === null ? null : await endYoung(young);
    points.push({ promotions: made, commitMs: spread(times).median, youngMs, fullBytes, ...at });
    times = [];
    young = null;
    if (made % 1000 === 0) say(`${made}: ${JSON.stringify(points.at(-1))}`);
  }
  await lake.close();
  return points;
}

function tableOf(points: readonly Point[]): BenchTable {
  return {
    title: "At so many promotions (CPU ms a commit: the median of the hundred before)",
    rows: points
      .filter(({ promotions: made }) => made === every || made % 1000 === 0)
      .map((each) => ({
        promotions: each.promotions,
        "commit, CPU ms": Number(each.commitMs.toFixed(1)),
        "of a young table in turns with it": each.youngMs === null ? "" : Number(each.youngMs.toFixed(1)),
        "metadata before maintenance, kB": Math.round(each.fullBytes / 1000),
        "after, kB": Math.round(each.metadataBytes / 1000),
        "start, CPU ms": Number(each.startMs.toFixed(1)),
        "metadata files": each.metadataFiles,
      })),
  };
}

/** 10,000 promotions on one table: commit, metadata and start, and a drawing of them in the docs. */
export const manyPromotions: Bench = {
  name: "promotions",
  onDemand: true,
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-promotions-"));
    try {
      const points = await measure(folder, say);
      const line = (of: (point: Point) => number): { x: number; y: number }[] =>
        points.map((each) => ({ x: each.promotions, y: of(each) }));
      writeFileSync(
        figure,
        drawPanels("promotions on one table", [
          { title: "CPU of a commit, ms", line: line((each) => each.commitMs) },
          { title: "metadata of both tables before maintenance, kB", line: line((each) => each.fullBytes / 1000) },
          { title: "metadata after maintenance, kB", line: line((each) => each.metadataBytes / 1000) },
          { title: "CPU of opening the lake and reading its state, ms", line: line((each) => each.startMs) },
        ]),
      );
      return {
        setup: `${promotions} windows of one good and one bad row, one after another; every ${every} of them snapshots but the newest ${policy.snapshotsMin} expire, every ${10 * every} small files are compacted. A young table: of ${every} to ${2 * every} promotions`,
        measurements: [],
        comparisons: [],
        tables: [tableOf(points)],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
