/** One metric: what it counts, and the labels that tell its series apart (as many as there are datasets, rules, partitions and sinks). */
export interface Instrument {
  readonly kind: "counter" | "histogram" | "gauge";
  readonly unit: string | null;
  readonly description: string;
  readonly labels: readonly string[];
}

/**
 * Every metric. Names follow OpenTelemetry's messaging conventions (in Development) where those have one, else `sluice.*`; docs/reference/telemetry.md
 * is generated from this table.
 */
export const instruments = {
  "messaging.client.consumed.messages": {
    kind: "counter",
    unit: "{message}",
    description: "Records handed to the gate.",
    labels: ["messaging.system", "messaging.operation.name", "messaging.destination.name"],
  },
  "messaging.process.duration": {
    kind: "histogram",
    unit: "s",
    description: "Decoding, validating, profiling and encoding of one batch.",
    labels: ["messaging.operation.name", "dataset"],
  },
  "sluice.records": {
    kind: "counter",
    unit: "{record}",
    description: "Committed records by where they ended: promoted, quarantined, held, skipped.",
    labels: ["dataset", "outcome"],
  },
  "sluice.rule.failures": {
    kind: "counter",
    unit: "{record}",
    description: "Rows of committed windows that failed a rule.",
    labels: ["dataset", "rule", "severity"],
  },
  "sluice.windows": { kind: "counter", unit: "{window}", description: "Committed windows by verdict.", labels: ["dataset", "verdict"] },
  "sluice.windows.lost": {
    kind: "counter",
    unit: "{window}",
    description: "Windows dropped because another worker had moved their partitions.",
    labels: ["dataset"],
  },
  "sluice.engine.losses": {
    kind: "counter",
    unit: "{window}",
    description: "Open windows dropped because the thread that judged them was gone; their records are read again.",
    labels: ["dataset"],
  },
  "sluice.engine.fallbacks": {
    kind: "counter",
    unit: null,
    description: "Times that parts of a contract came to run uncompiled.",
    labels: ["dataset", "reason"],
  },
  "sluice.commit.duration": { kind: "histogram", unit: "s", description: "From verdict to committed snapshot.", labels: ["dataset"] },
  "sluice.commit.failures": {
    kind: "counter",
    unit: null,
    description: "Commits that failed and are tried again, by error code.",
    labels: ["dataset", "code"],
  },
  "sluice.drift.results": {
    kind: "counter",
    unit: null,
    description: "Drift tests of windows: pass, drift, learning, skipped.",
    labels: ["dataset", "column", "test", "status"],
  },
  "sluice.source.blocks": {
    kind: "counter",
    unit: null,
    description: "Times that a topic or partition stopped to ask, by error code.",
    labels: ["dataset", "code"],
  },
  "sluice.contract.changes": {
    kind: "counter",
    unit: null,
    description: "Contracts activated and rejected.",
    labels: ["dataset", "outcome"],
  },
  "sluice.sink.delivered": { kind: "counter", unit: "{window}", description: "Windows delivered to a sink.", labels: ["sink", "dataset"] },
  "sluice.sink.failures": {
    kind: "counter",
    unit: null,
    description: "Deliveries that failed and are tried again, by error code.",
    labels: ["sink", "dataset", "code"],
  },
  "sluice.incidents.notices": {
    kind: "counter",
    unit: null,
    description: "Incidents opened, raised, acknowledged, recovered, resolved, reopened, reminded of.",
    labels: ["dataset", "kind", "severity"],
  },
  "sluice.alerts.refused": {
    kind: "counter",
    unit: null,
    description: "Notices that a receiver of alerts said no to three times, so that they were passed over.",
    labels: ["sink", "dataset"],
  },
  "sluice.incidents.open": {
    kind: "gauge",
    unit: "{incident}",
    description:
      "Open incidents by their severity (warning, error, critical), of the datasets whose incidents this worker keeps: one worker at a time.",
    labels: ["dataset", "severity"],
  },
  "sluice.maintenance.runs": {
    kind: "counter",
    unit: null,
    description:
      "Steps of maintenance (retain, archive, statistics, compact, expire, incidents, orphans) by outcome: done, or the code of an error.",
    labels: ["dataset", "step", "outcome"],
  },
  "sluice.maintenance.files": {
    kind: "counter",
    unit: "{file}",
    description: "Files that maintenance removed, moved to an archive, or made into larger ones.",
    labels: ["dataset", "step"],
  },
  "sluice.maintenance.snapshots": {
    kind: "counter",
    unit: "{snapshot}",
    description: "Snapshots that expired.",
    labels: ["dataset"],
  },
  "sluice.maintenance.duration": { kind: "histogram", unit: "s", description: "Of one step of maintenance.", labels: ["dataset", "step"] },
  "sluice.catalog.requests": {
    kind: "counter",
    unit: "{request}",
    description: "Requests that the REST catalog answered, by endpoint and status.",
    labels: ["endpoint", "status"],
  },
  "sluice.catalog.duration": {
    kind: "histogram",
    unit: "s",
    description: "From a request of the REST catalog to its answer.",
    labels: ["endpoint"],
  },
  "sluice.catalog.retries": {
    kind: "counter",
    unit: null,
    description: "Times that a client's commit met another one and was made again over what that left.",
    labels: [],
  },
  "sluice.catalog.refusals": {
    kind: "counter",
    unit: null,
    description: "Changes of other programs that were refused because they would have touched what belongs to a dataset.",
    labels: [],
  },
  "sluice.catalog.reads": {
    kind: "counter",
    unit: null,
    description: "Readings written to the record of consumption: load, scan.",
    labels: ["dataset", "kind"],
  },
  "sluice.lag.records": {
    kind: "gauge",
    unit: "{record}",
    description: "Offsets between the committed position and the end of the partition. No value where the end is not known yet.",
    labels: ["dataset", "topic", "partition"],
  },
  "sluice.lag.time": {
    kind: "gauge",
    unit: "s",
    description: "Age of the newest committed record, or of a worker that has committed none, while records wait; 0 when none do.",
    labels: ["dataset"],
  },
  "sluice.freshness": {
    kind: "gauge",
    unit: "s",
    description: "Age of the newest committed record, or of a worker that has committed none, whether or not records wait.",
    labels: ["dataset"],
  },
  "sluice.blocked": {
    kind: "gauge",
    unit: null,
    description: "1 for each partition that waits for a person's answer, else 0; partition `all` for a stop of the whole topic.",
    labels: ["dataset", "topic", "partition"],
  },
  "sluice.contract.refused": {
    kind: "gauge",
    unit: null,
    description: "1 while the contract's file holds a text that was refused, so that an older one is in force.",
    labels: ["dataset"],
  },
  "sluice.held.windows": {
    kind: "gauge",
    unit: "{window}",
    description: "Held windows that wait to be published or dropped; looked up every half minute.",
    labels: ["dataset"],
  },
  "sluice.held.time": {
    kind: "gauge",
    unit: "s",
    description: "How long the oldest held window has been waiting; 0 when none does.",
    labels: ["dataset"],
  },
  "sluice.sink.lag": {
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest commit that the sink was not given yet; 0 when it was given all, or when another worker delivers.",
    labels: ["sink", "dataset"],
  },
  "sluice.disk.free": {
    kind: "gauge",
    unit: "By",
    description: "Free space of the file system of the lake's folder. No value where the lake is on no disk of this host.",
    labels: [],
  },
  "sluice.disk.size": { kind: "gauge", unit: "By", description: "Size of the file system of the lake's folder.", labels: [] },
  "sluice.main.busy": {
    kind: "counter",
    unit: "s",
    description:
      "Time that the main thread was busy: fetching, deciding, committing. Its share of an hour says how near it is to its limit.",
    labels: [],
  },
  "sluice.engine.threads": {
    kind: "gauge",
    unit: null,
    description:
      "Threads that windows are judged in; 0: the main thread. Each can fill one second of `messaging.process.duration` a second.",
    labels: [],
  },
  "sluice.in_flight": { kind: "gauge", unit: "By", description: "Bytes of records fetched and not yet committed.", labels: [] },
} as const satisfies Readonly<Record<string, Instrument>>;

export type InstrumentName = keyof typeof instruments;
