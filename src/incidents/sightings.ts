import { allFields } from "../core/all-fields.ts";
import type { Decision } from "../core/decision.ts";
import type { RecordSample } from "../core/record-sample.ts";
import type { IncidentPlan, IncidentSeverity, SignalKind } from "../core/incident.ts";
import { fieldsSubject } from "./incident-words.ts";
import type { IncidentState } from "./incident-state.ts";

/** A signal as one window shows it. */
export interface Sighting {
  readonly key: string;
  readonly kind: SignalKind;
  readonly subject: string;
  readonly severity: IncidentSeverity;
  readonly effect: string;
  /** Records that show it. */
  readonly samples?: readonly RecordSample[];
  /** Since when, as far as the window's evidence tells; null: since the window. */
  readonly sinceMs: number | null;
}

/** What a window says of signals: those that it shows, and how to tell of any other whether it was looked for and not found. */
export interface WindowSightings {
  readonly shown: readonly Sighting[];
  readonly isClean: (key: string) => boolean;
  readonly rate: IncidentState["rate"];
}

const noRate = { records: 0, quarantined: 0 };

function percentText(percent: number): string {
  return `${percent >= 10 ? percent.toFixed(1) : percent.toFixed(2)}%`;
}

function rateOf(
  decision: Decision,
  plan: IncidentPlan,
  before: IncidentState["rate"],
): Omit<WindowSightings, "isClean"> & { isJudged: boolean } {
  const { counts, verdict } = decision;
  if (plan.quarantine === null) return { shown: [], rate: noRate, isJudged: true };
  if (verdict === "hold") return { shown: [], rate: before, isJudged: false };
  const records = before.records + counts.promoted + counts.quarantined;
  const quarantined = before.quarantined + counts.quarantined;
  if (records < plan.quarantine.records) return { shown: [], rate: { records, quarantined }, isJudged: false };
  const percent = (quarantined / records) * 100;
  if (percent <= plan.quarantine.percent) return { shown: [], rate: noRate, isJudged: true };
  const effect = `${percentText(percent)} of ${records} records quarantined (at most ${percentText(plan.quarantine.percent)} wanted)`;
  const sighting: Sighting = { key: "quarantine", kind: "quarantine", subject: "quarantine", severity: "warning", effect, sinceMs: null };
  return { shown: [sighting], rate: noRate, isJudged: true };
}

function driftOf({ drift }: Decision): Sighting[] {
  const columns = new Map<string, Sighting>();
  for (const { status, policy, column, explanation, test, sinceMs, samples } of drift.results) {
    if (status !== "drift" || policy === "observe") continue;
    const key = `drift:${column}`;
    const severity = policy === "hold" ? "error" : "warning";
    const told = explanation ?? `${column}: ${test} found drift`;
    const known = columns.get(key);
    const shown = known?.samples ?? samples;
    columns.set(key, {
      key,
      kind: "drift",
      subject: column === allFields.path ? fieldsSubject : column,
      severity: known?.severity === "error" ? "error" : severity,
      effect: known === undefined ? told : `${known.effect}; ${told}`.slice(0, effectCharsMax),
      ...(shown !== undefined && { samples: shown }),
      sinceMs: known?.sinceMs ?? sinceMs ?? null,
    });
  }
  return [...columns.values()];
}

/** An effect is read at night on a telephone. */
const effectCharsMax = 600;

function causesOf(decision: Decision): Sighting[] {
  return decision.causes.flatMap(({ kind, subject, message }) =>
    kind === "drift"
      ? []
      : [
          {
            key: `rule:${subject}`,
            kind: "rule" as const,
            subject,
            severity: "error" as const,
            effect: message.slice(0, effectCharsMax),
            sinceMs: null,
          },
        ],
  );
}

/** What a committed window shows, and what it shows to be well again. */
export function sightingsOf(decision: Decision, plan: IncidentPlan, before: IncidentState["rate"]): WindowSightings {
  const rate = rateOf(decision, plan, before);
  const shown = [...causesOf(decision), ...driftOf(decision), ...rate.shown];
  const keys = new Set(shown.map((one) => one.key));
  const { drift, rules } = decision;
  const isClean = (key: string): boolean => {
    if (keys.has(key)) return false;
    if (key === "quarantine") return rate.isJudged;
    if (key.startsWith("rule:")) {
      const outcome = rules.find((one) => `rule:${one.rule}` === key);
      // A rule that the contract has no more can't be broken any more.
      return outcome === undefined || (outcome.breach === null && (outcome.status === "pass" || outcome.status === "fail"));
    }
    if (key.startsWith("drift:")) {
      const own = drift.results.filter((one) => `drift:${one.column}` === key);
      if (own.length === 0) return drift.status === "off" || drift.tick !== null;
      return drift.tick !== null && own.every((one) => one.status === "pass" || one.policy === "observe");
    }
    return false;
  };
  return { shown, isClean, rate: rate.rate };
}
