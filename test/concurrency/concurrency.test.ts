import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { collect, moveLake, openLake, placeIn, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { loadBoth } from "../adapters/lake/table-content.ts";
import { oneTableAtATime } from "../live/harness/one-table-at-a-time.ts";
import { ownRestCatalog, restClient } from "../live/harness/own-rest-catalog.ts";
import { postgresHere, testPostgres } from "../live/harness/test-postgres.ts";
import type { Tally } from "./writer.ts";

/** `npm run test:concurrency` runs for five minutes on each catalog; `npm test` a little, on SQLite. */
const asked = process.env["SLUICE_CONCURRENCY_SECONDS"];
const seconds = Number(asked ?? "20");
const server = asked !== undefined && postgresHere ? await testPostgres() : null;
const rest = asked === undefined ? null : await ownRestCatalog();
const single = rest === null ? null : await oneTableAtATime(rest.uri);
afterAll(async () => {
  await single?.close();
  await Promise.all([server?.close(), rest?.close()]);
});

type Place = Parameters<typeof moveLake>[1];

function inRest(uri: string, namespace: string): Place {
  return { namespace, folder: rest!.warehouse, rest: { uri, warehouse: null, auth: restClient, tls: null, timeoutMs: 30_000 } };
}

/** Where a folder stands in the file's place, nobody has turns: what is left is compare-and-swap. */
async function withoutTurns(folder: string): Promise<Place> {
  mkdirSync(join(folder, "catalog.db.turns"));
  return {};
}

const catalogs: readonly { readonly catalog: string; readonly place: (folder: string) => Promise<Place> }[] = [
  { catalog: "SQLite", place: async () => ({}) },
  ...(asked === undefined ? [] : [{ catalog: "SQLite without turns", place: withoutTurns }]),
  ...(server === null
    ? []
    : [{ catalog: "PostgreSQL", place: async () => ({ postgres: { url: await server.database(), password: null, tls: null } }) }]),
  ...(rest === null ? [] : [{ catalog: "Sluice's own REST catalog", place: async () => inRest(rest.uri, "joint") }]),
  ...(single === null ? [] : [{ catalog: "a REST catalog without transactions", place: async () => inRest(single.uri, "apart") }]),
];
const writer = new URL("writer.ts", import.meta.url).pathname;
const roles = [...Array.from({ length: 8 }, () => "writer"), "compactor", "compactor", "expirer"] as const;

function run(options: object, role: string, index: number): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const args = [writer, JSON.stringify(options), role, String(index), String(seconds)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.on("data", (bytes) => (output += bytes));
    child.stderr.on("data", (bytes) => (errors += bytes));
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve(JSON.parse(output) as Tally) : reject(new Error(`${role} ${index} failed:\n${errors}`)),
    );
  });
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

it.each(catalogs)(
  `8 writers, 2 compactors and an expirer on one table for ${seconds} s lose and double nothing: $catalog`,
  { timeout: (seconds + 240) * 1000 },
  async ({ catalog, place }) => {
    using scratch = scratchFolder();
    const { folder } = scratch;
    moveLake(folder, await place(folder));
    await (await startedLake(folder)).close();
    const options = placeIn(folder);
    const tallies = await Promise.all(roles.map((role, index) => run(options, role, index)));
    const counts = await expectConserved(folder);
    const of = (role: Tally["role"]): Tally[] => tallies.filter((each) => each.role === role);
    const sum = (list: readonly Tally[], key: "lost" | "conflicts" | "files" | "snapshots"): number =>
      list.reduce((total, each) => total + each[key], 0);
    const windows = of("writer").flatMap((each) => each.latenciesMs);
    const tries = of("writer").flatMap((each) => each.attempts);
    const compactions = of("compactor").flatMap((each) => each.latenciesMs);
    console.log(
      [
        `${catalog}, ${seconds} s`,
        `windows committed: ${windows.length} (${(windows.length / seconds).toFixed(1)} a second), lost to the partition's other writer: ${sum(of("writer"), "lost")}`,
        `commit latency: p50 ${quantile(windows, 0.5).toFixed(0)} ms, p99 ${quantile(windows, 0.99).toFixed(0)} ms, worst ${quantile(windows, 1).toFixed(0)} ms`,
        `tries a commit: mean ${(tries.reduce((a, b) => a + b, 0) / Math.max(1, tries.length)).toFixed(2)}, p99 ${quantile(tries, 0.99)}, most ${quantile(tries, 1)}`,
        `compactions: ${compactions.length} of ${sum(of("compactor"), "files")} files, p50 ${quantile(compactions, 0.5).toFixed(0)} ms, given up: ${sum(of("compactor"), "conflicts")}`,
        `snapshots expired: ${sum(of("expirer"), "snapshots")}, files removed: ${sum(of("expirer"), "files")}, given up: ${sum(of("expirer"), "conflicts")}`,
      ].join("\n"),
    );
    expect(sum(of("writer"), "conflicts")).toBe(0);
    expect(windows.length).toBeGreaterThan(0);
    // How much gets done in a few seconds is a matter of the machine.
    if (asked !== undefined) {
      expect(compactions.length).toBeGreaterThan(0);
      expect(sum(of("expirer"), "snapshots")).toBeGreaterThan(0);
    }
    expect((counts["promoted"] ?? 0) + (counts["open"] ?? 0)).toBeGreaterThanOrEqual(windows.length * 4);

    const lake = await openLake(folder);
    const history = await collect(lake.history("orders", 0n));
    expect(new Set(history.map((each) => each.decision.windowId)).size).toBe(history.length);
    expect(history.filter((each) => each.decision.kind === "window")).toHaveLength(windows.length);
    const orphans = await lake.maintenance.removeOrphans(0, false);
    expect(orphans.contentsSkipped).toBeNull();
    expect(await expectConserved(folder)).toEqual(counts);
    if (asked !== undefined) expect((await loadBoth(folder, "orders")).promoted.snapshots.length).toBeLessThan(windows.length);
    await lake.close();
  },
);
