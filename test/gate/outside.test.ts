import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDuckDbQueries } from "../../src/adapters/duckdb/duckdb-queries.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Decision } from "../../src/core/decision.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { RuleCheck, RulePlan } from "../../src/core/rule.ts";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { GateBench, makeOrders } from "./gate-bench.ts";

const same = (lake: Lake): Lake => lake;

/** Orders with one rule more. */
async function withRule(check: RuleCheck, more: Partial<RulePlan> = {}, version = "1.0.0"): Promise<Contract> {
  const contract = await makeOrders({ version });
  const plan: RulePlan = {
    ...(contract.rules[0] as RulePlan),
    index: contract.rules.length,
    id: "beyond",
    check,
    path: "n",
    scope: "row",
    severity: "error",
    threshold: null,
    ...more,
  };
  return { ...contract, hash: `${contract.hash}-${JSON.stringify(check)}`, rules: [...contract.rules, plan] };
}

const unique = (seconds: number | null = null): RuleCheck => ({ family: "duplicate", columns: ["n"], keep: "first", horizon: { seconds } });

async function openBench(folder: string, contract: Contract, wrap: (lake: Lake) => Lake = same): Promise<GateBench> {
  return GateBench.open(folder, contract, wrap, openInlineEngine(), { sql: createDuckDbQueries() });
}

const values = (...numbers: readonly number[]): string[] => numbers.map((n) => `{"n":${n}}`);

/** Decisions of main and of held windows, in order. */
async function decisions(folder: string): Promise<Decision[]> {
  const lake = await openLake(folder);
  const found: Decision[] = [];
  for await (const { decision } of lake.history("orders", 0n)) if (decision.kind === "window") found.push(decision);
  await lake.close();
  return found;
}

/** Appends, judges and commits one window. */
async function window(bench: GateBench, ...numbers: readonly number[]): Promise<void> {
  await bench.source.assign(0);
  bench.source.append(0, values(...numbers));
  await bench.revoke(0);
}

