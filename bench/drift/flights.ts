import type { Contract, DriftCheckPlan, DriftPlan } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import { leafFields } from "../../src/sketches/leaf-columns.ts";
import { mergeColumns } from "../../src/sketches/merge-profiles.ts";
import type { Bench, BenchTable } from "../bench.ts";
import type { FlightDay } from "./flight-days.ts";
import { flightDays, flightsContract } from "./flight-days.ts";
import { peerRules } from "./peer-rules.ts";

const learningDays = 56;
/** Well days after which an incident is over: the contract's default. */
const recoverDays = 3;

const holidays = [
  "2013-01-01",
  "2013-01-21",
  "2013-02-18",
  "2013-05-27",
  "2013-07-04",
  "2013-09-02",
  "2013-10-14",
  "2013-11-11",
  "2013-11-28",
  "2013-12-25",
];

const columns = ["carrier", "origin", "dest", "sched_dep_hhmm", "dep_delay_min", "arr_delay_min", "air_time_min", "distance_mi"] as const;
const checks: readonly DriftCheckPlan[] = [
  ...columns.map((column) => ({ column, tests: ["psi"], policy: "warn" as const, limit: null })),
  { column: "dep_hhmm", tests: ["null-share"], policy: "warn", limit: null },
];

const plan = (baseline: DriftPlan["baseline"], detection: DriftPlan["detection"], warmupWindows: number): DriftPlan => ({
  baseline,
  ...(detection !== undefined && { detection }),
  tick: { rows: 1, seconds: 86_400 },
  warmupWindows,
  checks,
});
const monthly = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "days", mean: 30 } } as const;
const weekdays = { kind: "seasonal", by: ["weekday"], windows: 8, timezone: "America/New_York", holidays } as const;

const contestants: readonly { readonly name: string; readonly plan: DriftPlan }[] = [
  { name: "sluice: weekdays, sequential, one false alarm in 30 days", plan: plan(weekdays, monthly, 4) },
  { name: "sluice: 20 rolling days, sequential, one in 30 days", plan: plan({ kind: "rolling", windows: 20 }, monthly, 20) },
  { name: "sluice: weekdays, each tick by itself", plan: plan(weekdays, { mode: "each-tick" }, 4) },
];

interface Told {
  readonly date: string;
  readonly outcome: DriftOutcome;
}

/** A year of days, judged and committed one by one. */
function judgeYear(contract: Contract, days: readonly FlightDay[]): readonly Told[] {
  let state = emptyDriftState;
  return days.map(({ date, noonMs, profile }) => {
    const input = { windowId: date, openedAtMs: noonMs, closedAtMs: noonMs + 12 * 3_600_000, profile };
    const drift = judgeDrift(contract, state, input);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
    return { date, outcome: drift };
  });
}

/** Alarm days as incidents: an incident is over after some well days. */
function incidentsOf(flagged: readonly boolean[]): readonly { readonly from: number; readonly days: number }[] {
  const incidents: { from: number; days: number }[] = [];
  let last = -Infinity;
  flagged.forEach((each, day) => {
    if (!each) return;
    const open = incidents.at(-1);
    if (open !== undefined && day - last <= recoverDays) open.days = day - open.from + 1;
    else incidents.push({ from: day, days: 1 });
    last = day;
  });
  return incidents;
}

function describe(told: Told): string {
  const found = told.outcome.results.filter((result) => result.status === "drift");
  return found.map((result) => `${result.explanation} (${result.test} ${result.statistic?.toFixed(2)}, ${result.foundBy})`).join("; ");
}

/** A year of real flights in their natural order, a window a day, the first eight weeks to learn. */
export const driftFlights: Bench = {
  name: "drift-flights",
  onDemand: true,
  async run(say) {
    const contract = await flightsContract();
    const days = await flightDays(contract);
    const months = (days.length - learningDays) / (365 / 12);
    const summary: BenchTable = { title: "alarms after eight weeks of learning", rows: [] };
    const evidence: BenchTable = { title: "incidents of the first contestant", rows: [] };
    const add = (rule: string, flagged: readonly boolean[], columnDays: number | null): void => {
      const incidents = incidentsOf(flagged);
      summary.rows.push({
        rule,
        "days flagged": flagged.filter(Boolean).length,
        "column-days flagged": columnDays === null ? "" : `${(100 * columnDays).toFixed(1)}%`,
        incidents: incidents.length,
        "incidents a month": Number((incidents.length / months).toFixed(2)),
      });
    };
    for (const [i, { name, plan: drift }] of contestants.entries()) {
      const judged = judgeYear({ ...contract, drift }, days).slice(learningDays);
      const flagged = judged.map(({ outcome }) => outcome.status === "warn");
      const results = judged.flatMap(({ outcome }) => outcome.results);
      add(name, flagged, results.filter((result) => result.status === "drift").length / results.length);
      if (i > 0) continue;
      for (const { from, days: length } of incidentsOf(flagged)) {
        const told = judged[from] as Told;
        evidence.rows.push({ from: told.date, days: length, evidence: describe(told) });
        say(`${told.date}, ${length} days: ${describe(told)}`);
      }
    }
    const fields = leafFields(contract.fields).filter((field) => (columns as readonly string[]).includes(field.path));
    const references = fields.map((field) => ({
      field,
      before: days
        .slice(0, learningDays)
        .flatMap((day) => day.profile.columns.get(field.path) ?? [])
        .reduce(mergeColumns),
    }));
    for (const rule of peerRules) {
      let flaggedColumns = 0;
      const flagged = days.slice(learningDays).map((day) => {
        const found = references.filter(({ field, before }) => {
          const now = day.profile.columns.get(field.path);
          return now !== undefined && rule.flags(before, now);
        });
        flaggedColumns += found.length;
        return found.length > 0;
      });
      add(`${rule.name}, against the eight weeks`, flagged, flaggedColumns / (flagged.length * references.length));
    }
    return {
      setup: `The 336,776 flights of 2013 as 365 windows of a day, in order; ${columns.length} columns by PSI, cancelled flights by share of nulls; default effect sizes; peers' rules over the same profiles.`,
      comparisons: [],
      measurements: [],
      tables: [summary, evidence],
    };
  },
};
