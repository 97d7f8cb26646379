import type { Incident, IncidentSignal } from "../core/incident.ts";
import { exactAddress } from "../core/record-sample.ts";

/** Names told one by one; more are counted. */
const namesMax = 4;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(", ");
  return names.length > namesMax ? `${shown} and ${names.length - namesMax} more` : shown;
}

function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toString().replaceAll(/\B(?=(\d{3})+(?!\d))/g, ",")} ${count === 1 ? one : several}`;
}

/** A moment as `2026-01-31 12:00:00Z`. */
function timeText(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** What drifted where it is no column. */
export const fieldsSubject = "fields of records";

/** What an incident is, in one line, worst first. */
export function tellTitle(dataset: string, signals: readonly Pick<IncidentSignal, "kind" | "subject">[]): string {
  const of = (kind: IncidentSignal["kind"]): string[] => signals.filter((one) => one.kind === kind).map((one) => one.subject);
  const [stops, rules, drifted] = [of("stop"), of("rule"), of("drift")];
  const columns = drifted.filter((each) => each !== fieldsSubject);
  const parts = [
    ...(stops.length > 0 ? [`${listed(stops)} stopped`] : []),
    ...(rules.length > 0 ? [`${rules.length === 1 ? "rule" : "rules"} broken: ${listed(rules)}`] : []),
    ...(columns.length > 0 ? [`${columns.length === 1 ? "column" : `${columns.length} columns`} drifted: ${listed(columns)}`] : []),
    ...(columns.length < drifted.length ? [`${fieldsSubject} changed`] : []),
    ...(of("quarantine").length > 0 ? ["too many records quarantined"] : []),
  ];
  return `${dataset}: ${parts.join("; ")}`;
}

/** Whether readers are safe, in words: what they see of it, and the last good version. */
export function tellDownstream({ downstream, heldWindows, signals }: Pick<Incident, "downstream" | "heldWindows" | "signals">): string {
  const { state, exposedRecords, heldRecords, published, lastGoodSnapshotId, lastGoodAtMs } = downstream;
  const good =
    lastGoodSnapshotId === null ? "no earlier version is known" : `version ${lastGoodSnapshotId} of ${timeText(lastGoodAtMs ?? 0)}`;
  const held =
    heldWindows.length === 0 ? "" : ` ${many(heldWindows.length, "window")} ${heldWindows.length === 1 ? "waits" : "wait"} for an answer.`;
  switch (state) {
    case "held":
      return `Safe: readers of main see none of it; ${many(heldRecords, "record")} ${heldWindows.length > 0 || heldRecords === 0 ? "held" : "held before, and dropped"}. Last good: ${good}.${held}`;
    case "stopped":
      return `Safe, and standing still: readers of main see what was there before (${good}), and nothing new of what is stopped.${held}`;
    case "withdrawn":
      return `Safe again: a rollback withdrew ${many(exposedRecords, "record")} from main. Last good: ${good}.${held}`;
    case "exposed":
      if (signals.every((one) => one.kind === "quarantine"))
        return `What failed is in quarantine; ${many(exposedRecords, "record")} of the same windows passed and ${exposedRecords === 1 ? "is" : "are"} on main. Last good: ${good}.`;
      if (exposedRecords === published?.records)
        return `Published: ${many(exposedRecords, "record")} of it ${exposedRecords === 1 ? "was" : "were"} held, and a person put ${exposedRecords === 1 ? "it" : "them"} on main. Last good: ${good}.${held}`;
      return `Not safe: ${many(exposedRecords, "record")} of it ${exposedRecords === 1 ? "is" : "are"} on main. Last good: ${good}.${held}`;
  }
}

/** A command to type next, without `sluice` before it, and what it does. */
export interface NextStep {
  readonly command: string;
  readonly says: string;
}

/** What to do about an incident, in the order in which it is best done. */
export function tellSteps(incident: Incident): readonly NextStep[] {
  const { id, dataset, signals, heldWindows, downstream, acknowledged, status } = incident;
  const of = `--dataset ${dataset}`;
  const steps: NextStep[] = [];
  if (status === "open" && acknowledged === null) steps.push({ command: `incident ack ${id}`, says: "others know that you look at it" });
  const sample = signals.find((one) => one.isActive && one.samples !== undefined)?.samples?.[0];
  if (sample !== undefined && status === "open") {
    steps.push({
      command: `trace record ${exactAddress(sample)} ${of}`,
      says: "look at one of the records that show it: what became of it, and where it is",
    });
  }
  const stops = signals.filter((one) => one.kind === "stop" && one.isActive);
  if (stops.some((one) => one.key.endsWith(":WINDOW_STOPPED"))) {
    steps.push({ command: `unblock ${of} --retry`, says: "after a fix of contract or data: judge the records again" });
    steps.push({ command: `unblock ${of} --hold`, says: "set the window aside, and go on" });
  }
  if (stops.some((one) => !one.key.endsWith(":WINDOW_STOPPED"))) {
    steps.push({ command: `source status ${of}`, says: "what became of the source, and how it can be answered" });
  }
  const [window] = heldWindows;
  if (window !== undefined) {
    steps.push({ command: `hold publish ${window} ${of} -m "WHY"`, says: "the data are real: append exactly the audited rows" });
    steps.push({ command: `hold drop ${window} ${of} -m "WHY"`, says: "the data are wrong: all its records go to quarantine" });
  }
  if (signals.some((one) => one.kind === "quarantine" || one.kind === "rule")) {
    steps.push({ command: `quarantine list ${of}`, says: "rejected records by rule, with their source positions" });
  }
  if (downstream.state === "exposed" && downstream.lastGoodSnapshotId !== null) {
    steps.push({ command: `diff ${downstream.lastGoodSnapshotId} main ${of}`, says: "what changed since the last good version" });
    steps.push({
      command: `rollback --to ${downstream.lastGoodSnapshotId} ${of} -m "WHY"`,
      says: "take it back from readers; nothing is lost",
    });
  }
  if (status === "open") {
    steps.push({ command: `incident resolve ${id} -m "WHY"`, says: "it is dealt with" });
    steps.push({ command: `incident false-positive ${id} -m "WHY"`, says: "nothing was wrong: what drift found is usual from then on" });
  }
  return steps;
}
