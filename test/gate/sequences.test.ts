import { describe, expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Decision } from "../../src/core/decision.ts";
import type { Lake } from "../../src/core/ports.ts";
import { partitionId } from "../../src/core/position.ts";
import type { RuleOutcome, RulePlan } from "../../src/core/rule.ts";
import { replay } from "../../src/gate/replay.ts";
import { SequenceMemory } from "../../src/gate/sequence-memory.ts";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { GateBench, makeOrders } from "./gate-bench.ts";

const by = { author: "ann", reason: "test" };

/** Orders whose `n` counts up. */
function counting(implementation: string, more: { settings?: string; version?: string; maximum?: number } = {}): Promise<Contract> {
  const quality = `    quality:
      - { id: counts, type: custom, engine: sluice, implementation: { check: sequence, column: n${implementation} } }`;
  return makeOrders({ quality, maximum: 1000, ...more });
}

const values = (...numbers: readonly (number | string)[]): string[] =>
  numbers.map((each) => (typeof each === "number" ? `{"n":${each}}` : each));

/** What the rule said of each window, in the order of the commits. */
async function outcomes(folder: string): Promise<(RuleOutcome & { readonly verdict: Decision["verdict"] })[]> {
  const lake = await openLake(folder);
  const found = [];
  for await (const { decision } of lake.history("orders", 0n)) {
    const outcome = decision.rules.find(({ rule }) => rule === "counts");
    if (outcome !== undefined && decision.kind === "window") found.push({ ...outcome, verdict: decision.verdict });
  }
  await lake.close();
  return found;
}

async function reasons(folder: string): Promise<string[]> {
  const lake = await openLake(folder);
  const found: string[] = [];
  for await (const record of lake.quarantined("orders", {})) found.push(...record.reasons.map(({ message }) => message));
  await lake.close();
  return found.toSorted();
}

/** Appends to partition 0, judges and commits one window. */
async function window(bench: GateBench, ...numbers: readonly (number | string)[]): Promise<void> {
  await bench.source.assign(0);
  bench.source.append(0, values(...numbers));
  await bench.revoke(0);
}

/** A gate that finds in its topic what others have read already. */
async function heir(folder: string, contract: Contract, read: readonly (number | string)[]): Promise<GateBench> {
  const bench = await GateBench.open(folder, contract);
  bench.source.append(0, values(...read));
  return bench;
}

