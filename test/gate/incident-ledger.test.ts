import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, it } from "vitest";
import type { Incident, IncidentNotice } from "../../src/core/incident.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import type { Lake } from "../../src/core/ports.ts";
import { IncidentLedger } from "../../src/gate/incident-ledger.ts";
import { makeWindow, openLake, placeIn, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { breaking, drifting } from "../incidents/make-window.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Bench {
  readonly folder: string;
  readonly lake: Lake;
  readonly told: IncidentNotice[];
  readonly clock: { now: number };
  /** Another process's ledger over the same lake. */
  open(): Promise<{ readonly ledger: IncidentLedger; readonly told: IncidentNotice[] }>;
  readonly ledger: IncidentLedger;
  /** Commits a window of one row; what is given is its decision's. */
  commit(id: string, change?: Parameters<typeof drifting> | "broken"): Promise<void>;
  all(): Promise<readonly Incident[]>;
}

async function bench(): Promise<Bench> {
  const scratch = scratchFolder();
  ends.push(() => scratch[Symbol.dispose]());
  const { folder } = scratch;
  const lake = await startedLake(folder);
  ends.push(() => lake.close());
  const clock = { now: 1_700_000_100_000 };
  const ledgerOver = (over: Lake): { ledger: IncidentLedger; told: IncidentNotice[] } => {
    const told: IncidentNotice[] = [];
    const planOf = () => Promise.resolve({ ...incidentPlanDefault, recoverWindows: 2 });
    const onNotice = (notice: IncidentNotice): void => void told.push(notice);
    return { told, ledger: new IncidentLedger({ lake: over, dataset: "orders", planOf, now: () => clock.now, onNotice }) };
  };
  let next = 0n;
  return {
    folder,
    lake,
    clock,
    ...ledgerOver(lake),
    open: async () => {
      const other = await openLake(folder);
      ends.push(() => other.close());
      return ledgerOver(other);
    },
    commit: async (id, change) => {
      const said = change === undefined ? {} : change === "broken" ? breaking("rows_min") : drifting(...change);
      const sketch = makeWindow({
        id,
        from: next,
        values: [row(Number(next))],
        ...(said.verdict !== undefined && { verdict: said.verdict }),
      });
      next += 1n;
      const { counts: _, ...rest } = said;
      expect(await lake.commitWindow({ ...sketch, decision: { ...sketch.decision, ...rest } })).toMatchObject({ status: "committed" });
    },
    all: () => lake.incidents.incidents("orders"),
  };
}

const by = { author: "ann", reason: "real" };
const block = {
  topic: "orders",
  topicId: "topic-a",
  partition: 2,
  code: "WINDOW_STOPPED",
  message: "too few rows",
  sinceMs: 1_700_000_050_000,
};

it("folds commits, held windows and stops of a lake, and tells each notice once among many processes", async () => {
  const at = await bench();
  await at.commit("w1");
  await at.commit("w2", [["n"], "hold"]);
  const others = await Promise.all([at.open(), at.open(), at.open()]);
  const ledgers = [at, ...others];
  await Promise.all(ledgers.map(({ ledger }) => ledger.catchUp()));
  expect(ledgers.flatMap(({ told }) => told.map((one) => one.kind))).toEqual(["opened"]);
  const [first] = await at.all();
  expect(first).toMatchObject({ status: "open", heldWindows: ["w2"], spans: [{ partition: 0, from: "1", to: "2" }] });
  await at.lake.block("orders", block);
  await Promise.all(ledgers.map(({ ledger }) => ledger.catchUp()));
  await at.lake.publishHeld("orders", "w2", by);
  await at.lake.unblock("orders", { partition: null, mode: "retry", ...by });
  await at.commit("w3", [[], "warn", ["n"]]);
  await at.commit("w4", [[], "warn", ["n"]]);
  await Promise.all(ledgers.map(({ ledger }) => ledger.catchUp()));
  expect(ledgers.flatMap(({ told }) => told).map((one) => [one.kind, one.incident.severity])).toEqual(
    expect.arrayContaining([
      ["opened", "error"],
      ["raised", "critical"],
      ["recovered", "critical"],
    ]),
  );
  expect(ledgers.flatMap(({ told }) => told)).toHaveLength(3);
  expect((await at.lake.incidents.notices("orders", 1n, 10)).map((one) => one.number)).toEqual([2n, 3n, 4n]);
  // Nothing new: nothing is written.
  const before = await at.lake.incidents.load("orders");
  await at.ledger.catchUp();
  expect(await at.lake.incidents.load("orders")).toEqual(before);
});