describe("unique beyond the window", () => {
  it("finds the repeats of other windows, partitions and workers, and names them", async () => {
    using scratch = scratchFolder();
    const contract = await withRule(unique());
    const first = await openBench(scratch.folder, contract);
    const second = await openBench(scratch.folder, contract);
    first.source.append(0, values(1, 2, 2));
    await first.source.assign(0);
    await first.revoke(0);
    second.source.append(1, values(2, 3));
    await second.source.assign(1);
    await second.revoke(1);
    first.source.append(2, values(3, 4, 1));
    await first.source.assign(2);
    await first.stop();
    await second.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 4, open: 4 });
    const lake = await openLake(scratch.folder);
    const reasons: string[] = [];
    for await (const record of lake.quarantined("orders", {})) reasons.push(...record.reasons.map(({ message }) => message));
    await lake.close();
    expect(reasons.toSorted()).toEqual([
      "n was in an earlier record, expected each n once",
      "n was in an earlier record, expected each n once",
      "n was in an earlier record, expected each n once",
      "n was in an earlier record, expected each n once",
    ]);
  });

  it("rows that fail other rules hold no key", async () => {
    using scratch = scratchFolder();
    const bench = await openBench(scratch.folder, await withRule({ ...unique(), family: "duplicate", columns: ["at"], keep: "first" }));
    bench.source.append(0, [
      '{"n":500,"at":"2026-01-01T00:00:00Z"}',
      '{"n":1,"at":"2026-01-01T00:00:00Z"}',
      '{"n":2,"at":"2026-01-01T00:00:00Z"}',
    ]);
    await bench.source.assign(0);
    await bench.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1, open: 2 });
  });

  it("a window that is read again after its claims, before its commit, loses nothing to itself", async () => {
    using scratch = scratchFolder();
    const contract = await withRule(unique());
    let failing = true;
    const crashed = await openBench(scratch.folder, contract, (lake) =>
      Object.assign(Object.create(lake) as Lake, {
        // The reply of a process that is gone: the commit never happened.
        commitWindow: (commit: Parameters<Lake["commitWindow"]>[0]) =>
          failing ? Promise.resolve({ status: "lost", message: "killed" } as const) : lake.commitWindow(commit),
      }),
    );
    crashed.source.append(0, values(1, 2, 3));
    await crashed.source.assign(0);
    await crashed.revoke(0);
    failing = false;
    const heir = await openBench(scratch.folder, contract);
    heir.source.append(0, values(1, 2, 3, 3));
    await heir.source.assign(0);
    await heir.stop();
    await crashed.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3, open: 1 });
  });

  it("a rule that comes later, and claims that were lost, are made good from the table", async () => {
    using scratch = scratchFolder();
    const before = await GateBench.open(scratch.folder, await makeOrders());
    await window(before, 1, 2);
    await before.stop();
    const contract = await withRule(unique(), {}, "1.1.0");
    const bench = await openBench(scratch.folder, contract);
    bench.source.append(0, values(0, 0));
    await bench.source.assign(0);
    bench.source.append(0, values(2, 5));
    await bench.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3, open: 1 });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(scratch.folder, `catalog.db.claims${suffix}`), { force: true });
    const again = await openBench(scratch.folder, contract);
    again.source.append(1, values(1, 5, 6));
    await again.source.assign(1);
    await again.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 4, open: 3 });
  });

  it("records that a person passes over give back their keys; those that are read after all take them again", async () => {
    using scratch = scratchFolder();
    const plain = await withRule(unique());
    const stopping: Contract = {
      ...plain,
      onBreach: "stop",
      rules: [...plain.rules.slice(0, -1), { ...(plain.rules.at(-1) as RulePlan), tolerance: { rows: 0 } }],
    };
    const bench = await openBench(scratch.folder, stopping);
    const key = bench.source.key(0);
    bench.source.append(0, values(1, 1, 2));
    await bench.source.assign(0);
    await bench.revoke(0);
    const by = { author: "ann", reason: "not worth it" };
    expect((await bench.lake.state("orders")).blocks.map(({ code }) => code)).toEqual(["WINDOW_STOPPED"]);
    await bench.lake.resetPositions("orders", { remove: [], set: [{ ...key, next: 3n }], ...by });
    expect((await bench.lake.state("orders")).skipped).toEqual([{ ...key, from: 0n, to: 3n }]);
    await bench.lake.unblock("orders", { partition: null, mode: "retry", ...by });
    await bench.stop();
    const next = await openBench(scratch.folder, stopping);
    next.source.append(1, values(1, 2, 3));
    await next.source.assign(1);
    await next.revoke(1);
    // They are read after all, and are duplicates now.
    await next.lake.resetPositions("orders", { remove: [], set: [{ ...key, next: 0n }], ...by });
    expect((await next.lake.state("orders")).skipped).toEqual([]);
    await next.stop();
    const last = await openBench(scratch.folder, { ...plain, version: "1.1.0", hash: `${plain.hash}/1.1.0` });
    last.source.append(0, values(1, 1, 2, 9));
    await last.source.assign(0);
    await last.stop();
    const [first, second] = await decisions(scratch.folder);
    expect([first?.counts.promoted, first?.counts.quarantined]).toEqual([3, 0]);
    expect([second?.counts.promoted, second?.counts.quarantined]).toEqual([1, 3]);
  });

  it("a held window's rows hold their keys", async () => {
    using scratch = scratchFolder();
    const contract = await withRule(unique());
    const bench = await openBench(scratch.folder, {
      ...contract,
      rules: [...contract.rules.slice(0, -1), { ...(contract.rules.at(-1) as RulePlan), tolerance: { rows: 0 } }],
    });
    await window(bench, 1, 1);
    bench.source.append(1, values(1, 2));
    await bench.source.assign(1);
    await bench.stop();
    expect((await decisions(scratch.folder)).map(({ verdict }) => verdict)).toEqual(["hold", "hold"]);
    expect(await expectConserved(scratch.folder)).toEqual({ held: 4 });
  });
});

it("a foreign key is judged against the other dataset's newest version", async () => {
  using scratch = scratchFolder();
  const parents = await GateBench.open(scratch.folder, { ...(await makeOrders()), dataset: "parents" });
  await window(parents, 1, 2);
  const contract = await withRule({ family: "foreignKey", dataset: "parents", column: "n" });
  const bench = await openBench(scratch.folder, contract);
  await window(bench, 1, 3);
  await window(parents, 0, 0, 3);
  await parents.stop();
  bench.source.append(1, values(3, 4));
  await bench.source.assign(1);
  await bench.stop();
  const outcomes = (await decisions(scratch.folder)).map(({ rules }) => rules.at(-1));
  expect(outcomes.map((each) => [each?.failed, each?.status])).toEqual([
    [1, "fail"],
    [1, "fail"],
  ]);
  expect(outcomes[0]?.note).toMatch(/^judged against parents at snapshot \d+$/);
  expect(outcomes[0]?.note).not.toBe(outcomes[1]?.note);
});

