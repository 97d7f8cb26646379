import type { Attributes, Meter } from "@opentelemetry/api";
import type { GateEvent, LaneStatus } from "../../core/events.ts";

/** What the observable gauges read when they are collected. */
export interface Watched {
  readonly lanes: () => readonly LaneStatus[];
  readonly bytesInFlight: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Gauges over the state of every lane: lag, open bytes, blocks. Labels are datasets, topics and partitions: as many as there are. */
function watch(meter: Meter, watched: Watched): void {
  meter
    .createObservableGauge("sluice.lag.records", {
      unit: "{record}",
      description: "Records between the committed position and the end of the partition.",
    })
    .addCallback((result) => {
      for (const lane of watched.lanes()) {
        for (const each of lane.partitions) {
          if (each.end === null) continue;
          const lag = each.end > each.position ? Number(each.end - each.position) : 0;
          result.observe(lag, { dataset: lane.dataset, topic: lane.topic, partition: each.partition });
        }
      }
    });
  meter
    .createObservableGauge("sluice.lag.time", {
      unit: "s",
      description: "Age of the newest committed record while records wait; 0 when none do.",
    })
    .addCallback((result) => {
      for (const lane of watched.lanes()) {
        const waiting = lane.partitions.some((each) => each.end !== null && each.end > each.position);
        const age = waiting && lane.newestCommittedTimestampMs !== null ? (watched.now() - lane.newestCommittedTimestampMs) / 1000 : 0;
        result.observe(Math.max(0, age), { dataset: lane.dataset });
      }
    });
  meter
    .createObservableGauge("sluice.blocked", {
      description: "1 for each partition that waits for a person's answer, else 0; partition `all` for a stop of the whole topic.",
    })
    .addCallback((result) => {
      for (const lane of watched.lanes()) {
        for (const each of lane.partitions) {
          const labels: Attributes = { dataset: lane.dataset, topic: lane.topic, partition: each.partition };
          result.observe(each.blocked === null ? 0 : 1, labels);
        }
        // A partition that was stopped before it began is in no list but this.
        for (const { partition } of lane.blocks) {
          if (lane.partitions.some((each) => each.partition === partition)) continue;
          result.observe(1, { dataset: lane.dataset, topic: lane.topic, partition: partition ?? "all" });
        }
      }
    });
  meter
    .createObservableGauge("sluice.in_flight", { unit: "By", description: "Bytes of records fetched and not yet committed." })
    .addCallback((result) => result.observe(watched.bytesInFlight()));
}

/** Counters and histograms made from gate events. Returns what takes an event. Names follow OpenTelemetry's messaging conventions where those have one. */
export function createMeters(meter: Meter, watched: Watched): (event: GateEvent) => void {
  const consumed = meter.createCounter("messaging.client.consumed.messages", {
    unit: "{message}",
    description: "Records handed to the gate.",
  });
  const process = meter.createHistogram("messaging.process.duration", {
    unit: "s",
    description: "Decoding, validating and profiling of one batch.",
    advice: { explicitBucketBoundaries: durationBuckets },
  });
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
  const commit = meter.createHistogram("sluice.commit.duration", {
    unit: "s",
    description: "From verdict to committed snapshot.",
    advice: { explicitBucketBoundaries: durationBuckets },
  });
  const commitFailures = meter.createCounter("sluice.commit.failures", {
    description: "Commits that failed and are tried again, by error code.",
  });
  const drift = meter.createCounter("sluice.drift.results", { description: "Drift tests of closed ticks, by column and status." });
  const stops = meter.createCounter("sluice.source.blocks", {
    description: "Times that a topic or partition stopped to ask, by error code.",
  });
  const contracts = meter.createCounter("sluice.contract.changes", { description: "Contracts activated and refused." });
  const delivered = meter.createCounter("sluice.sink.delivered", { unit: "{window}", description: "Windows delivered to a sink." });
  const sinkFailures = meter.createCounter("sluice.sink.failures", { description: "Deliveries that failed and are tried again." });
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
        process.record((event.decodeMs + event.validateMs + event.profileMs) / 1000, {
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
      default:
        break;
    }
  };
}
