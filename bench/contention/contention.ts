import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownRestCatalog, restClient } from "../../test/live/harness/own-rest-catalog.ts";
import { postgresHere, testPostgres } from "../../test/live/harness/test-postgres.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { randomOf } from "../drift/random.ts";
import type { CommitCost, Delays, LakePlace } from "./commit-costs.ts";
import { measureCommits } from "./commit-costs.ts";
import type { SlowProxy } from "./slow-proxy.ts";
import { slowProxy } from "./slow-proxy.ts";
import { realRestMsMax, realWriters, runRealWriters } from "./real-writers.ts";
import type { CostModel, Distance } from "./scenarios.ts";
import { middle, modelOf, playSaturated, playScenario } from "./scenarios.ts";
import type { Contended } from "./simulate.ts";

const none: Delays = { storageMs: 0, catalogMs: 0 };
const delays = [none, { ...none, storageMs: 20 }, { ...none, catalogMs: 20 }] as const;
const commits = 40;
const rows = 100;
const windows = 100;
/** Tables as they are with fewer and with as many snapshots as `maintenance.snapshotsMax` leaves. */
const grownTo = [500, 2000] as const;

/** Object storage and a database in the same region, as their users mostly tell of them: medians assumed, not measured. */
const near: Distance = { storageMs: 30, catalogMs: 2, sigma: 0.6 };
/** Real processes, to hold the model against. */
const real = { seconds: 60, storageMs: 30 };

interface MeasuredCatalog {
  readonly catalog: string;
  readonly model: CostModel;
}

async function measureIn(
  catalog: string,
  { place, proxy, hidden = 0 }: { readonly place: Partial<LakePlace>; readonly proxy: SlowProxy | null; readonly hidden?: number },
): Promise<MeasuredCatalog> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-contention-"));
  try {
    return { catalog, model: modelOf(delays, await measureCommits({ folder, place, proxy }, { delays, commits, rows, windows }), hidden) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await proxy?.close();
  }
}

/** The same address by way of a proxy in front of it. */
async function behindProxy(url: string): Promise<{ readonly url: string; readonly proxy: SlowProxy }> {
  const slow = new URL(url);
  const proxy = await slowProxy(Number(slow.port));
  slow.port = String(proxy.port);
  slow.hostname = "127.0.0.1";
  return { url: slow.href, proxy };
}

