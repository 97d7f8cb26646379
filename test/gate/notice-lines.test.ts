import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { AlertMessage, AlertRoute, AlertSink } from "../../src/core/alert-sink.ts";
import { SluiceError } from "../../src/core/errors.ts";
import type { GateEvent } from "../../src/core/events.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import type { IncidentNotice } from "../../src/core/incident.ts";
import type { Lake } from "../../src/core/ports.ts";
import { noticeLines } from "../../src/gate/notice-lines.ts";
import { Outbox } from "../../src/gate/outbox.ts";
import type { IncidentState, IncidentStep } from "../../src/incidents/index.ts";
import { emptyIncidentState, foldWindow } from "../../src/incidents/index.ts";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { drifting, makeWindow } from "../incidents/make-window.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A lake whose incidents are made by hand: each entry is a window's drift policy, or null for a window that is well. */
class Bench {
  readonly lake: Lake;
  readonly events: GateEvent[] = [];
  #state: IncidentState = emptyIncidentState("flights");
  #sequence = 0;

  static async open(): Promise<Bench> {
    const scratch = scratchFolder();
    ends.push(() => scratch[Symbol.dispose]());
    const lake = await openLake(scratch.folder);
    ends.push(() => lake.close());
    return new Bench(lake);
  }

  constructor(lake: Lake) {
    this.lake = lake;
  }

  async fold(...policies: readonly ("warn" | "hold" | null)[]): Promise<readonly IncidentNotice[]> {
    const steps: IncidentStep[] = [];
    const before = this.#state;
    for (const policy of policies) {
      const drift = policy === null ? drifting([], "warn", ["carrier"]) : drifting(["carrier"], policy);
      const step = foldWindow(this.#state, makeWindow(++this.#sequence, drift), {
        ...incidentPlanDefault,
        recoverWindows: 1,
        togetherSeconds: 0,
      });
      this.#state = step.state;
      steps.push(step);
    }
    const notices = steps.flatMap((step) => step.notices);
    const kept = await this.lake.incidents.load("flights");
    const change = {
      state: JSON.stringify(this.#state),
      notes: [],
      notices: notices.map((notice, index) => ({ number: before.notices + index + 2, notice })),
      incidents: [...new Map(steps.flatMap((step) => step.changed.map((one) => [one.id, one] as const))).values()],
    };
    expect(await this.lake.incidents.keep("flights", kept?.version ?? 0, change)).toBe(true);
    return notices;
  }

  /** Delivers until nothing waits, or until `enough` says so. */
  async deliver(sink: AlertSink, routes: readonly AlertRoute[] = [], enough?: () => boolean): Promise<void> {
    const observe = (event: GateEvent): void => void this.events.push(event);
    const lines = noticeLines({ lake: this.lake, sinks: [sink], routes, datasets: ["flights"], probe: () => undefined, observe });
    const outbox = new Outbox({ lake: this.lake, sinks: [], lines, holder: "worker", observe, pollMs: 20 });
    outbox.start();
    const isEnough = enough ?? (() => outbox.drain(200));
    while (!(await isEnough())) await sleep(5);
    await outbox.stop();
  }
}

/** A sink that keeps what it is told; `fault` says what it does with a call. */
function keeping(
  name: string,
  fault: (call: number) => SluiceError | null = () => null,
  tracksSeverity = false,
): AlertSink & { readonly told: AlertMessage[]; calls: number } {
  const sink = {
    name,
    tracksSeverity,
    told: [] as AlertMessage[],
    calls: 0,
    async tell(message: AlertMessage) {
      const error = fault(++sink.calls);
      if (error !== null) throw error;
      sink.told.push(message);
      await Promise.resolve();
    },
    close: async () => {},
  };
  return sink;
}

const kinds = ({ told }: { readonly told: readonly AlertMessage[] }): string[] => told.map((one) => one.notice.kind);
const down = (): SluiceError => new SluiceError("SINK_UNAVAILABLE", "down");

