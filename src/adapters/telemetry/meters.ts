import type { Attributes, Counter, Histogram, Meter, ObservableGauge } from "@opentelemetry/api";
import type { GateEvent, LaneStatus } from "../../core/events.ts";
import type { InstrumentName } from "./instruments.ts";
import { instruments } from "./instruments.ts";

/** What the observable gauges read when they are collected. */
export interface Watched {
  readonly lanes: () => readonly LaneStatus[];
  readonly bytesInFlight: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

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

function gauge(meter: Meter, name: InstrumentName): ObservableGauge {
  return meter.createObservableGauge(name, optionsOf(name));
}

/** A label set that is no more (a partition given away, a stop answered) would stand at its last value for ever: it is told to be 0. */
function fading(instrument: ObservableGauge, look: (tell: (value: number, labels: Attributes) => void) => void): void {
  const known = new Map<string, Attributes>();
  instrument.addCallback((result) => {
    const told = new Set<string>();
    look((value, labels) => {
      const id = JSON.stringify(labels);
      told.add(id);
      known.set(id, labels);
      result.observe(value, labels);
    });
    for (const [id, labels] of known) if (!told.has(id)) result.observe(0, labels);
  });
}

/** Gauges over the state of every lane: lag, open bytes, blocks. Labels are datasets, topics and partitions: as many as there are. */
function watch(meter: Meter, watched: Watched): void {
  const lagRecords = meter.createObservableGauge("sluice.lag.records", {
    unit: "{record}",
    description: "Records between the committed position and the end of the partition.",
  });
  fading(lagRecords, (tell) => {
    for (const lane of watched.lanes()) {
      for (const each of lane.partitions) {
        if (each.end === null) continue;
        const lag = each.end > each.position ? Number(each.end - each.position) : 0;
        tell(lag, { dataset: lane.dataset, topic: lane.topic, partition: each.partition });
      }
    }
  });
  gauge(meter, "sluice.lag.time").addCallback((result) => {
    for (const lane of watched.lanes()) {
      const waiting = lane.partitions.some((each) => each.end !== null && each.end > each.position);
      const age = waiting && lane.newestCommittedTimestampMs !== null ? (watched.now() - lane.newestCommittedTimestampMs) / 1000 : 0;
      result.observe(Math.max(0, age), { dataset: lane.dataset });
    }
  });
  fading(gauge(meter, "sluice.blocked"), (tell) => {
    for (const lane of watched.lanes()) {
      for (const each of lane.partitions) {
        const labels: Attributes = { dataset: lane.dataset, topic: lane.topic, partition: each.partition };
        tell(each.blocked === null ? 0 : 1, labels);
      }
      // A partition that was stopped before it began is in no list but this.
      for (const { partition } of lane.blocks) {
        if (lane.partitions.some((each) => each.partition === partition)) continue;
        tell(1, { dataset: lane.dataset, topic: lane.topic, partition: partition ?? "all" });
      }
    }
  });
  gauge(meter, "sluice.in_flight").addCallback((result) => result.observe(watched.bytesInFlight()));
}

/** Counters and histograms made from gate events. Returns what takes an event. Names follow OpenTelemetry's messaging conventions where those have one. */
export function createMeters(meter: Meter, watched: Watched): (event: GateEvent) => void {
  const consumed = meter.createCounter("messaging.client.consumed.messages", {
    unit: "{message}",
    description: "Records handed to the gate.",
  });
  const process = histogram(meter, "messaging.process.duration");
  const records = meter.createCounter("sluice.records", { unit: "{record}", description: "Committed records by where they ended." });
  const failures = meter.createCounter("sluice.rule.failures", {
    unit: "{record}",
    description: "Rows of committed windows that failed a rule.",
  });
  const windows = meter.createCounter("sluice.windows", { unit: "{window}", description: "Committed windows by verdict." });
  const lost = meter.createCounter("sluice.windows.lost", {
    unit: "{window}",
    description: "Windows dropped because another worker had moved their partitions.",
  });
  const losses = counter(meter, "sluice.engine.losses");
  const fallbacks = counter(meter, "sluice.engine.fallbacks");
  const commit = histogram(meter, "sluice.commit.duration");
  const commitFailures = counter(meter, "sluice.commit.failures");
  const drift = counter(meter, "sluice.drift.results");
  const stops = counter(meter, "sluice.source.blocks");
  const contracts = counter(meter, "sluice.contract.changes");
  const delivered = meter.createCounter("sluice.sink.delivered", { unit: "{window}", description: "Windows delivered to a sink." });
  const sinkFailures = counter(meter, "sluice.sink.failures");
  const maintained = maintenanceMeters(meter);
  watch(meter, watched);

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
