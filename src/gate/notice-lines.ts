import type { AlertMessage, AlertRoute, AlertSink } from "../core/alert-sink.ts";
import { SluiceError } from "../core/errors.ts";
import type { Observe } from "../core/events.ts";
import type { Incident, IncidentNotice } from "../core/incident.ts";
import type { Lake, Probe } from "../core/ports.ts";
import { concerns, isTold, tellDownstream, tellSteps } from "../incidents/index.ts";
import type { Delivery, OutboxLine } from "./outbox.ts";

/** Notices read at a time. */
const pageMax = 100;
/** How often a receiver may say no to one notice before the next ones get their turn. */
const refusalsMax = 3;

export interface NoticeLinesOptions {
  readonly lake: Lake;
  readonly sinks: readonly AlertSink[];
  readonly routes: readonly AlertRoute[];
  readonly datasets: readonly string[];
  readonly probe: Probe;
  readonly observe: Observe;
}

function messageOf(notice: IncidentNotice): AlertMessage {
  const { incident } = notice;
  const steps = tellSteps(incident).map(({ command, says }) => ({ command: `sluice ${command}`, says }));
  return { notice, downstream: tellDownstream(incident), steps };
}

/** Cursor names of alert receivers, apart from those of other sinks. */
function cursorName(sink: AlertSink): string {
  return `alert:${sink.name}`;
}

/** What receivers are to be told: the notices of a dataset's incidents. One that was never told before begins with what is open. */
export function noticeLines(options: NoticeLinesOptions): readonly OutboxLine[] {
  return options.sinks.flatMap((sink) => options.datasets.map((dataset) => noticeLine(options, sink, dataset)));
}

function noticeLine({ lake, routes, probe, observe }: NoticeLinesOptions, sink: AlertSink, dataset: string): OutboxLine {
  let refusals = 0;
  let repeatedMs = Number.NEGATIVE_INFINITY;
  const send = async (notice: IncidentNotice): Promise<void> => {
    if (!isTold(routes, sink, notice)) return;
    try {
      probe("alert.before-send");
      await sink.tell(messageOf(notice));
      probe("alert.after-send");
    } catch (error) {
      const isRefused = error instanceof SluiceError && error.code === "ALERT_REFUSED";
      if (!isRefused || ++refusals < refusalsMax) throw error;
      observe({ type: "alert.refused", sink: sink.name, dataset, notice: notice.id, error });
    }
    refusals = 0;
  };
  const deliveries = async function* (after: bigint): AsyncGenerator<Delivery> {
    for (let from = after; ;) {
      const page = await lake.incidents.notices(dataset, from, pageMax);
      for (const { number, notice } of page) yield { sequence: number, atMs: notice.atMs, send: () => send(notice) };
      if (page.length < pageMax) break;
      from = page.at(-1)?.number as bigint;
    }
    const { repeat } = sink;
    if (repeat === undefined || performance.now() - repeatedMs < repeat.everyMs) return;
    const open = await lake.incidents.incidents(dataset, { status: "open" });
    const own = open.filter((one) => concerns(routes, sink.name, one));
    if (own.length > 0) await repeat.tell(own.map((one) => messageOf(reminderOf(one))));
    repeatedMs = performance.now();
  };
  return { sink: cursorName(sink), dataset, cursor: `notices/${dataset}`, begin: () => lake.incidents.begin(dataset), pending: deliveries };
}

/** A notice that says nothing new. */
function reminderOf(incident: Incident): IncidentNotice {
  return { id: `${incident.id}/${incident.openings}/open`, kind: "reminded", atMs: incident.openedAtMs, severityBefore: null, incident };
}
