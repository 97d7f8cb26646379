import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Consumption, ConsumptionLog } from "../../src/core/consumption.ts";
import type { Incident, IncidentNotice } from "../../src/core/incident.ts";
import type { IncidentChange, IncidentStore } from "../../src/core/incident-store.ts";
import type { Cursors } from "../../src/core/ports.ts";
import { emptyIncidentState, foldNote, foldWindow } from "../../src/incidents/index.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import { drifting, makeWindow, said } from "../incidents/make-window.ts";

/** What Sluice itself keeps beside a catalog, as one of several processes sees it. */
export interface CatalogStores {
  readonly cursors: Cursors;
  readonly consumption: ConsumptionLog;
  readonly incidents: IncidentStore;
  readonly close: () => Promise<void>;
}

/** `open` gives another process's view of the same stores. */
export interface StoresSubject {
  readonly name: string;
  readonly open: (lake: string) => Promise<CatalogStores>;
  readonly stop: () => Promise<void>;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What every store beside a catalog does. */
export function describeStores(subject: StoresSubject): void {
  describe(`stores in ${subject.name}`, () => {
    let mine: CatalogStores;
    let yours: CatalogStores;
    beforeAll(async () => {
      mine = await subject.open("sluice.db");
      yours = await subject.open("sluice.db");
    }, 120_000);
    afterAll(async () => {
      await mine.close();
      await yours.close();
      await subject.stop();
    });

    it("fences cursors: who lost the lease can't advance", async () => {
      const first = (await mine.cursors.acquire("dlq", "orders", "me", 60_000))!;
      expect(first).toEqual({ sequence: 0n, fence: 1n });
      expect(await yours.cursors.acquire("dlq", "orders", "you", 1000)).toBeNull();
      expect(await yours.cursors.acquire("lineage", "orders", "you", 1000)).toEqual({ sequence: 0n, fence: 1n });
      expect(await mine.cursors.advance("dlq", "orders", first.fence, 2n ** 60n)).toBe(true);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 300)).toEqual({ sequence: 2n ** 60n, fence: 1n });
      await sleep(350);
      const second = (await yours.cursors.acquire("dlq", "orders", "you", 60_000))!;
      expect(second).toEqual({ sequence: 2n ** 60n, fence: 2n });
      expect(await mine.cursors.advance("dlq", "orders", first.fence, 2n ** 60n + 1n)).toBe(false);
      expect(await yours.cursors.advance("dlq", "orders", second.fence, 5n)).toBe(false);
      expect(await yours.cursors.advance("dlq", "orders", second.fence, 2n ** 60n + 1n)).toBe(true);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 1000)).toBeNull();
      expect(await mine.cursors.standing("orders")).toMatchObject([
        { sink: "dlq", sequence: 2n ** 60n + 1n },
        { sink: "lineage", sequence: 0n },
      ]);
      // Given back: free at once.
      await yours.cursors.acquire("dlq", "orders", "you", 0);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 1000)).toEqual({ sequence: 2n ** 60n + 1n, fence: 3n });
    });

    it("gives the lease to one of many that ask at once", async () => {
      const asked = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? mine : yours).cursors.acquire("raced", "orders", `holder ${i}`, 60_000)),
      );
      expect(asked.filter((each) => each !== null)).toEqual([{ sequence: 0n, fence: 1n }]);
    });

    it("keeps a step of incidents whole or not at all, once a version", async () => {
      const opened = foldWindow(emptyIncidentState("flights"), makeWindow(1, drifting(["it's"], "warn")), incidentPlanDefault);
      const incident = opened.changed[0] as Incident;
      const note = said(1, incident.id, { kind: "resolve", isFalsePositive: true });
      const resolved = foldNote(opened.state, note, null);
      const change = (state: string, more: Partial<IncidentChange>): IncidentChange => ({
        state,
        notes: [],
        notices: [],
        incidents: [],
        ...more,
      });
      const numbered = (notices: readonly IncidentNotice[], first: number): IncidentChange["notices"] =>
        notices.map((notice, index) => ({ number: first + index, notice }));
      expect([await mine.incidents.load("flights"), await mine.incidents.begin("flights")]).toEqual([null, 1n]);
      const first = change("one", { incidents: opened.changed, notices: numbered(opened.notices, 2) });
      const raced = await Promise.all([mine, yours].map((one) => one.incidents.keep("flights", 0, first)));
      expect(raced.filter(Boolean)).toEqual([true]);
      expect(await yours.incidents.load("flights")).toEqual({ version: 1, state: "one" });
      expect(await yours.incidents.keep("flights", 0, change("lost", { notes: [{ number: 1, note }] }))).toBe(false);
      expect([await mine.incidents.notes("flights"), await mine.incidents.begin("flights")]).toEqual([[], 1n]);
      const second = change("two", { incidents: resolved.changed, notices: numbered(resolved.notices, 3), notes: [{ number: 1, note }] });
      expect(await yours.incidents.keep("flights", 1, second)).toBe(true);
      expect(await mine.incidents.keep("flights", 1, change("late", {}))).toBe(false);
      expect(await mine.incidents.load("flights")).toEqual({ version: 2, state: "two" });
      expect([await mine.incidents.notes("flights"), await mine.incidents.begin("flights")]).toEqual([[note], 3n]);
      const all = [...opened.notices, ...resolved.notices];
      expect(await mine.incidents.notices("flights", 0n, 10)).toEqual(all.map((notice, index) => ({ number: BigInt(index + 2), notice })));
      expect((await mine.incidents.notices("flights", 2n, 1)).map((one) => one.notice.kind)).toEqual(["resolved"]);
      const of = (...asked: Parameters<IncidentStore["incidents"]>): Promise<readonly Incident[]> => mine.incidents.incidents(...asked);
      expect(await of("flights")).toEqual(resolved.changed);
      expect(await of(null, { status: "resolved", isFalsePositive: true, ids: [incident.id, "other"] })).toEqual(resolved.changed);
      for (const filter of [{ status: "open" }, { isFalsePositive: false }, { ids: [] }, { limit: 0 }] as const)
        expect(await of(null, filter)).toEqual([]);
      expect(await of("orders")).toEqual([]);
      const other = await subject.open("sluice.other");
      expect([await other.incidents.load("flights"), await other.incidents.incidents(null)]).toEqual([null, []]);
      await other.close();
    });

    it("removes incidents that were over for long with their notices, and neither what is open, waits or was none, nor what was said", async () => {
      const base = foldWindow(emptyIncidentState("pruned"), makeWindow(1, drifting(["a"], "warn")), incidentPlanDefault)
        .changed[0] as Incident;
      const over = (id: string, closedAtMs: number | null, change: Partial<Incident> = {}): Incident => {
        return { ...base, dataset: "pruned", id, status: closedAtMs === null ? "open" : "recovered", closedAtMs, ...change };
      };
      const resolution = { author: "ann", reason: "a holiday", atMs: 100, isFalsePositive: true };
      const all = [
        over("inc-old", 100),
        over("inc-older", 50, { status: "resolved", resolution: { ...resolution, isFalsePositive: false } }),
        over("inc-young", 200),
        over("inc-open", null),
        over("inc-waits", 100, { heldWindows: ["w7"] }),
        over("inc-none", 100, { status: "resolved", resolution }),
        over("inc-goes-on", 100, { status: "resolved", resolution: { ...resolution, isFalsePositive: false } }),
      ];
      const note = said(1, "inc-old", { kind: "acknowledge" });
      const notices = all.flatMap((incident, index): IncidentChange["notices"] => [
        { number: 2 + 2 * index, notice: { id: `${incident.id}/1/opened`, kind: "opened", atMs: 1, severityBefore: null, incident } },
        { number: 3 + 2 * index, notice: { id: `${incident.id}/1/recovered`, kind: "recovered", atMs: 2, severityBefore: null, incident } },
      ]);
      expect(await mine.incidents.keep("pruned", 0, { state: "s", notes: [{ number: 1, note }], notices, incidents: all })).toBe(true);
      const age = { closedBeforeMs: 200, except: ["inc-goes-on"] };
      expect(await mine.incidents.prune("others", age, false)).toEqual({ incidents: 0, notices: 0 });
      const ids = async (): Promise<string[]> => (await yours.incidents.incidents("pruned")).map(({ id }) => id).toSorted();
      expect(await mine.incidents.prune("pruned", age, true)).toEqual({ incidents: 2, notices: 4 });
      expect(await ids()).toHaveLength(7);
      expect(await mine.incidents.prune("pruned", age, false)).toEqual({ incidents: 2, notices: 4 });
      expect(await ids()).toEqual(["inc-goes-on", "inc-none", "inc-open", "inc-waits", "inc-young"]);
      expect((await yours.incidents.notices("pruned", 1n, 100)).map(({ number }) => Number(number))).toEqual([
        6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
      ]);
      expect(await yours.incidents.notes("pruned")).toEqual([note]);
      expect(await yours.incidents.begin("pruned")).toBe(7n);
      expect(await mine.incidents.prune("pruned", age, false)).toEqual({ incidents: 0, notices: 0 });
    });

    it("gives a version of incidents to one of many that replace it at once", async () => {
      const state = (text: string): IncidentChange => ({ state: text, notes: [], notices: [], incidents: [] });
      for (let version = 0; version < 5; version++) {
        const asked = Array.from({ length: 6 }, (_, i) =>
          (i % 2 === 0 ? mine : yours).incidents.keep("raced", version, state(`${version} by ${i}`)),
        );
        expect((await Promise.all(asked)).filter(Boolean)).toEqual([true]);
      }
    });

    it("keeps readings in order, and answers by what is asked", async () => {
      const reading = (changes: Partial<Consumption>): Consumption => ({
        dataset: "orders",
        snapshotId: String(2n ** 62n),
        kind: "declared",
        reader: "ann",
        job: null,
        runId: null,
        atMs: 1000,
        details: {},
        ...changes,
      });
      const all = [
        reading({ job: "train", runId: "r1", details: { tag: "v1", "o'dd": 'a "quote"' } }),
        reading({ kind: "load", snapshotId: "7", reader: "spark", atMs: 2000 }),
        reading({ kind: "scan", snapshotId: "7", atMs: 3000, dataset: "flights" }),
      ];
      await mine.consumption.record([]);
      await mine.consumption.record(all.slice(0, 2));
      await yours.consumption.record(all.slice(2));
      const of = (...asked: Parameters<ConsumptionLog["of"]>): Promise<Consumption[]> => collect(yours.consumption.of(...asked));
      expect(await of(null)).toEqual(all);
      expect(await of("orders")).toEqual(all.slice(0, 2));
      expect(await of(null, { snapshotIds: ["7", "8"] })).toEqual(all.slice(1));
      expect(await of(null, { kinds: ["load", "declared"], reader: "ann" })).toEqual(all.slice(0, 1));
      expect(await of(null, { job: "train", runId: "r1" })).toEqual(all.slice(0, 1));
      expect(await of(null, { sinceMs: 2000, untilMs: 3000 })).toEqual(all.slice(1, 2));
      const many = Array.from({ length: 1500 }, (_, i) => reading({ dataset: "many", atMs: i }));
      await mine.consumption.record(many);
      expect(await of("many")).toEqual(many);
      const other = await subject.open("sluice.other");
      expect(await collect(other.consumption.of(null))).toEqual([]);
      await other.close();
    });
  });
}