async function sizesTable(): Promise<BenchTable> {
  const rowsOf: Record<string, string | number>[] = [];
  for (const size of [windows, ...grownTo]) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-contention-"));
    try {
      const [costs = []] = await measureCommits({ folder, place: {}, proxy: null }, { delays: [none], commits: 20, rows, windows: size });
      const of = (key: keyof CommitCost): number => middle(costs.map((each) => each[key]));
      rowsOf.push({
        snapshots: size,
        "turn, ms": Number(of("turnMs").toFixed(1)),
        "CPU ms": Number(of("cpuMs").toFixed(1)),
        "kB written": Math.round(of("bytesWritten") / 1000),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { title: "The same by the snapshots that stay, SQLite, medians of 20", rows: rowsOf };
}

async function measureAll(say: (line: string) => void): Promise<readonly MeasuredCatalog[]> {
  const measured = [await measureIn("SQLite", { place: {}, proxy: null })];
  if (postgresHere) {
    const server = await testPostgres();
    try {
      const { url, proxy } = await behindProxy(await server.database());
      measured.push(await measureIn("PostgreSQL", { place: { postgres: { url, password: null, tls: null } }, proxy }));
    } finally {
      await server.close();
    }
  } else say("no PostgreSQL server can run here: its commits are left out");
  const rest = await ownRestCatalog();
  try {
    const { url: uri, proxy } = await behindProxy(rest.uri);
    const client = { uri, warehouse: null, auth: restClient, tls: null, timeoutMs: 30_000 };
    const place = { namespace: "joint", folder: rest.warehouse, rest: client };
    // It writes the metadata files itself.
    measured.push(await measureIn("Sluice's REST catalog", { place, proxy, hidden: 1 }));
  } finally {
    await rest.close();
  }
  return measured;
}

function costsTable(measured: readonly MeasuredCatalog[]): BenchTable {
  return {
    title: `A commit that finds what another writer left, medians of ${commits}: rounds are calls that it waits for one after another`,
    rows: measured.map(({ catalog, model: { before, turn, ...all } }) => ({
      catalog,
      "before its turn, ms": Number(middle(before.measuredMs).toFixed(1)),
      "rounds of storage, catalog": `${before.storage}, ${before.catalog}`,
      "turn, ms": Number(middle(turn.measuredMs).toFixed(1)),
      "its rounds of storage, catalog": `${turn.storage}, ${turn.catalog}`,
      "CPU ms": Number(all.cpuMs.toFixed(1)),
      "files read": all.storageReads,
      written: all.storageWrites,
      "kB written": Math.round(all.bytesWritten / 1000),
    })),
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function triesOf({ attempts }: Pick<Contended, "attempts">): string {
  const mean = attempts.reduce((sum, each) => sum + each, 0) / Math.max(1, attempts.length);
  return `${mean.toFixed(2)}, ${at(attempts, 0.99)}, ${at(attempts, 1)}`;
}

async function checkTable(model: CostModel): Promise<BenchTable> {
  const rowsOf: Record<string, string | number>[] = [];
  const { seconds, storageMs } = real;
  const add = (who: string, order: string, played: Omit<Contended, "busy">): void => {
    const ms = (share: number): number => Math.round(at(played.latenciesMs, share));
    const rate = Number((played.latenciesMs.length / seconds).toFixed(1));
    rowsOf.push({
      commits: order,
      who,
      "a second": rate,
      "p50, ms": ms(0.5),
      "p99, ms": ms(0.99),
      "tries: mean, p99, most": triesOf(played),
    });
  };
  for (const order of ["queue", "race"] as const) {
    add("processes", orders[order], await runRealWriters(order, seconds, storageMs));
    const saturated = { order, workers: realWriters, restMsMax: realRestMsMax, storageMs, seconds };
    add("simulated", orders[order], playSaturated(model, saturated, randomOf(1)));
  }
  return {
    title: `The model held against ${realWriters} processes on one table (SQLite, storage that takes ${storageMs} ms longer, ${seconds} s)`,
    rows: rowsOf,
  };
}

const orders = { queue: "in turns", race: "compare-and-swap alone", shared: "a committer" } as const;

function planTable({ catalog, model }: MeasuredCatalog): BenchTable {
  const rowsOf = [10, 30, 60].flatMap((everySeconds) =>
    [10, 25, 50, 100, 200].map((workers) => {
      const row: Record<string, string | number> = {
        "windows every, s": everySeconds,
        workers,
        "wanted, a second": Number((workers / everySeconds).toFixed(2)),
      };
      for (const order of ["queue", "race", "shared"] as const) {
        const played = playScenario(model, { workers, everyMs: everySeconds * 1000, distance: near, order }, randomOf(3));
        const rate = played.latenciesMs.length / 1800;
        const seconds = (share: number): string => (at(played.latenciesMs, share) / 1000).toFixed(2);
        row[orders[order]] = `${rate.toFixed(2)} (p50 ${seconds(0.5)} s, p99 ${seconds(0.99)} s; busy ${Math.round(100 * played.busy)}%)`;
      }
      return row;
    }),
  );
  return {
    title: `One dataset, ${catalog}, object storage ${near.storageMs} ms, catalog ${near.catalogMs} ms: commits a second (latency from a window's close; share of time between read and swap)`,
    rows: rowsOf,
  };
}

/** What a commit costs, measured, and what many workers on one dataset come to by it, simulated. */
export const contention: Bench = {
  name: "contention",
  onDemand: true,
  async run(say) {
    const measured = await measureAll(say);
    const [first] = measured;
    if (first === undefined) throw new Error("nothing was measured");
    return {
      setup: `commits of ${rows} rows, one of them bad, on a table of a hundred windows; simulated: half an hour, seeded, calls log-normal around their medians`,
      measurements: [],
      comparisons: [],
      tables: [costsTable(measured), await sizesTable(), await checkTable(first.model), ...measured.slice(1).map(planTable)],
    };
  },
};