it("tells every notice in order, once while all is well, with what to do", async () => {
  const bench = await Bench.open();
  const sink = keeping("ops");
  await bench.fold("warn");
  await bench.deliver(sink);
  await bench.fold(null, "hold", null);
  await bench.deliver(sink);
  await bench.deliver(sink);
  expect(kinds(sink)).toEqual(["opened", "recovered", "opened"]);
  expect(sink.told[2]?.steps.map((one) => one.command)).toContain('sluice hold publish w3 --dataset flights -m "WHY"');
  expect(await bench.lake.cursors.standing("notices/flights")).toMatchObject([{ sink: "alert:ops", sequence: 4n }]);
  // The table's own sinks are asked how far they are before its commits expire: alerts hold up none.
  expect(await bench.lake.cursors.standing("flights")).toEqual([]);
});

it("one that was down while incidents came and went is told all of them; a new one begins with what is open", async () => {
  const bench = await Bench.open();
  const sink = keeping("ops", () => down());
  await bench.fold("warn");
  await bench.deliver(sink, [], () => sink.calls >= 2);
  await bench.fold(null, "warn", null, "warn");
  const up = keeping("ops");
  await bench.deliver(up);
  expect([kinds(sink), kinds(up)]).toEqual([[], ["opened", "recovered", "opened", "recovered", "opened"]]);
  const late = keeping("late");
  await bench.deliver(late);
  expect(kinds(late)).toEqual(["opened"]);
  await bench.fold(null);
  const later = keeping("later");
  await bench.deliver(later);
  await bench.fold("warn");
  await bench.deliver(later);
  expect(kinds(later)).toEqual(["opened"]);
});

it("waits as long as a receiver asks, and no longer than an hour", async () => {
  const bench = await Bench.open();
  const busy = (retryAfterMs: number): SluiceError => new SluiceError("SINK_UNAVAILABLE", "busy", { details: { retryAfterMs } });
  const sink = keeping("ops", (call) => (call === 1 ? busy(86_400_000) : null));
  await bench.fold("warn");
  await bench.deliver(sink, [], () => bench.events.length > 0);
  expect(bench.events).toMatchObject([{ type: "sink.failed", sink: "alert:ops", attempt: 1, retryInMs: 3_600_000 }]);
});

it("a notice that is refused three times lets the next ones pass, and is named", async () => {
  const bench = await Bench.open();
  const [first] = await bench.fold("warn", null);
  const refused = new SluiceError("ALERT_REFUSED", "no such channel");
  const sink = keeping("ops", (call) => (call <= 3 ? refused : null));
  const begin = keeping("ops");
  // The cursor stands before the first notice.
  await bench.lake.cursors
    .acquire("alert:ops", "notices/flights", "test", 0)
    .then((found) => bench.lake.cursors.advance("alert:ops", "notices/flights", found!.fence, 1n));
  await bench.deliver(sink);
  expect([kinds(sink), kinds(begin)]).toEqual([["recovered"], []]);
  expect(bench.events.filter((one) => one.type === "alert.refused")).toMatchObject([{ sink: "ops", notice: first?.id }]);
});

it("tells by routes: by dataset and severity, what came to be worse to those who were not told of it yet", async () => {
  const routes: readonly AlertRoute[] = [
    { receivers: ["all", "board"], datasets: null, severityMin: "warning" },
    { receivers: ["held"], datasets: ["flights"], severityMin: "error" },
    { receivers: ["other"], datasets: ["orders"], severityMin: "warning" },
  ];
  const bench = await Bench.open();
  await bench.fold("warn", "hold");
  const sinks = [keeping("all"), keeping("board", () => null, true), keeping("held"), keeping("other"), keeping("nobody")];
  for (const sink of sinks) await bench.deliver(sink, routes);
  expect(sinks.map(kinds)).toEqual([["opened"], ["opened", "raised"], ["raised"], [], []]);
});

it("repeats what is open to a receiver that forgets", async () => {
  const bench = await Bench.open();
  await bench.fold("warn");
  const repeated: string[][] = [];
  const sink = keeping("am");
  const forgetful: AlertSink = {
    ...sink,
    repeat: { everyMs: 0, tell: async (open) => void repeated.push(open.map((one) => one.notice.incident.status)) },
  };
  await bench.deliver(forgetful, [], () => repeated.length > 2);
  expect(repeated.slice(0, 3)).toEqual([["open"], ["open"], ["open"]]);
  await bench.fold(null);
  repeated.length = 0;
  await bench.deliver(forgetful);
  expect([kinds(sink), repeated]).toEqual([["opened", "recovered"], []]);
});
