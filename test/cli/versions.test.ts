import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandRun } from "./sluice.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-versions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, "sluice.yaml");
const contract = join(folder, "orders.odcs.yaml");
const unique = `    quality:
      - { id: once, type: custom, engine: sluice, implementation: { check: duplicate, columns: [id], scope: dataset } }
    properties:`;

const command = (...args: string[]): Promise<CommandRun> => sluice([...args, "--config", config]);
async function json<T>(...args: string[]): Promise<T> {
  const { out, err, code } = await command(...args, "--json");
  expect(code, err + out).toBe(0);
  return JSON.parse(out) as T;
}

/** Runs the gate over one more file of orders. */
async function deliver(name: string, ids: readonly number[], amount: number): Promise<void> {
  const lines = ids.map((id) => `{"id": ${id}, "customer": "c${id}", "amount": ${amount}, "placed_at": "2024-01-01T00:00:00Z"}\n`);
  writeFileSync(join(folder, "input", name), lines.join(""));
  const run = await command("run");
  expect(run.code, run.err).toBe(0);
}

interface Status {
  readonly promoted: number;
  readonly quarantined: number;
  readonly withdrawn: number;
  readonly rollbacks: readonly { readonly id: string }[];
}
const status = async (): Promise<Status> => (await json<{ datasets: readonly Status[] }>("status")).datasets[0]!;

interface Diff {
  readonly added: { readonly rows: string };
  readonly removed: { readonly rows: string };
  readonly contract: readonly string[];
  readonly onlyA: readonly unknown[];
  readonly onlyB: readonly { readonly decision: { readonly verdict: string } }[];
  readonly schema: readonly unknown[];
  readonly profile: {
    readonly columns: readonly {
      readonly path: string;
      readonly a: { readonly mean: number };
      readonly b: { readonly mean: number; readonly distinct: number };
      readonly added: { readonly mean: number };
    }[];
  };
}

