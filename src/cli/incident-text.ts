import type { Incident } from "../core/incident.ts";
import { tellSamples } from "../core/record-sample.ts";
import { tellDownstream } from "../incidents/index.ts";
import type { Terminal } from "./terminal.ts";
import { formatCount, formatTime, printable } from "./table.ts";

/** Spans that are printed; `--json` has all. */
const spansShown = 6;

/** An incident as it is read at night: what, how much, whether readers are safe, what to do; then what else is known. */
export function incidentLines(
  terminal: Terminal,
  incident: Incident,
  steps: readonly { readonly command: string; readonly says: string }[],
  samples: readonly { readonly id: string; readonly rule: string; readonly message: string }[],
): readonly string[] {
  const { signals, spans, resolution } = incident;
  const bold = (text: string): string => terminal.style("bold", text);
  const shown = [...signals].sort((a, b) => Number(b.isActive) - Number(a.isActive));
  return [
    bold(`${incident.title} (${incident.severity})`),
    standingWords(incident),
    "",
    tellDownstream(incident),
    "",
    bold("What is wrong"),
    ...shown.map(
      (one) => `  ${one.isActive ? terminal.style("yellow", "now ") : "was "}  ${printable(tellSamples(one.effect, one.samples))}`,
    ),
    ...(resolution === null
      ? []
      : [
          "",
          bold(resolution.isFalsePositive ? "False positive" : "Resolved"),
          `  by ${resolution.author}: ${printable(resolution.reason)}`,
        ]),
    ...(steps.length === 0 ? [] : ["", bold("What to do")]),
    ...steps.flatMap(({ command, says }) => [`  ${says}:`, `      ${terminal.style("cyan", command)}`]),
    "",
    bold("Where"),
    ...windowLines(incident),
    ...spans
      .slice(0, spansShown)
      .map(({ topic, partition, from, to }) => `  ${topic}, partition ${partition}: offsets ${from} to before ${to}`),
    ...(spans.length > spansShown ? [`  and ${spans.length - spansShown} more partitions`] : []),
    ...samples.map(({ id, rule, message }) => `  rejected ${id}: ${rule}: ${printable(message)}`),
  ];
}

function standingWords(incident: Incident): string {
  const { id, status, sinceMs, openedAtMs, closedAtMs, acknowledged, assignee, snoozedUntilMs, previous } = incident;
  return [
    `${id}, ${status}`,
    `since ${formatTime(sinceMs)}`,
    `noticed ${formatTime(openedAtMs)}`,
    ...(closedAtMs === null ? [] : [`over ${formatTime(closedAtMs)}`]),
    ...(acknowledged === null ? [] : [`seen by ${acknowledged.author}`]),
    ...(assignee === null ? [] : [`${assignee}'s`]),
    ...(snoozedUntilMs === null ? [] : [`quiet until ${formatTime(snoozedUntilMs)}`]),
    ...(previous === null ? [] : [`as before in ${previous}`]),
  ].join("; ");
}

function windowLines({ windows, heldWindows }: Incident): string[] {
  if (windows === null) return [];
  const { first, last, count } = windows;
  const range = count === 1 ? `  window ${last}` : `  ${formatCount(count)} windows, ${first} to ${last}`;
  const names = heldWindows.slice(0, spansShown).join(", ");
  const more = heldWindows.length > spansShown ? ` and ${heldWindows.length - spansShown} more` : "";
  return heldWindows.length === 0 ? [range] : [range, `  held: ${names}${more}`];
}
