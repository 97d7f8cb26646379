import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import type { Contract } from "../../src/core/contract.ts";
import type { Lake } from "../../src/core/ports.ts";
import { DriftLedger } from "../../src/gate/drift-ledger.ts";
import { WindowOutcomes } from "../../src/gate/window-outcomes.ts";
import { emptyProfile, encodeProfile } from "../../src/sketches/index.ts";
import { contract, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { check, planOf, profileOf } from "../drift/windows.ts";

const by = { author: "ann", reason: "bad ones" };

/** Commits a window of one row whose profile says that delays are around a number. */
async function commit(lake: Lake, from: number, around: number): Promise<string> {
  const window = makeWindow({ id: `w${from}`, from: BigInt(from), values: [row(from)] });
  const profile = encodeProfile(
    profileOf(
      [],
      Array.from({ length: 500 }, (_, i) => around + (i % 50) / 50),
    ),
  );
  const hash = createHash("sha256").update(profile).digest("hex");
  const result = await lake.commitWindow({
    ...window,
    profile,
    decision: { ...window.decision, profile: { rows: 500, columns: [], hash } },
  });
  return result.status === "committed" ? result.snapshotId : "lost";
}

const drifting = (baseline: { kind: "rolling"; windows: number } | { kind: "pinned"; ref: string }): Contract => ({
  ...contract,
  drift: planOf([check("delay", ["psi"], "hold")], { baseline, warmupWindows: 2 }),
});

it("a withdrawn window is no baseline any more, for a worker that runs and for one that begins; brought back, it is one again", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const judged = drifting({ kind: "rolling", windows: 10 });
  const running = new DriftLedger(lake, judged);
  const input = {
    windowId: "w",
    closedAtMs: 1,
    profile: profileOf(
      [],
      Array.from({ length: 500 }, (_, i) => (i % 50) / 50),
    ),
  };
  const seenBy = async (ledger: DriftLedger): Promise<number | undefined> => {
    await ledger.catchUp();
    return ledger.judge(input).baseline?.windows;
  };
  const begun = (): Promise<number | undefined> => seenBy(new DriftLedger(lake, judged));
  for (let n = 0; n < 4; n++) await commit(lake, n, 0);
  expect(await seenBy(running)).toBe(4);
  for (let n = 4; n < 8; n++) await commit(lake, n, 100);
  expect(await seenBy(running)).toBe(8);
  await lake.refs.rollback("orders", { to: "main~4", keepMs: null, releaseKeys: false, ...by });
  expect([await seenBy(running), await begun()]).toEqual([4, 4]);
  await commit(lake, 8, 0);
  expect([await seenBy(running), await begun()]).toEqual([5, 5]);
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect([await seenBy(running), await begun()]).toEqual([9, 9]);
  await lake.close();
});

it("a pinned baseline is what its tag holds, wherever main went", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commit(lake, 0, 0);
  await commit(lake, 1, 0);
  await lake.refs.create("orders", { kind: "tag", name: "good", version: "main", keepMs: null, ...by });
  await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
  await commit(lake, 2, 0);
  const ledger = new DriftLedger(lake, drifting({ kind: "pinned", ref: "good" }));
  await ledger.catchUp();
  const { baseline } = ledger.judge({ windowId: "w", closedAtMs: 1, profile: emptyProfile(contract) });
  expect(baseline).toMatchObject({ ref: "good", rows: 1000 });
  await lake.close();
});

it("a rule that compares with earlier windows does not compare with withdrawn ones", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const looking: Contract = {
    ...contract,
    rules: [
      {
        id: "rows.change",
        check: { family: "change", windows: 3, windowsMin: 1, by: "difference" },
        threshold: { operator: "mustBeLessThan", values: [1000], unit: "value" },
      },
    ] as never,
  };
  const measured = async (from: number, value: number): Promise<void> => {
    const window = makeWindow({ id: `w${from}`, from: BigInt(from), values: [row(from)] });
    const outcome = { ...window.decision.rules[0]!, rule: "rows.change", family: "change", status: "pass", measured: { value } } as never;
    await lake.commitWindow({ ...window, decision: { ...window.decision, rules: [outcome] } });
  };
  const outcomes = new WindowOutcomes(looking, lake, null);
  /** What a window that measures 12 is told: by how much it differs from how many windows. */
  const told = async (): Promise<string | undefined> => {
    await outcomes.catchUp();
    const settled = { outcomes: [{ rule: "rows.change", family: "change", status: "pass", measured: { value: 12 } }], file: null } as never;
    const { outcomes: finished } = await outcomes.finish(settled, { closedAtMs: 1, closedBy: "rows" } as never);
    return finished[0]?.note ?? undefined;
  };
  for (const [from, value] of [10, 11, 500].entries()) await measured(from, value);
  expect(await told()).toMatch(/mean of 3 windows before \(173/);
  await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
  await measured(3, 12);
  expect(await told()).toMatch(/mean of 3 windows before \(11\)/);
  await lake.close();
});