describe("versions, from the command line", () => {
  beforeAll(async () => {
    mkdirSync(join(folder, "input"));
    const text = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
    writeFileSync(contract, text.replace("    properties:", unique));
    const lines = [
      "lake: { folder: lake }",
      "source: { kind: files, paths: [input] }",
      "datasets: [{ contract: orders.odcs.yaml }]",
      "http: { enabled: false }",
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    await deliver("1.ndjson", [1, 2, 3], 10);
  });

  it("are tagged, branched, released, compared, rolled back and brought back", async () => {
    const made = await command("tag", "create", "v1", "--keep", "90d", "-m", "the first");
    expect(made.out).toMatch(/^tag v1 of orders: snapshot \d+ of .*, kept until /);
    await deliver("2.ndjson", [4, 5, 6, 7], 30);
    expect((await command("tag", "list")).out).toMatch(/v1 +tag +\d+ .* 3 .*the first/);
    expect(await command("tag", "create", "v1")).toMatchObject({ code: 1, err: expect.stringContaining("REF_TAKEN") });
    expect(await command("tag", "create", "held/x")).toMatchObject({ code: 1, err: expect.stringContaining("REF_NAME_INVALID") });
    expect(await command("tag", "drop", "v1")).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
    expect(await command("tag", "create", "v2", "--at", "2h", "--branch", "main")).toMatchObject({ code: 2 });

    const branch = await command("branch", "create", "exp/a", "--from", "v1");
    expect([branch.code, branch.err.includes('table.append(rows, branch="exp/a")')]).toEqual([0, true]);
    expect((await json<Diff>("diff", "main", "exp/a")).removed.rows).toBe("4");
    expect((await command("branch", "drop", "exp/a", "-m", "done")).code).toBe(0);

    const release = await command("release", "create", "release/2026-11", "-m", "november");
    expect(release.out).toMatch(/orders +\d+ +7/);
    expect((await command("release", "list")).out).toMatch(/release\/2026-11 .* orders .*november/);
    expect((await command("release", "show", "release/2026-11")).code).toBe(0);
    expect((await command("release", "drop", "release/2026-11", "-m", "wrong month")).code).toBe(0);

    const diff = await json<Diff>("diff", "v1", "main");
    expect([diff.added.rows, diff.removed.rows, diff.contract, diff.schema, diff.onlyA]).toEqual(["4", "0", [], [], []]);
    expect(diff.onlyB.map((each) => each.decision.verdict)).toEqual(["promote"]);
    const amount = diff.profile.columns.find((each) => each.path === "amount");
    expect([amount?.a.mean, amount?.b.mean, amount?.added.mean, amount?.b.distinct]).toEqual([10, 150 / 7, 30, 2]);
    const shown = await command("diff", "v1", "main");
    expect(shown.out).toMatch(/\+ 4 rows; 1 files/);
    expect(shown.out).toMatch(/amount: distinct 1 -> 2 \(added: 1\), mean 10 -> 21.4286 \(added: 30\)/);
  });

  it("rolls back: says what goes and who read it, keeps keys, and brings back", async () => {
    await command("consume", "--job", "model", "--run", "r1", "--tag", "main");
    const dry = await command("rollback", "--to", "v1", "--dry-run");
    expect(dry.out).toMatch(/would withdraw: 4 rows of 1 windows, since /);
    expect(dry.out).toMatch(/read by: job model .* 1 times/);
    expect((await status()).withdrawn).toBe(0);
    expect(await command("rollback", "--to", "v1")).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
    const done = await command("rollback", "--to", "v1", "-m", "cents as euros");
    expect([done.code, done.err]).toEqual([0, expect.stringMatching(/sluice rollforward \d+ --reason WHY/)]);
    expect(await status()).toMatchObject({
      promoted: 3,
      withdrawn: 4,
      rollbacks: [{ author: expect.any(String), reason: "cents as euros" }],
    });
    expect((await command("status")).out).toMatch(/withdrawn .*cents as euros/);
    expect((await command("snapshots")).out).toMatch(/window \(withdrawn\)/);
    expect((await json<Diff>("diff", "v1", "main")).onlyB).toEqual([]);

    // The withdrawn rows may come back, so their keys are taken: the same ids again are duplicates.
    await deliver("3.ndjson", [4, 8], 1);
    expect(await status()).toMatchObject({ promoted: 4, quarantined: 1, withdrawn: 4 });
    // Also for an index that is made anew from the table.
    for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, `lake/catalog.db.claims${end}`), { force: true });
    await deliver("4.ndjson", [5, 9], 1);
    expect(await status()).toMatchObject({ promoted: 5, quarantined: 2, withdrawn: 4 });
    const forth = await command("rollforward", "-m", "they were right");
    expect(forth.out).toMatch(/^4 rows of orders are back/);
    expect(await status()).toMatchObject({ promoted: 9, quarantined: 2, withdrawn: 0, rollbacks: [] });
    expect((await command("rollback", "--list")).out).toMatch(/No rollback of orders stands/);
  });

  it("gives keys back where it is asked to, and then brings nothing back", async () => {
    await deliver("5.ndjson", [20, 21], 7);
    const done = await json<{ rollback: { keysReleased: boolean } }>("rollback", "--to", "main~1", "--release-claims", "-m", "sent again");
    expect(done.rollback.keysReleased).toBe(true);
    for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, `lake/catalog.db.claims${end}`), { force: true });
    await deliver("6.ndjson", [20, 21, 4], 8);
    expect(await status()).toMatchObject({ promoted: 11, quarantined: 3, withdrawn: 2 });
    expect(await command("rollforward", "-m", "no")).toMatchObject({ code: 1, err: expect.stringContaining("ROLLBACK_REFUSED") });
  });

  it("compares contracts by their text", async () => {
    const before = (await json<{ snapshots: { snapshotId: string }[] }>("snapshots")).snapshots[0]!.snapshotId;
    const text = readFileSync(contract, "utf8");
    writeFileSync(contract, text.replace("version: 1.0.0", "version: 1.1.0").replace("minimum: 0", "minimum: 1"));
    await deliver("7.ndjson", [30], 9);
    const diff = await command("diff", before, "main");
    expect(diff.out).toMatch(/1\.0\.0 \(sha256:\w+\) -> 1\.1\.0 \(sha256:/);
    expect(diff.out).toContain("-version: 1.0.0");
    expect(diff.out).toMatch(/\+.*minimum: 1/);
  });
});
