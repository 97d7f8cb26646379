import type { Attributes, Meter, ObservableGauge } from "@opentelemetry/api";
import type { LaneStatus } from "../../core/events.ts";
import type { Incident } from "../../core/incident.ts";
import { incidentSeverities } from "../../core/incident.ts";
import type { LakeStanding } from "./lake-watch.ts";
import { gauge, observableCounter } from "./meters.ts";

/** What the observable gauges read when they are collected. */
export interface Watched {
  readonly lanes: () => readonly LaneStatus[];
  readonly bytesInFlight: () => number;
  /** How every sink stands with every dataset. `waitingSinceMs`: when the oldest was committed that it was not given; null: it was given all, or another process delivers. */
  readonly sinks: () => readonly { readonly sink: string; readonly dataset: string; readonly waitingSinceMs: number | null }[];
  readonly lake: () => LakeStanding;
  /** Open incidents, by the datasets whose incidents this process keeps. */
  readonly incidents: () => ReadonlyMap<string, readonly Incident[]>;
  /** How long the main thread has been busy since the process began, in ms. */
  readonly mainBusyMs: () => number;
  /** Threads that windows are judged in; 0: the main thread. */
  readonly engineThreads: number;
  /** When the worker started. Milliseconds since the epoch, as `now`. */
  readonly startedMs: number;
  readonly now: () => number;
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

/** Gauges over the state of every lane: lag, freshness, blocks. */
function watchLanes(meter: Meter, { lanes, startedMs, now }: Watched): void {
  fading(gauge(meter, "sluice.lag.records"), (tell) => {
    for (const lane of lanes()) {
      for (const each of lane.partitions) {
        if (each.end === null) continue;
        const lag = each.end > each.position ? Number(each.end - each.position) : 0;
        tell(lag, { dataset: lane.dataset, topic: lane.topic, partition: each.partition });
      }
    }
  });
  // A worker that has committed nothing yet is as late as it is old.
  const ageSeconds = (lane: LaneStatus): number => Math.max(0, (now() - (lane.newestCommittedTimestampMs ?? startedMs)) / 1000);
  fading(gauge(meter, "sluice.lag.time"), (tell) => {
    for (const lane of lanes()) {
      const waiting = lane.partitions.some((each) => each.end !== null && each.end > each.position);
      tell(waiting ? ageSeconds(lane) : 0, { dataset: lane.dataset });
    }
  });
  gauge(meter, "sluice.freshness").addCallback((result) => {
    for (const lane of lanes()) if (lane.partitions.length > 0) result.observe(ageSeconds(lane), { dataset: lane.dataset });
  });
  fading(gauge(meter, "sluice.blocked"), (tell) => {
    for (const lane of lanes()) {
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
  gauge(meter, "sluice.contract.refused").addCallback((result) => {
    for (const lane of lanes()) result.observe(lane.contractError === null ? 0 : 1, { dataset: lane.dataset });
  });
}

/** Gauges over what waits in the lake and beside it: held windows, incidents, sinks, the disk. */
function watchLake(meter: Meter, { lake, sinks, incidents, now }: Watched): void {
  const ageSeconds = (sinceMs: number | null): number => (sinceMs === null ? 0 : Math.max(0, (now() - sinceMs) / 1000));
  gauge(meter, "sluice.held.windows").addCallback((result) => {
    for (const [dataset, { windows }] of lake().held) result.observe(windows, { dataset });
  });
  gauge(meter, "sluice.held.time").addCallback((result) => {
    for (const [dataset, { oldestMs }] of lake().held) result.observe(ageSeconds(oldestMs), { dataset });
  });
  fading(gauge(meter, "sluice.incidents.open"), (tell) => {
    for (const [dataset, open] of incidents())
      for (const severity of incidentSeverities) tell(open.filter((one) => one.severity === severity).length, { dataset, severity });
  });
  fading(gauge(meter, "sluice.sink.lag"), (tell) => {
    for (const { sink, dataset, waitingSinceMs } of sinks()) tell(ageSeconds(waitingSinceMs), { sink, dataset });
  });
  gauge(meter, "sluice.disk.free").addCallback((result) => {
    const { disk } = lake();
    if (disk !== null) result.observe(disk.freeBytes);
  });
  gauge(meter, "sluice.disk.size").addCallback((result) => {
    const { disk } = lake();
    if (disk !== null) result.observe(disk.sizeBytes);
  });
}

/** Creates every gauge over a worker's state. Labels are datasets, topics, partitions and sinks: as many as there are. */
export function createGauges(meter: Meter, watched: Watched): void {
  watchLanes(meter, watched);
  watchLake(meter, watched);
  gauge(meter, "sluice.in_flight").addCallback((result) => result.observe(watched.bytesInFlight()));
  gauge(meter, "sluice.engine.threads").addCallback((result) => result.observe(watched.engineThreads));
  observableCounter(meter, "sluice.main.busy").addCallback((result) => result.observe(watched.mainBusyMs() / 1000));
}
