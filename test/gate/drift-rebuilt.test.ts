import { createHash } from "node:crypto";
import { expect, it, vi } from "vitest";
import type { Contract, DriftPlan } from "../../src/core/contract.ts";
import type { Decision } from "../../src/core/decision.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import type { Lake } from "../../src/core/ports.ts";
import { DriftLedger } from "../../src/gate/drift-ledger.ts";
import { IncidentLedger } from "../../src/gate/incident-ledger.ts";
import { encodeProfile } from "../../src/sketches/index.ts";
import { contract, makeWindow, partitions, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { check, fields, planOf, profileOf } from "../drift/windows.ts";
import { normal, seededRandom } from "../sketches/columns.ts";

const random = seededRandom(31);
const delays = (shift: number) =>
  profileOf(
    [],
    Array.from({ length: 300 }, () => normal(random) + shift),
  );

const drifting = (change: Partial<DriftPlan> = {}, base: Contract = contract): Contract => ({
  ...base,
  fields,
  drift: planOf([check("delay", ["psi"], "warn", 0.05)], {
    baseline: { kind: "rolling", windows: 3 },
    warmupWindows: 2,
    detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 20 } },
    ...change,
  }),
});

/** Judges a window by a worker's ledger and commits it with what drift said. */
async function commit(
  lake: Lake,
  ledger: DriftLedger,
  from: number,
  shift: number,
  base: Contract = contract,
  remember: (decision: Decision) => void = () => {},
): Promise<DriftOutcome> {
  const window = makeWindow({ id: `${base.dataset}${from}`, from: BigInt(from), values: [row(from)], contract: base });
  const profile = delays(shift);
  const bytes = encodeProfile(profile);
  await ledger.catchUp();
  const { windowId, closedAtMs } = window.decision;
  const drift = ledger.judge({ windowId, closedAtMs, profile });
  const hash = createHash("sha256").update(bytes).digest("hex");
  const decision = { ...window.decision, drift, profile: { rows: profile.rows, columns: [], hash } };
  const result = await lake.commitWindow({ ...window, profile: bytes, decision });
  expect(result.status).toBe("committed");
  remember(decision);
  return drift;
}

it("a worker that begins anew knows of the detectors what the one before it knew, further back than it reads profiles", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const judged = drifting();
  const running = new DriftLedger(lake, judged);
  let last: DriftOutcome | null = null;
  // A fresh ledger reads 106 profiles back, and decisions alone before them.
  for (let n = 0; n < 124; n++) last = await commit(lake, running, n, n < 120 ? 0 : 0.2);
  expect(last?.results[0]?.evidence?.calibration).toBeGreaterThan(110);
  await running.catchUp();
  const begun = new DriftLedger(lake, judged);
  await begun.catchUp();
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: delays(0.2) };
  const outcome = running.judge(input);
  expect(outcome.sequence?.value).toBeGreaterThan(0);
  expect(begun.judge(input)).toEqual(outcome);
  await lake.close();
});

it("a worker goes on from the profiles that it judged, and reads none of them back", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const judged = drifting();
  const running = new DriftLedger(lake, judged);
  const reads = vi.spyOn(lake, "profile");
  for (let n = 0; n < 8; n++) await commit(lake, running, n, 0, contract, (decision) => running.remember(decision));
  await running.catchUp();
  expect(reads).not.toHaveBeenCalled();
  const begun = new DriftLedger(lake, judged);
  await begun.catchUp();
  expect(reads).toHaveBeenCalledTimes(8);
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: delays(0.2) };
  expect(begun.judge(input)).toEqual(running.judge(input));
  await lake.close();
});

it("a profile that is decoded when it is asked for is asked for once", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const ledger = new DriftLedger(lake, drifting());
  await ledger.catchUp();
  let asked = 0;
  const input = {
    windowId: "next",
    closedAtMs: 1_700_000_020_000,
    get profile() {
      asked++;
      return delays(0);
    },
  };
  ledger.judge(input);
  expect(asked).toBe(1);
  await lake.close();
});