describe("a sequence over windows", () => {
  it("says what came and what was expected, rejects what came before, and keeps what shows a gap", async () => {
    using scratch = scratchFolder();
    const bench = await GateBench.open(scratch.folder, await counting(""));
    await window(bench, 1, 2);
    await window(bench, 3, 6, 6);
    await window(bench, 4, 7);
    await bench.stop();
    expect((await outcomes(scratch.folder)).map(({ failed, status, note, verdict }) => [failed, status, note, verdict])).toEqual([
      [0, "pass", undefined, "promote"],
      [
        2,
        "fail",
        "1 gap, 1 repeat: partition 0 offset 3 is 6, expected 4; partition 0 offset 4 is 6, expected 7",
        "promote-and-quarantine-rows",
      ],
      [1, "fail", "1 step back: partition 0 offset 5 is 4, expected 7", "promote-and-quarantine-rows"],
    ]);
    expect(await reasons(scratch.folder)).toEqual(["n is 4, expected 7, after 6", "n is 6, expected 7, after 6"]);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5, open: 2 });
  });

  it("goes on in another process from what the table says, for a rule that is new as well", async () => {
    using scratch = scratchFolder();
    const first = await GateBench.open(scratch.folder, await makeOrders({ maximum: 1000 }));
    await window(first, 1, 2);
    await first.stop();
    const second = await heir(scratch.folder, await counting("", { version: "1.1.0" }), [0, 0]);
    await window(second, 3, 5);
    await second.stop();
    const third = await heir(scratch.folder, await counting("", { version: "1.1.0" }), [0, 0, 0, 0]);
    await window(third, 6, 8);
    await third.stop();
    expect((await outcomes(scratch.folder)).map(({ note }) => note)).toEqual([
      "1 gap: partition 0 offset 3 is 5, expected 4",
      "1 gap: partition 0 offset 5 is 8, expected 7",
    ]);
  });

  it("reads only what came since it was last kept; what was kept and is not of this table's line is passed over", async () => {
    using scratch = scratchFolder();
    const contract = await counting("");
    const first = await GateBench.open(scratch.folder, contract);
    await window(first, 1, 2);
    await window(first, 3);
    await first.stop();
    const lake = await openLake(scratch.folder);
    const reads: bigint[] = [];
    const watched = Object.assign(Object.create(lake) as Lake, {
      promotedColumns: (...args: Parameters<Lake["promotedColumns"]>) => {
        reads.push(args[2].after);
        return lake.promotedColumns(...args);
      },
    });
    const plan = contract.rules.find(({ id }) => id === "counts") as RulePlan;
    const lastOf = async (name: string): Promise<bigint[]> => {
      const memory = new SequenceMemory(watched, contract, plan, name);
      await memory.catchUp([partitionId(first.source.key(0))]);
      const found: bigint[] = [];
      for (const table of memory.known) table.forEach((_keys, _at, number) => found.push(number));
      return found;
    };
    expect([await lastOf("fresh"), reads]).toEqual([[3n], [0n]]);
    expect([await lastOf("fresh"), reads]).toEqual([[3n], [0n]]);
    const snapshots = await lake.snapshots("orders");
    const begin = snapshots[0]!;
    const memo = (await lake.claims.memo("orders", "fresh"))!;
    // Kept before the rows came: they are read behind it.
    await lake.claims.keepMemo("orders", "early", { ...begin, bytes: new Uint8Array(0) });
    expect([await lastOf("early"), reads]).toEqual([[3n], [0n, begin.sequence]]);
    await lake.claims.keepMemo("orders", "foreign", { ...memo, snapshotId: "12345" });
    expect([await lastOf("foreign"), reads.at(-1)]).toEqual([[3n], 0n]);
    await lake.close();
  });

  it("a window that is lost and read again reports the same", async () => {
    using scratch = scratchFolder();
    let failing = true;
    const bench = await GateBench.open(scratch.folder, await counting(""), (lake) =>
      Object.assign(Object.create(lake) as Lake, {
        commitWindow: async (commit: Parameters<Lake["commitWindow"]>[0]) => {
          if (!failing) return lake.commitWindow(commit);
          failing = false;
          return { status: "lost", message: "a zombie was faster" } as const;
        },
      }),
    );
    await bench.source.assign(0);
    bench.source.append(0, values(1, 2, 4));
    await bench.judged();
    await bench.source.revoke(0);
    await bench.source.assign(0);
    bench.source.append(0, values(5, 7));
    await bench.revoke(0);
    await bench.stop();
    expect((await outcomes(scratch.folder)).flatMap(({ note }) => note ?? []).join("; ")).toContain("offset 2 is 4, expected 3");
    const failed = (await outcomes(scratch.folder)).reduce((sum, each) => sum + each.failed, 0);
    expect(failed).toBe(2);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5 });
  });

  it("windows that close while the one before is on its way into the table go on from it", async () => {
    using scratch = scratchFolder();
    const contract = await counting("");
    const gates: (() => void)[] = [];
    const bench = await GateBench.open(scratch.folder, { ...contract, window: { rows: 2, bytes: 1 << 20, seconds: 600 } }, (lake) =>
      Object.assign(Object.create(lake) as Lake, {
        commitWindow: async (commit: Parameters<Lake["commitWindow"]>[0]) => {
          await new Promise<void>((resolve) => gates.push(resolve));
          return lake.commitWindow(commit);
        },
      }),
    );
    await bench.source.assign(0);
    for (const pair of [
      [1, 2],
      [3, 4],
      [6, 7],
    ])
      bench.source.append(0, values(...pair));
    for (let i = 0; i < 3; i++) {
      await bench.until(() => gates.length > i);
      await new Promise((resolve) => setTimeout(resolve, 30));
      gates[i]?.();
    }
    await bench.until(() => bench.count("window.committed") === 3);
    await bench.stop();
    expect((await outcomes(scratch.folder)).map(({ note }) => note)).toEqual([
      undefined,
      undefined,
      "1 gap: partition 0 offset 4 is 6, expected 5",
    ]);
  });

  it.each([
    ["leave a gap", false, "1 gap: partition 0 offset 3 is 4, expected 3"],
    ["leave none once they are replayed, which judges no sequence", true, undefined],
  ])("rows that another rule rejects %s", async (_name, replayed, note) => {
    using scratch = scratchFolder();
    const strict = await GateBench.open(scratch.folder, await counting("", { maximum: 2 }));
    await window(strict, 1, 2, 3);
    await strict.stop();
    const contract = await counting("", { version: "1.1.0" });
    const next = await heir(scratch.folder, contract, [0, 0, 0]);
    if (replayed) {
      const totals = await replay({
        lake: next.lake,
        contract,
        engine: "compiled",
        clock: { now: () => 1_900_000_000_000 },
        worker: "test",
        producer: "test",
        attemptsMax: 3,
        filter: {},
        progress: () => {},
      });
      expect(totals).toMatchObject({ replayed: 1, promoted: 1 });
    }
    await window(next, 4);
    await next.stop();
    expect((await outcomes(scratch.folder)).at(-1)?.note).toBe(note);
  });

  it("held rows count; dropped ones do not any more", async () => {
    using scratch = scratchFolder();
    const contract = await counting(", tolerance: { rows: 0 }");
    const bench = await GateBench.open(scratch.folder, contract);
    await window(bench, 1, 2);
    await window(bench, 4);
    await window(bench, 5);
    const lake = await openLake(scratch.folder);
    const [held] = await lake.held("orders");
    expect((await outcomes(scratch.folder)).map(({ verdict }) => verdict)).toEqual(["promote", "hold", "promote"]);
    await lake.publishHeld("orders", held?.windowId as string, by);
    await window(bench, 6, 8);
    await window(bench, 9);
    const [second] = await lake.held("orders");
    await lake.dropHeld("orders", second?.windowId as string, by);
    await window(bench, 10);
    await lake.close();
    await bench.stop();
    expect((await outcomes(scratch.folder)).map(({ note, verdict }) => [verdict, note?.replace(/^.*offset/, "offset")])).toEqual([
      ["promote", undefined],
      ["hold", "offset 2 is 4, expected 3"],
      ["promote", undefined],
      ["hold", "offset 5 is 8, expected 7"],
      ["promote", undefined],
      ["promote", undefined],
    ]);
  });

  it("held rows count in another process too", async () => {
    using scratch = scratchFolder();
    const contract = await counting(", tolerance: { rows: 0 }");
    const first = await GateBench.open(scratch.folder, contract);
    await window(first, 1, 2);
    await window(first, 4);
    await first.stop();
    const second = await heir(scratch.folder, contract, [0, 0, 0]);
    await window(second, 5);
    await second.stop();
    expect((await outcomes(scratch.folder)).map(({ verdict }) => verdict)).toEqual(["promote", "hold", "promote"]);
  });

  it("a dropped window's numbers are expected again where no later ones came", async () => {
    using scratch = scratchFolder();
    const contract = await counting(", tolerance: { rows: 0 }");
    const bench = await GateBench.open(scratch.folder, contract);
    await window(bench, 1, 2);
    await window(bench, 5);
    const lake = await openLake(scratch.folder);
    await lake.dropHeld("orders", (await lake.held("orders"))[0]?.windowId as string, by);
    await lake.close();
    await window(bench, 3);
    await bench.stop();
    expect((await outcomes(scratch.folder)).map(({ verdict }) => verdict)).toEqual(["promote", "hold", "promote"]);
  });
});

