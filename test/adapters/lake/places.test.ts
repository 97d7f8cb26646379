/** One lake in every place that it can be: what it does, kills at the commit and three writers at once come to the same everywhere. */
import { afterAll, describe, expect, it } from "vitest";
import type { LakeCatalogPlace } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import type { StoragePlace } from "../../../src/adapters/storage/open-storage.ts";
import { oneTableAtATime } from "../../live/harness/one-table-at-a-time.ts";
import { postgresHere, testPostgres } from "../../live/harness/test-postgres.ts";
import { ownRestCatalog, restClient } from "../../live/harness/own-rest-catalog.ts";
import { testRestCatalog } from "../../live/harness/test-rest-catalog.ts";
import { s3Keys, testS3 } from "../../live/harness/test-s3.ts";
import { expectConserved } from "./conservation.ts";
import { collect, contract, makeWindow, moveLake, openLake, partitions, row, scratchFolder, startedLake } from "./lake-fixture.ts";
import { operations, positionOf } from "./lake-worker.ts";
import { loadBoth, readBranch } from "./table-content.ts";
import { runWorker } from "./worker-process.ts";

const [database, s3, java, own] = await Promise.all([postgresHere ? testPostgres() : null, testS3(), testRestCatalog(), ownRestCatalog()]);
const single = java === null ? null : await oneTableAtATime(java.uri);
const ownSingle = await oneTableAtATime(own.uri, "nothing");
afterAll(async () => {
  await Promise.all([single?.close(), ownSingle.close()]);
  await Promise.all([database?.close(), s3?.close(), java?.close(), own.close()]);
});

type Place = Partial<StoragePlace & LakeCatalogPlace>;

async function inPostgres(): Promise<Place> {
  return { postgres: { url: await database!.database(), password: null, tls: null } };
}

async function inS3(): Promise<Place> {
  const { bucket } = await s3!.bucket();
  const s3Place = { uri: `s3://${bucket}/lake`, region: null, endpoint: s3!.endpoint, pathStyle: true, credentials: s3Keys };
  return { s3: s3Place };
}

let namespaces = 0;
/** The catalog's own files are in its warehouse, and so the lake's are as well. */
function inRest(uri: string, warehouse: string, auth: typeof restClient | null): Place {
  return { namespace: `db${++namespaces}`, folder: warehouse, rest: { uri, warehouse: null, auth, tls: null, timeoutMs: 10_000 } };
}

const places: readonly {
  readonly name: string;
  readonly here: boolean;
  readonly kills?: true;
  readonly races?: true;
  /** Whether it changes one table at a time. */
  readonly isSingle?: true;
  readonly make: () => Promise<Place>;
}[] = [
  { name: "PostgreSQL and a folder", here: database !== null, kills: true, make: inPostgres },
  {
    name: "PostgreSQL and S3",
    here: database !== null && s3 !== null,
    races: true,
    make: async () => ({ ...(await inPostgres()), ...(await inS3()) }),
  },
  { name: "Sluice's own REST catalog", here: true, make: async () => inRest(own.uri, own.warehouse, restClient) },
  { name: "Iceberg's REST catalog", here: java !== null, make: async () => inRest(java!.uri, java!.warehouse, null) },
  {
    name: "Iceberg's REST catalog without transactions",
    here: single !== null,
    isSingle: true,
    kills: true,
    make: async () => inRest(single!.uri, java!.warehouse, null),
  },
  {
    name: "a REST catalog that does not say it has no transactions",
    here: true,
    isSingle: true,
    races: true,
    make: async () => inRest(ownSingle.uri, own.warehouse, restClient),
  },
];

/** Whoever opens a dataset ends what a process has left half done. */
async function recover(folder: string): Promise<void> {
  const lake = await openLake(folder);
  await lake.state("orders");
  await lake.close();
}

/** All that is done to a dataset, one after another. */
const course = ["create", "window", "hold", "window", "publish", "hold", "drop", "replay", "window"] as const;