describe("rules that look beyond the window", () => {
  const metric = { check: { family: "mean", of: "value" }, path: "n", where: null } as const;

  it("SQL judges the rows that passed; a query that can't run holds the window", async () => {
    using scratch = scratchFolder();
    const threshold = { operator: "mustBeLessThan", values: [10], unit: "value" } as const;
    const bench = await openBench(
      scratch.folder,
      await withRule({ family: "sql", query: 'SELECT max(n) FROM "orders"' }, { scope: "window", threshold, path: null }),
    );
    await window(bench, 1, 9, 200);
    bench.source.append(1, values(1, 10));
    await bench.source.assign(1);
    await bench.revoke(1);
    await bench.stop();
    const outcomes = (await decisions(scratch.folder)).map(({ rules, verdict }) => [verdict, rules.at(-1)?.breach]);
    expect(outcomes).toEqual([
      ["promote-and-quarantine-rows", null],
      ["hold", "beyond: the query answered 10, must be less than 10"],
    ]);
    using other = scratchFolder();
    const wrong = await openBench(
      other.folder,
      await withRule({ family: "sql", query: "SELECT nothing FROM orders" }, { scope: "window", threshold, path: null }),
    );
    await window(wrong, 1);
    await wrong.stop();
    const [decision] = await decisions(other.folder);
    expect(decision?.verdict).toBe("hold");
    expect(decision?.causes[0]?.message).toContain("could not be evaluated");
  });

  it("change learns from promoted windows, survives a restart, and holds a jump", async () => {
    using scratch = scratchFolder();
    const contract: Contract = {
      ...(await withRule(
        { family: "change", metric, windows: 5, windowsMin: 2, by: "percent" },
        { scope: "window", threshold: { operator: "mustBeBetween", values: [-50, 50], unit: "percent" } },
      )),
      window: { rows: 2, bytes: 1 << 20, seconds: 600 },
    };
    const fill = async (bench: GateBench, pairs: readonly number[]): Promise<void> => {
      await bench.source.assign(0);
      for (const [done, n] of pairs.entries()) {
        bench.source.append(0, values(n, n));
        await bench.until(() => bench.count("window.committed") === done + 1);
      }
      await bench.revoke(0);
      await bench.stop();
    };
    await fill(await openBench(scratch.folder, contract), [10, 12]);
    const second = await openBench(scratch.folder, contract);
    second.source.append(0, values(10, 10, 12, 12));
    await fill(second, [90, 11]);
    const last = (await decisions(scratch.folder)).map(({ verdict, rules }) => [verdict, rules.at(-1)?.status]);
    expect(last).toEqual([
      ["promote", "skipped"],
      ["promote", "skipped"],
      ["hold", "fail"],
      ["promote", "pass"],
    ]);
  });

  it("change compares with a version that it names, whatever is promoted after it", async () => {
    using scratch = scratchFolder();
    const check = { family: "change", metric, windows: 5, windowsMin: 1, by: "percent", against: "v1" } as const;
    const threshold = { operator: "mustBeBetween", values: [-50, 50], unit: "percent" } as const;
    const contract: Contract = {
      ...(await withRule(check, { scope: "window", threshold })),
      window: { rows: 2, bytes: 1 << 20, seconds: 600 },
    };
    const read: number[] = [];
    const judge = async (...pairs: readonly number[]): Promise<void> => {
      const bench = await openBench(scratch.folder, contract);
      bench.source.append(0, values(...read));
      await bench.source.assign(0);
      for (const [done, n] of pairs.entries()) {
        bench.source.append(0, values(n, n));
        read.push(n, n);
        await bench.until(() => bench.count("window.committed") === done + 1);
      }
      await bench.revoke(0);
      await bench.stop();
    };
    await judge(10, 20);
    const lake = await openLake(scratch.folder);
    const head = (await lake.state("orders")).mainSnapshotId as string;
    await lake.refs.create("orders", { name: "v1", kind: "tag", version: head, keepMs: null, author: "ann", reason: "test" });
    await lake.close();
    await judge(22, 23, 21);
    await judge(40, 8, 7);
    const said = (await decisions(scratch.folder)).map(({ verdict, rules }) => [verdict, rules.at(-1)?.status]);
    expect(said.slice(0, 2)).toEqual([
      ["promote", "skipped"],
      ["promote", "skipped"],
    ]);
    // 15 is the mean up to v1: 22.5 is the limit, though 22 was promoted since.
    expect(said.slice(2)).toEqual([
      ["promote", "pass"],
      ["hold", "fail"],
      ["promote", "pass"],
      ["hold", "fail"],
      ["promote", "pass"],
      ["hold", "fail"],
    ]);
  });
});