it("windows of an incident that a person labelled as a false positive are usual: what they showed is no alarm the next time", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  // Without evidence over time a break alone alarms: the same data are one before the label, and none after it.
  const judged = drifting();
  const ledger = new DriftLedger(lake, judged);
  for (let n = 0; n < 6; n++) expect((await commit(lake, ledger, n, 0)).status).not.toBe("warn");
  for (let n = 6; n < 9; n++) expect((await commit(lake, ledger, n, 1)).status).toBe("warn");
  const incidents = new IncidentLedger({
    lake,
    dataset: "orders",
    planOf: () => Promise.resolve(incidentPlanDefault),
    onNotice: () => {},
    now: () => 1_700_000_030_000,
  });
  await incidents.catchUp();
  const [open, ...others] = await lake.incidents.incidents("orders");
  expect([open?.signals.map(({ key }) => key), others]).toEqual([["drift:delay"], []]);
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: delays(1) };
  await ledger.catchUp();
  expect(ledger.judge(input).status).toBe("warn");
  await incidents.answer({ incident: open!.id, author: "ann", reason: "a fare sale", kind: "resolve", isFalsePositive: true });
  await ledger.catchUp();
  expect(ledger.judge(input).status).toBe("pass");
  // A worker that begins anew knows it too.
  const begun = new DriftLedger(lake, judged);
  await begun.catchUp();
  expect(begun.judge(input)).toEqual(ledger.judge(input));
  await lake.close();
});

it("another dataset's promoted windows are the baseline, as they come, and as they are rolled back", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const other: Contract = { ...contract, dataset: "golden", hash: "sha256:golden", text: "the golden contract" };
  const judged = drifting({ baseline: { kind: "dataset", dataset: "golden", windows: 2 } });
  const ledger = new DriftLedger(lake, judged);
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: delays(0) };
  const baseline = async (): Promise<DriftOutcome["baseline"]> => {
    await ledger.catchUp();
    return ledger.judge(input).baseline;
  };
  expect(await baseline()).toBeNull();
  expect(ledger.judge(input).results[0]?.explanation).toBe("the dataset golden has no profile here");
  await lake.activate(other);
  await lake.recordStart(
    "golden",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  const own = new DriftLedger(lake, { ...other, drift: null });
  for (const [n, windows] of [1, 2, 2].entries()) {
    await commit(lake, own, n, 0, other);
    expect(await baseline()).toEqual({ windows, rows: 300 * windows, ref: "golden" });
  }
  expect(ledger.judge(input).status).toBe("pass");
  expect(ledger.judge({ ...input, profile: delays(2) }).status).toBe("warn");
  await lake.refs.rollback("golden", { to: "main~2", keepMs: null, releaseKeys: false, author: "ann", reason: "bad" });
  expect(await baseline()).toMatchObject({ windows: 1 });
  await lake.close();
});

it("what a person calls the new normal is the baseline, alarms or not, for a worker that runs and for one that begins", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const judged = drifting({ baseline: { kind: "rolling", windows: 5 } });
  const running = new DriftLedger(lake, judged);
  for (let n = 0; n < 6; n++) await commit(lake, running, n, 0);
  // Promoted under an alarm: such windows join nothing, so the alarm stays.
  for (let n = 6; n < 10; n++) expect((await commit(lake, running, n, 2)).status).toBe("warn");
  const by = { author: "ann", reason: "the summer schedule" };
  const rebase = await lake.rebaseDrift("orders", { windows: 3, ...by });
  expect(rebase).toMatchObject({ windows: 3, ...by });
  expect((await lake.state("orders")).driftRebase).toEqual(rebase);
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: delays(2) };
  const begun = new DriftLedger(lake, judged);
  for (const ledger of [running, begun]) {
    await ledger.catchUp();
    expect(ledger.judge(input)).toMatchObject({ status: "pass", baseline: { windows: 3 }, sequence: { value: 1 } });
    expect(ledger.judge({ ...input, profile: delays(0) }).status).toBe("warn");
  }
  // What comes then is judged as ever, and joins.
  expect((await commit(lake, running, 10, 2)).status).toBe("pass");
  expect((await commit(lake, running, 11, 0)).status).toBe("warn");
  for (const ledger of [running, new DriftLedger(lake, judged)]) {
    await ledger.catchUp();
    expect(ledger.judge(input).baseline?.windows).toBe(4);
  }
  const [audit] = (await lake.snapshots("orders")).filter((each) => each.summary["sluice.change"] === "rebase");
  expect(audit?.summary).toMatchObject({ "sluice.author": "ann", "sluice.reason": "the summer schedule" });
  await lake.close();
});