describe.each(places)("a lake in $name", ({ here, kills, races, isSingle, make }) => {
  it.skipIf(!here)("promotes, holds, publishes, drops and replays, and conserves every record", async () => {
    using scratch = scratchFolder();
    moveLake(scratch.folder, await make());
    const lake = await openLake(scratch.folder);
    for (const operation of course) await operations[operation]!(lake);
    expect(await positionOf(lake, 0)).toBe(20n);
    // Three promoted of each window, one rejected; the published window as well, and of the dropped one all four, which were replayed.
    const counts = await expectConserved(scratch.folder);
    expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBe(20);
    expect(counts["held"]).toBeUndefined();
    expect((await readBranch(scratch.folder, "orders")).promoted.length).toBe(counts["promoted"]);
    expect(await lake.contractText("sha256:v1")).toBe("the first contract");
    expect((await lake.snapshots("orders")).length).toBeGreaterThan(5);
    await lake.close();
  });

  it.skipIf(!here)("tags, rolls back, brings back, and releases two datasets in one transaction", async () => {
    using scratch = scratchFolder();
    moveLake(scratch.folder, await make());
    const lake = await openLake(scratch.folder);
    const by = { author: "ann", reason: "test", keepMs: 90 * 86_400_000 };
    for (const operation of ["create", "window", "window", "tag", "rollback", "window"] as const) await operations[operation]!(lake);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 6, open: 3, withdrawn: 3 });
    await operations["rollforward"]!(lake);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 9, open: 3 });
    expect((await collect(lake.history("orders", 0n))).map((each) => [each.decision.kind, each.isWithdrawn])).toEqual([
      ["window", false],
      ["window", false],
      ["withdraw", false],
      ["window", false],
      ["restore", false],
    ]);
    const others = { ...contract, dataset: "others", hash: "sha256:o", text: "others" };
    await lake.activate(others);
    await lake.recordStart("others", [{ ...partitions[0]!, next: 0n }]);
    await lake.commitWindow(makeWindow({ id: "o1", from: 0n, values: [row(1)], contract: others }));
    const wanted = { name: "release/1", datasets: ["orders", "others"], version: "main", ...by };
    if (isSingle === true) {
      await expect(lake.refs.createRelease(wanted)).rejects.toMatchObject({ code: "CATALOG_UNSUPPORTED" });
      expect(await lake.refs.releases()).toEqual([]);
      const alone = await lake.refs.createRelease({ ...wanted, datasets: ["orders"] });
      expect(alone.members.map((each) => each.dataset)).toEqual(["orders"]);
      await lake.close();
      return;
    }
    const release = await lake.refs.createRelease(wanted);
    expect(release.members.map((each) => [each.dataset, each.rows, each.isIntact])).toEqual([
      ["orders", 9, true],
      ["others", 1, true],
    ]);
    expect((await lake.refs.list("orders")).map((each) => [each.name, each.kind])).toEqual([
      ["main", "main"],
      ["release/1", "release"],
      ["t1", "tag"],
    ]);
    expect((await lake.refs.compare("orders", "t1", "main")).added.rows).toBe(3n);
    await lake.refs.dropRelease({ name: "release/1", author: "ann", reason: "done" });
    expect(await lake.refs.releases()).toEqual([]);
    await lake.close();
  });

  it.runIf(here && kills === true && isSingle !== true)("survives kill -9 at every commit step", async () => {
    using scratch = scratchFolder();
    moveLake(scratch.folder, await make());
    for (const operation of ["create", "window", "hold", "publish", "hold", "replay"] as const) {
      const before = await runWorker(scratch.folder, operation, "catalog.before-commit");
      expect(before.killed).toBe(true);
      if (operation !== "create") await expectConserved(scratch.folder);
      await runWorker(scratch.folder, operation, "catalog.after-commit");
      if (operation === "create") await runWorker(scratch.folder, operation, 0);
      await recover(scratch.folder);
      await expectConserved(scratch.folder);
    }
    const lake = await openLake(scratch.folder);
    await operations["window"]!(lake);
    await lake.close();
    await expectConserved(scratch.folder);
  });

  it.runIf(here && kills === true && isSingle === true)("survives kill -9 between its two tables", async () => {
    using scratch = scratchFolder();
    moveLake(scratch.folder, await make());
    await (await startedLake(scratch.folder)).close();
    let number = 0;
    for (const operation of ["window", "hold", "publish", "hold", "drop", "replay"] as const) {
      const { killed } = await runWorker(scratch.folder, operation, "catalog.after-commit:1");
      expect(killed).toBe(true);
      const left = await loadBoth(scratch.folder, "orders");
      const plan = JSON.parse(left.promoted.properties["sluice.plan"] ?? "null") as { number: number };
      expect(plan.number).toBe(++number);
      expect(left.quarantine.properties["sluice.plan-done"] ?? "0").toBe(String(number - 1));
      await recover(scratch.folder);
      expect((await loadBoth(scratch.folder, "orders")).quarantine.properties["sluice.plan-done"]).toBe(String(number));
      await expectConserved(scratch.folder);
    }
    expect((await runWorker(scratch.folder, "window", "catalog.after-commit:2")).killed).toBe(true);
    // Done: nothing is left for the next one.
    expect((await loadBoth(scratch.folder, "orders")).quarantine.properties["sluice.plan-done"]).toBe(String(number + 1));
    expect((await expectConserved(scratch.folder))["held"]).toBeUndefined();
  });

  it.runIf(here && races === true)("loses and doubles nothing with three processes on the same partitions", async () => {
    using scratch = scratchFolder();
    moveLake(scratch.folder, await make());
    await (await startedLake(scratch.folder)).close();
    const end = 4 * 5;
    const jobs = [0, 0, 1].map(async (partition, index) => {
      for (let round = 0; ; round++) {
        const kill = round < 1 ? 5 + ((index * 7 + round * 11) % 30) : 0;
        const { killed } = await runWorker(scratch.folder, "commit-up-to", kill, [String(partition), String(end)]);
        if (!killed) return;
      }
    });
    await Promise.all(jobs);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: (end / 4) * 3 * 2, open: (end / 4) * 2 });
  });
});
