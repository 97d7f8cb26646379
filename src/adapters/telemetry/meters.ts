import type { Counter, Histogram, Meter, ObservableCounter, ObservableGauge } from "@opentelemetry/api";
import type { GateEvent } from "../../core/events.ts";
import type { InstrumentName } from "./instruments.ts";
import { instruments } from "./instruments.ts";

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function optionsOf(name: InstrumentName): { description: string; unit?: string } {
  const { description, unit } = instruments[name];
  return unit === null ? { description } : { description, unit };
}

/** The counter of a name. */
export function counter(meter: Meter, name: InstrumentName): Counter {
  return meter.createCounter(name, optionsOf(name));
}

/** The histogram of a name, over durations. */
export function histogram(meter: Meter, name: InstrumentName): Histogram {
  return meter.createHistogram(name, { ...optionsOf(name), advice: { explicitBucketBoundaries: durationBuckets } });
}

/** The gauge of a name: its value is looked up when it is collected. */
export function gauge(meter: Meter, name: InstrumentName): ObservableGauge {
  return meter.createObservableGauge(name, optionsOf(name));
}

/** The counter of a name whose total is looked up when it is collected. */
export function observableCounter(meter: Meter, name: InstrumentName): ObservableCounter {
  return meter.createObservableCounter(name, optionsOf(name));
}

/** Counters and histograms made from gate events. Returns what takes an event. Names follow OpenTelemetry's messaging conventions where those have one. */
export function createMeters(meter: Meter): (event: GateEvent) => void {
  const consumed = counter(meter, "messaging.client.consumed.messages");
  const process = histogram(meter, "messaging.process.duration");
  const records = counter(meter, "sluice.records");
  const failures = counter(meter, "sluice.rule.failures");
  const windows = counter(meter, "sluice.windows");
  const lost = counter(meter, "sluice.windows.lost");
  const losses = counter(meter, "sluice.engine.losses");
  const fallbacks = counter(meter, "sluice.engine.fallbacks");
  const commit = histogram(meter, "sluice.commit.duration");
  const commitFailures = counter(meter, "sluice.commit.failures");
  const drift = counter(meter, "sluice.drift.results");
  const stops = counter(meter, "sluice.source.blocks");
  const contracts = counter(meter, "sluice.contract.changes");
  const delivered = counter(meter, "sluice.sink.delivered");
  const sinkFailures = counter(meter, "sluice.sink.failures");
  const notices = counter(meter, "sluice.incidents.notices");
  const refused = counter(meter, "sluice.alerts.refused");
  const maintained = maintenanceMeters(meter);

  return (event) => {
    switch (event.type) {
      case "run.received":
        consumed.add(event.records, {
          "messaging.system": "kafka",
          "messaging.operation.name": "poll",
          "messaging.destination.name": event.partition.topic,
        });
        break;
      case "batch.judged":
        process.record((event.decodeMs + event.validateMs + event.profileMs + event.encodeMs) / 1000, {
          "messaging.operation.name": "process",
          dataset: event.dataset,
        });
        break;
      case "window.committed": {
        const { decision } = event;
        const { dataset } = decision;
        const { counts } = decision;
        records.add(counts.promoted, { dataset, outcome: "promoted" });
        records.add(counts.quarantined, { dataset, outcome: "quarantined" });
        records.add(counts.held, { dataset, outcome: "held" });
        records.add(counts.skipped.tombstone + counts.skipped.late, { dataset, outcome: "skipped" });
        windows.add(1, { dataset, verdict: decision.verdict });
        for (const rule of decision.rules)
          if (rule.failed > 0) failures.add(rule.failed, { dataset, rule: rule.rule, severity: rule.severity });
        for (const result of decision.drift.results)
          drift.add(1, { dataset, column: result.column, test: result.test, status: result.status });
        commit.record(event.commitMs / 1000, { dataset });
        break;
      }
      case "window.lost":
        lost.add(1, { dataset: event.dataset });
        break;
      case "engine.lost":
        losses.add(1, { dataset: event.dataset });
        break;
      case "engine.fallback":
        fallbacks.add(1, { dataset: event.dataset, reason: event.reason });
        break;
      case "commit.failed":
        commitFailures.add(1, { dataset: event.dataset, code: event.error.code });
        break;
      case "source.blocked":
        stops.add(1, { dataset: event.dataset, code: event.error.code });
        break;
      case "contract.activated":
        contracts.add(1, { dataset: event.dataset, outcome: "activated" });
        break;
      case "contract.rejected":
        contracts.add(1, { dataset: event.dataset, outcome: "rejected" });
        break;
      case "sink.delivered":
        delivered.add(1, { sink: event.sink, dataset: event.dataset });
        break;
      case "sink.failed":
        sinkFailures.add(1, { sink: event.sink, dataset: event.dataset, code: event.error.code });
        break;
      case "alert.refused":
        refused.add(1, { sink: event.sink, dataset: event.dataset });
        break;
      case "incident.noticed": {
        const { kind, incident } = event.notice;
        notices.add(1, { dataset: incident.dataset, kind, severity: incident.severity });
        break;
      }
      case "maintenance.done":
      case "maintenance.failed":
        maintained(event);
        break;
      default:
        break;
    }
  };
}

/** Counters of what is done to the tables beside the stream. */
function maintenanceMeters(meter: Meter): (event: Extract<GateEvent, { type: "maintenance.done" | "maintenance.failed" }>) => void {
  const runs = counter(meter, "sluice.maintenance.runs");
  const files = counter(meter, "sluice.maintenance.files");
  const snapshots = counter(meter, "sluice.maintenance.snapshots");
  const duration = histogram(meter, "sluice.maintenance.duration");
  return (event) => {
    const dataset = event.dataset ?? "all";
    if (event.type === "maintenance.failed") {
      runs.add(1, { dataset, step: event.step ?? "begin", outcome: event.error.code });
      return;
    }
    const { step } = event;
    runs.add(1, { dataset, step, outcome: "done" });
    files.add(event.files, { dataset, step });
    snapshots.add(event.snapshots, { dataset });
    duration.record(event.ms / 1000, { dataset, step });
  };
}