it("numbers that a rollback withdrew are expected again, and count again where it is undone", async () => {
  using scratch = scratchFolder();
  const bench = await GateBench.open(scratch.folder, await counting(""));
  await window(bench, 1, 2);
  const lake = await openLake(scratch.folder);
  const version = (await lake.state("orders")).mainSnapshotId as string;
  await window(bench, 3, 4);
  await lake.refs.rollback("orders", { to: version, keepMs: null, releaseKeys: false, ...by });
  await window(bench, 3);
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  await window(bench, 4, 5);
  await lake.close();
  await bench.stop();
  expect((await outcomes(scratch.folder)).map(({ note }) => note)).toEqual([
    undefined,
    undefined,
    undefined,
    "1 repeat: partition 0 offset 5 is 4, expected 5",
  ]);
});

describe("scopes and filters", () => {
  it("partitions and keys have sequences of their own; a filter says who counts, in the table too", async () => {
    using scratch = scratchFolder();
    const rule = ", by: [at], where: { column: n, lessThan: 900 }";
    const row = (n: number, day: number): string => `{"n":${n},"at":"2026-01-0${day}T00:00:00Z"}`;
    const first = await GateBench.open(scratch.folder, await counting(rule));
    first.source.append(0, [row(1, 1), row(10, 2), row(2, 1), row(950, 1), '{"n":77}']);
    first.source.append(1, [row(50, 1)]);
    await first.source.assign(0, 1);
    await first.revoke(0, 1);
    await first.stop();
    const second = await GateBench.open(scratch.folder, await counting(rule));
    second.source.append(0, ["", "", "", "", "", row(3, 1), row(12, 2)]);
    second.source.append(1, ["", row(51, 1), row(51, 1)]);
    await second.source.assign(0, 1);
    await second.revoke(0, 1);
    await second.stop();
    expect((await outcomes(scratch.folder)).map(({ failed, note }) => [failed, note])).toEqual([
      [0, undefined],
      [2, "1 gap, 1 repeat: partition 0 offset 6 is 12, expected 11; partition 1 offset 2 is 51, expected 52"],
    ]);
  });

  it("over a dataset, workers go on from each other's rows", async () => {
    using scratch = scratchFolder();
    const contract = await counting(", scope: dataset");
    const one = await GateBench.open(scratch.folder, contract);
    const two = await GateBench.open(scratch.folder, contract);
    const turn = async (bench: GateBench, partition: number, ...numbers: readonly number[]): Promise<void> => {
      bench.source.append(partition, values(...numbers));
      await bench.source.assign(partition);
      await bench.revoke(partition);
    };
    await turn(one, 0, 1, 2);
    await turn(two, 1, 3);
    await turn(one, 2, 4, 5);
    await turn(two, 3, 7);
    await one.stop();
    await two.stop();
    expect((await outcomes(scratch.folder)).map(({ note }) => note)).toEqual([
      undefined,
      undefined,
      undefined,
      "1 gap: partition 3 offset 0 is 7, expected 6",
    ]);
  });

  it("a partition that moves to another worker and back goes on from what was committed there", async () => {
    using scratch = scratchFolder();
    const contract = await counting("");
    const one = await GateBench.open(scratch.folder, contract);
    const two = await GateBench.open(scratch.folder, contract);
    await window(one, 1, 2);
    two.source.append(0, values(0, 0, 3, 4));
    await two.source.assign(0);
    await two.revoke(0);
    one.source.append(0, values(0, 0, 5, 7));
    await one.source.assign(0);
    await one.revoke(0);
    await one.stop();
    await two.stop();
    expect((await outcomes(scratch.folder)).map(({ note }) => note)).toEqual([
      undefined,
      undefined,
      "1 gap: partition 0 offset 5 is 7, expected 6",
    ]);
  });
});