it("what persons say at once is all recorded, and an answer that does not fit changes nothing", async () => {
  const at = await bench();
  await at.commit("w1", [["n"], "warn"]);
  await at.ledger.catchUp();
  const [{ id }] = (await at.all()) as [Incident];
  const others = await Promise.all([at.open(), at.open(), at.open()]);
  await Promise.all(others.map(({ ledger }, i) => ledger.answer({ kind: "assign", assignee: `p${i}`, incident: id, ...by })));
  expect(await at.lake.incidents.notes("orders")).toHaveLength(3);
  expect(await at.ledger.answer({ kind: "acknowledge", incident: id, ...by })).toMatchObject({ acknowledged: { author: "ann" } });
  at.clock.now += 1000;
  await at.ledger.answer({ kind: "snooze", untilMs: at.clock.now + 5000, incident: id, ...by });
  await at.ledger.catchUp();
  expect(at.told.map((one) => one.kind)).toEqual(["opened", "acknowledged"]);
  at.clock.now += 5000;
  await at.ledger.catchUp();
  expect(at.told.map((one) => one.kind)).toEqual(["opened", "acknowledged", "reminded"]);
  await expect(at.ledger.answer({ kind: "reopen", incident: id, ...by })).rejects.toMatchObject({ code: "INCIDENT_REFUSED" });
  await expect(at.ledger.answer({ kind: "reopen", incident: "inc-none", ...by })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await at.lake.incidents.notes("orders")).toHaveLength(6);
  await at.ledger.answer({ kind: "resolve", isFalsePositive: true, incident: id, ...by });
  expect(await at.lake.incidents.incidents(null, { isFalsePositive: true })).toMatchObject([{ id, resolution: { reason: "real" } }]);
});

it("is made again from commits and notes, to the last notice, where the fold is lost", async () => {
  const at = await bench();
  await at.commit("w1");
  await at.commit("w2", "broken");
  await at.ledger.catchUp();
  const [{ id }] = (await at.all()) as [Incident];
  await at.ledger.answer({ kind: "assign", assignee: "eve", incident: id, ...by });
  await at.lake.block("orders", block);
  await at.ledger.catchUp();
  await at.lake.unblock("orders", { partition: null, mode: "retry", ...by });
  await at.lake.dropHeld("orders", "w2", by);
  await at.commit("w3");
  await at.commit("w4");
  await at.ledger.catchUp();
  await at.ledger.answer({ kind: "reopen", incident: id, ...by });
  await at.commit("w5", [["n"], "warn"]);
  await at.ledger.catchUp();
  const kept = async (): Promise<unknown> => [
    await at.all(),
    await at.lake.incidents.notices("orders", 0n, 100),
    await at.lake.incidents.notes("orders"),
  ];
  const before = await kept();
  const state = (await at.lake.incidents.load("orders"))?.state;
  const database = new DatabaseSync(placeIn(at.folder).catalog, { timeout: 5000 });
  database.exec("DELETE FROM sluice_incident_folds; DELETE FROM sluice_incidents; DELETE FROM sluice_incident_notices");
  database.close();
  const again = await at.open();
  await again.ledger.catchUp();
  expect(await kept()).toEqual(before);
  expect((await at.lake.incidents.load("orders"))?.state).toEqual(state);
});
