import { describe, expect, it } from "vitest";
import type { CommittedWindow } from "../../src/core/committed-window.ts";
import type { Incident, IncidentNote, IncidentNotice, IncidentPlan } from "../../src/core/incident.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import type { IncidentState } from "../../src/incidents/index.ts";
import { emptyIncidentState, foldNote, foldWindow, tellDownstream, tellSteps } from "../../src/incidents/index.ts";
import { answering, breaking, drifting, makeNote, makeWindow, said, startMs } from "./make-window.ts";

type Entry = CommittedWindow | IncidentNote;

/** The fold over commits and notes, with every notice and the last of each incident. */
class Fold {
  state: IncidentState = emptyIncidentState("flights");
  readonly notices: IncidentNotice[] = [];
  readonly incidents = new Map<string, Incident>();
  readonly #plan: IncidentPlan;

  constructor(plan: Partial<IncidentPlan> = {}) {
    this.#plan = { ...incidentPlanDefault, recoverWindows: 2, ...plan };
  }

  add(...entries: readonly Entry[]): this {
    for (const entry of entries) {
      const step =
        "sequence" in entry
          ? foldWindow(this.state, entry, this.#plan)
          : foldNote(this.state, entry, "incident" in entry ? (this.incidents.get(entry.incident) ?? null) : null);
      this.state = step.state;
      this.notices.push(...step.notices);
      for (const one of step.changed) this.incidents.set(one.id, one);
    }
    return this;
  }

  get told(): string[] {
    return this.notices.map((one) => one.kind);
  }

  get only(): Incident {
    expect([...this.incidents.keys()]).toHaveLength(1);
    return [...this.incidents.values()][0] as Incident;
  }
}

const calm = (sequence: number): CommittedWindow => makeWindow(sequence, drifting([], "warn", ["carrier", "delay"]));
const stop = {
  kind: "stopped",
  topic: "flights",
  partition: 3,
  code: "WINDOW_STOPPED",
  message: "too few rows",
  sinceMs: startMs,
} as const;

describe("one incident per cause", () => {
  it("columns that move together are one, opened once and recovered once", () => {
    const fold = new Fold().add(
      calm(1),
      makeWindow(2, drifting(["carrier", "delay"], "warn")),
      makeWindow(3, drifting(["carrier"], "warn", ["delay"])),
    );
    fold.add(calm(4));
    expect(fold.only).toMatchObject({ status: "open", severity: "warning", title: "flights: 2 columns drifted: carrier, delay" });
    fold.add(calm(5), calm(6), calm(7));
    expect(fold.told).toEqual(["opened", "recovered"]);
    expect(fold.only).toMatchObject({ status: "recovered", windows: { first: "w2", last: "w3", count: 2 }, openings: 1 });
    expect(fold.state.live).toEqual([]);
  });

  it("fields that changed are told as such, with the columns that moved with them", () => {
    const fold = new Fold().add(makeWindow(1, drifting(["*", "carrier"], "warn")));
    expect(fold.only.title).toBe("flights: column drifted: carrier; fields of records changed");
    expect(fold.only.signals.map(({ key, subject }) => [key, subject])).toEqual([
      ["drift:*", "fields of records"],
      ["drift:carrier", "carrier"],
    ]);
    fold.add(makeWindow(2, drifting([], "warn", ["*", "carrier"])), makeWindow(3, drifting([], "warn", ["*", "carrier"])));
    expect(fold.told).toEqual(["opened", "recovered"]);
  });

  it("a rule and a column of neighbouring windows are one; hours later they are two", () => {
    const near = new Fold().add(makeWindow(1, breaking("rows_min")), makeWindow(2, drifting(["carrier"], "warn")));
    expect(near.only.signals.map((one) => one.key)).toEqual(["rule:rows_min", "drift:carrier"]);
    const minutes = new Fold().add(makeWindow(1, breaking("rows_min")), makeWindow(80, drifting(["carrier"], "warn")));
    expect(minutes.incidents.size).toBe(1);
    const far = new Fold().add(makeWindow(1, breaking("rows_min")), makeWindow(1000, drifting(["carrier"], "warn")));
    expect([...far.incidents.values()].map((one) => one.signals.map((signal) => signal.key))).toEqual([
      ["rule:rows_min"],
      ["drift:carrier"],
    ]);
    expect(far.told).toEqual(["opened", "opened"]);
  });

  it("what comes back after it was over is a new one, which names the old", () => {
    const fold = new Fold().add(
      makeWindow(1, drifting(["carrier"], "warn")),
      calm(2),
      calm(3),
      makeWindow(4, drifting(["carrier"], "warn")),
    );
    const [first, second] = [...fold.incidents.values()];
    expect([first?.status, second?.status, second?.previous]).toEqual(["recovered", "open", first?.id]);
    expect(new Set(fold.notices.map((one) => one.id)).size).toBe(3);
  });

  it("is told again only when it comes to be worse", () => {
    const fold = new Fold().add(makeWindow(1, drifting(["carrier"], "warn")), makeWindow(2, drifting(["carrier"], "hold")));
    fold.add(
      makeNote(2, { ...stop, sinceMs: startMs + 20_000 }),
      makeNote(2, { ...stop, partition: 4, sinceMs: startMs + 20_000 }, "other"),
    );
    expect(fold.notices.map((one) => [one.kind, one.severityBefore, one.incident.severity])).toEqual([
      ["opened", null, "warning"],
      ["raised", "warning", "error"],
      ["raised", "error", "critical"],
    ]);
  });

  it("drift that is only observed, and warnings of rules, open nothing", () => {
    const fold = new Fold().add(makeWindow(1, drifting(["carrier"], "observe")));
    expect(fold.incidents.size).toBe(0);
  });

  it("is not over because a column or rule was not looked at", () => {
    const between = drifting([], "warn", ["carrier"]).drift!;
    const pending = makeWindow(3, { drift: { ...between, tick: null, status: "pending" } });
    const learning = makeWindow(4, { drift: { ...between, results: [], tick: null, status: "learning" } });
    const fold = new Fold().add(makeWindow(1, drifting(["carrier"], "warn")), calm(2), pending, learning);
    expect(fold.only.status).toBe("open");
    fold.add(calm(5));
    expect(fold.only.status).toBe("recovered");
  });

  it("is not over while it only pauses", () => {
    const fold = new Fold({ recoverWindows: 3 });
    for (let i = 1; i <= 12; i++) fold.add(i % 3 === 0 ? makeWindow(i, drifting(["carrier"], "warn")) : calm(i));
    expect(fold.told).toEqual(["opened"]);
    expect(fold.only.signals[0]).toMatchObject({ windows: 4, isActive: true });
  });
});

describe("what readers see", () => {
  it("nothing of held windows; the last good version stands before the first; it is over when each is answered and data are well", () => {
    const fold = new Fold().add(calm(1), makeWindow(2, drifting(["carrier"], "hold")), makeWindow(3, drifting(["carrier"], "hold")));
    expect(fold.only.downstream).toEqual({
      state: "held",
      exposedRecords: 0,
      heldRecords: 200,
      lastGoodSnapshotId: "s1",
      lastGoodAtMs: startMs + 11_000,
    });
    expect(fold.only.heldWindows).toEqual(["w2", "w3"]);
    expect(tellDownstream(fold.only)).toBe(
      "Safe: readers of main see none of it; 200 records held. Last good: version s1 of 2026-01-31 12:00:11Z. 2 windows wait for an answer.",
    );
    expect(tellSteps(fold.only).map((one) => one.command)).toContain('hold publish w2 --dataset flights -m "WHY"');
    fold.add(calm(4), calm(5), answering(6, "publish", "w2"));
    expect([fold.only.status, fold.only.heldWindows]).toEqual(["open", ["w3"]]);
    expect(fold.only.downstream).toMatchObject({
      state: "exposed",
      exposedRecords: 100,
      published: { records: 100, first: "6", last: "6" },
    });
    expect(tellDownstream(fold.only)).toBe(
      "Published: 100 records of it were held, and a person put them on main. Last good: version s1 of 2026-01-31 12:00:11Z. 1 window waits for an answer.",
    );
    fold.add(answering(7, "drop", "w3"));
    expect(fold.only.downstream.exposedRecords).toBe(100);
    expect([fold.only.status, fold.told]).toEqual(["recovered", ["opened", "recovered"]]);
  });

  it("nothing of what was dropped", () => {
    const fold = new Fold().add(calm(1), makeWindow(2, drifting(["carrier"], "hold")), answering(3, "drop", "w2"));
    expect(tellDownstream(fold.only)).toMatch(/^Safe: readers of main see none of it; 100 records held before, and dropped\. Last good: /);
  });

  it("no more of what was published, once a rollback took that commit away, whatever became of the held window's own", () => {
    const fold = new Fold().add(calm(1), makeWindow(2, drifting(["carrier"], "hold")), makeWindow(3, drifting(["carrier"], "hold")));
    fold.add(answering(4, "publish", "w2"));
    const moved = { rollback: "s5", from: "s4", to: "s3", sequences: [{ first: "4", last: "4" }], windows: 1 };
    fold.add(makeWindow(5, { kind: "withdraw", moved: { ...moved, sequences: [{ first: "2", last: "3" }] } }));
    expect(fold.only.downstream.state).toBe("exposed");
    fold.add(makeWindow(6, { kind: "withdraw", moved }));
    expect(tellDownstream(fold.only)).toContain("Safe again: a rollback withdrew 100 records");
    fold.add(makeWindow(7, { kind: "restore", moved }));
    expect(fold.only.downstream.state).toBe("exposed");
  });

  it("rows of a tick's earlier windows, which count from its first; a rollback withdraws them", () => {
    const tick = drifting(["carrier"], "warn");
    const fold = new Fold().add(calm(1), calm(2), calm(3));
    fold.add(makeWindow(4, { ...tick, drift: { ...tick.drift!, tick: { windows: ["w2", "w3", "w4"], rows: 300 } } }));
    expect(fold.only).toMatchObject({
      sinceMs: startMs + 10_000,
      windows: { first: "w2", last: "w4", count: 3 },
      downstream: { state: "exposed", exposedRecords: 300, lastGoodSnapshotId: "s1" },
    });
    expect(tellSteps(fold.only).map((one) => one.command)).toContain('rollback --to s1 --dataset flights -m "WHY"');
    // The next tick may name a window again that was counted.
    fold.add(makeWindow(5, { ...tick, drift: { ...tick.drift!, tick: { windows: ["w4", "w5"], rows: 200 } } }));
    expect(fold.only).toMatchObject({ windows: { first: "w2", last: "w5", count: 4 }, downstream: { exposedRecords: 400 } });
    const moved = { rollback: "s6", from: "s5", to: "s1", sequences: [{ first: "2", last: "5" }], windows: 4 };
    fold.add(makeWindow(6, { kind: "withdraw", moved: { ...moved, sequences: [{ first: "2", last: "4" }] } }));
    expect(fold.only.downstream.state).toBe("exposed");
    fold.add(makeWindow(7, { kind: "withdraw", moved }));
    expect(tellDownstream(fold.only)).toContain("Safe again: a rollback withdrew 400 records");
    fold.add(makeWindow(8, { kind: "restore", moved }));
    expect(fold.only.downstream.state).toBe("exposed");
  });

  it("what was there before, while a source stands still", () => {
    const fold = new Fold().add(calm(1), makeNote(1, stop));
    expect(fold.only).toMatchObject({ severity: "critical", windows: null, downstream: { state: "stopped", lastGoodSnapshotId: "s1" } });
    expect(tellSteps(fold.only).map((one) => one.command)).toContain("unblock --dataset flights --retry");
    fold.add(makeNote(1, { kind: "unstopped", key: "stop:flights:3:WINDOW_STOPPED" }));
    expect([fold.only.status, fold.told]).toEqual(["recovered", ["opened", "recovered"]]);
  });
});

describe("the share of quarantined records", () => {
  const rejecting = (sequence: number, quarantined: number): CommittedWindow =>
    makeWindow(sequence, {
      verdict: "promote-and-quarantine-rows",
      counts: { records: 100, promoted: 100 - quarantined, quarantined, held: 0, skipped: { tombstone: 0, late: 0 } },
    });

  it("is judged over enough records, and is over when it was low often enough", () => {
    const fold = new Fold({ quarantine: { percent: 5, records: 200 } });
    fold.add(rejecting(1, 100));
    expect(fold.incidents.size).toBe(0);
    fold.add(rejecting(2, 0));
    expect(fold.only.signals[0]?.effect).toBe("50.0% of 200 records quarantined (at most 5.00% wanted)");
    fold.add(rejecting(3, 4), rejecting(4, 4), rejecting(5, 4));
    expect(fold.only.status).toBe("open");
    fold.add(rejecting(6, 4));
    expect(fold.only.status).toBe("recovered");
  });

  it("is not too high where it is as high as it may be", () => {
    expect(new Fold({ quarantine: { percent: 5, records: 100 } }).add(rejecting(1, 5)).incidents.size).toBe(0);
  });

  it("is no incident where the contract does not say so", () => {
    expect(new Fold().add(rejecting(1, 100), rejecting(2, 100)).incidents.size).toBe(0);
  });
});

describe("what persons say", () => {
  const open = (): Fold => new Fold().add(calm(1), makeWindow(2, drifting(["carrier"], "warn")));

  it("acknowledging is told once and makes it theirs", () => {
    const fold = open();
    const { id } = fold.only;
    fold.add(said(2, id, { kind: "acknowledge" }), said(2, id, { kind: "acknowledge", author: "bob" }));
    expect(fold.only).toMatchObject({ acknowledged: { author: "bob" }, assignee: "ann" });
    fold.add(said(2, id, { kind: "assign", assignee: "eve" }));
    expect(fold.told).toEqual(["opened", "acknowledged"]);
    expect(fold.only).toMatchObject({ acknowledged: { author: "bob" }, assignee: "eve" });
  });

  it("a snoozed one does not say that it is worse; it says so when the time is over", () => {
    const fold = open();
    const { id } = fold.only;
    fold.add(said(2, id, { kind: "snooze", untilMs: startMs + 60_000 }), makeWindow(3, drifting(["carrier"], "hold")));
    expect(fold.told).toEqual(["opened"]);
    fold.add(makeNote(3, { kind: "awoke", incident: id }));
    expect(fold.notices.at(-1)).toMatchObject({ kind: "reminded", incident: { severity: "error", snoozedUntilMs: null } });
  });

  it("a resolved one is quiet while its cause goes on, but a window that is held must be answered", () => {
    const fold = open();
    const { id } = fold.only;
    fold.add(said(2, id, { kind: "resolve", isFalsePositive: true }));
    expect(fold.only).toMatchObject({ status: "resolved", resolution: { isFalsePositive: true, author: "ann", reason: "because" } });
    fold.add(makeWindow(3, drifting(["carrier"], "warn")));
    expect(fold.told).toEqual(["opened", "resolved"]);
    fold.add(makeWindow(4, drifting(["carrier"], "hold")));
    expect(fold.told).toEqual(["opened", "resolved", "opened"]);
    expect([...fold.incidents.values()].at(-1)).toMatchObject({ status: "open", heldWindows: ["w4"], severity: "error" });
  });

  it("of a resolved one, what had ended and comes back is a new one, though the rest goes on", () => {
    const fold = new Fold().add(makeWindow(1, drifting(["carrier", "delay"], "warn")));
    const { id } = fold.only;
    const still = (sequence: number): CommittedWindow => makeWindow(sequence, drifting(["delay"], "warn", ["carrier"]));
    fold.add(still(2), still(3), said(3, id, { kind: "resolve", isFalsePositive: false }), still(4));
    expect(fold.told).toEqual(["opened", "resolved"]);
    fold.add(makeWindow(5, drifting(["carrier", "delay"], "warn")));
    expect(fold.told).toEqual(["opened", "resolved", "opened"]);
    expect([...fold.incidents.values()].at(-1)?.signals.map((one) => one.key)).toEqual(["drift:carrier"]);
  });

  it("a reopened one is told again, under other ids, and is over by itself again", () => {
    const fold = open();
    const { id } = fold.only;
    fold.add(calm(3), calm(4), said(4, id, { kind: "reopen" }));
    expect(fold.only).toMatchObject({ status: "open", openings: 2, closedAtMs: null });
    fold.add(calm(5), calm(6));
    expect(fold.notices.map((one) => one.id)).toEqual([`${id}/1/opened`, `${id}/1/recovered`, `${id}/2/reopened`, `${id}/2/recovered`]);
  });

  it("an incident that is over can be labelled, once, without being told", () => {
    const fold = open();
    const { id } = fold.only;
    fold.add(calm(3), calm(4), said(4, id, { kind: "resolve", isFalsePositive: true }));
    expect([fold.only.status, fold.told]).toEqual(["resolved", ["opened", "recovered"]]);
    expect(() => fold.add(said(4, id, { kind: "resolve", isFalsePositive: true }))).toThrow(/resolved before, by ann/);
    expect(() => fold.add(said(4, id, { kind: "snooze", untilMs: 1 }))).toThrow(/it says nothing any more/);
    expect(() => fold.add(said(4, "inc-none", { kind: "acknowledge" }))).toThrow(/flights has no incident inc-none/);
  });
});

it("stays small however long a cause goes on", () => {
  const fold = new Fold();
  for (let i = 1; i <= 3000; i++) fold.add(makeWindow(i, drifting(["carrier"], "warn")));
  expect(fold.told).toEqual(["opened"]);
  expect(fold.only.windows?.count).toBe(3000);
  expect(JSON.stringify(fold.state).length).toBeLessThan(100_000);
});