it("rows that the sequence rejects give back the keys that they claimed", async () => {
  using scratch = scratchFolder();
  const quality = `    quality:
      - { id: counts, type: custom, engine: sluice, implementation: { check: sequence, column: n } }
      - { id: once, type: custom, engine: sluice, implementation: { check: duplicate, columns: [at], scope: dataset } }`;
  const contract = await makeOrders({ quality, maximum: 1000 });
  const at = '"at":"2026-01-01T00:00:00Z"';
  const bench = await GateBench.open(scratch.folder, contract, (lake) => lake, openInlineEngine());
  await window(bench, 5, `{"n":4,${at}}`);
  await window(bench, `{"n":6,${at}}`, `{"n":7,${at}}`);
  await bench.stop();
  expect(await reasons(scratch.folder)).toEqual(["at was in an earlier record, expected each at once", "n is 4, expected 6, after 5"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, open: 2 });
});

it("rows that lose their key to another record do not count", async () => {
  using scratch = scratchFolder();
  const quality = `    quality:
      - { id: counts, type: custom, engine: sluice, implementation: { check: sequence, column: n } }
      - { id: once, type: custom, engine: sluice, implementation: { check: duplicate, columns: [at], scope: dataset } }`;
  const bench = await GateBench.open(scratch.folder, await makeOrders({ quality, maximum: 1000 }));
  const row = (n: number, day: number): string => `{"n":${n},"at":"2026-01-0${day}T00:00:00Z"}`;
  await window(bench, row(5, 1), row(6, 1), row(6, 2));
  await bench.stop();
  expect(await reasons(scratch.folder)).toEqual(["at was in an earlier record, expected each at once"]);
  expect((await outcomes(scratch.folder)).map(({ failed }) => failed)).toEqual([0]);
});
