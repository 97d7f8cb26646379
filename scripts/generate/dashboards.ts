/** A query of a panel, and how its series are called (Grafana's `{{label}}`). */
interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly says: string;
  readonly unit: "short" | "s" | "bytes" | "percentunit" | "reqps";
  readonly kind: "stat" | "timeseries";
  readonly queries: readonly Query[];
  /** From this value on it is red; absent: no value is. */
  readonly redFrom?: number;
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const of = 'dataset=~"$dataset"';
const pace = "[$__rate_interval]";

const standing: Row = {
  title: "What waits for someone",
  panels: [
    {
      title: "Workers up",
      says: "Workers that answer Prometheus.",
      unit: "short",
      kind: "stat",
      queries: [{ expr: 'sum(up{job="sluice"})', legend: "up" }],
    },
    {
      title: "Open incidents",
      says: "Causes that went on when they were last looked at: `sluice incident list`.",
      unit: "short",
      kind: "stat",
      redFrom: 1,
      queries: [{ expr: `sum(sluice_incidents_open{${of}})`, legend: "open" }],
    },
    {
      title: "Blocked partitions",
      says: "Partitions that nothing is read of until a person answers.",
      unit: "short",
      kind: "stat",
      redFrom: 1,
      queries: [{ expr: `sum(max by (dataset, topic, partition) (sluice_blocked{${of}}))`, legend: "blocked" }],
    },
    {
      title: "Held windows",
      says: "Windows to be published or dropped.",
      unit: "short",
      kind: "stat",
      redFrom: 1,
      queries: [{ expr: `sum(max by (dataset) (sluice_held_windows{${of}}))`, legend: "held" }],
    },
    {
      title: "Oldest held window",
      says: "How long it has been waiting.",
      unit: "s",
      kind: "stat",
      queries: [{ expr: `max(sluice_held_time{${of}})`, legend: "held" }],
    },
    {
      title: "Contracts refused",
      says: "Contract files whose text is not the one in force.",
      unit: "short",
      kind: "stat",
      redFrom: 1,
      queries: [{ expr: `sum(max by (dataset) (sluice_contract_refused{${of}}))`, legend: "refused" }],
    },
    {
      title: "Freshness",
      says: "Age of the newest committed record, of the dataset where it is greatest.",
      unit: "s",
      kind: "stat",
      queries: [{ expr: `max(min by (dataset) (sluice_freshness{${of}}))`, legend: "age" }],
    },
  ],
};

const flow: Row = {
  title: "Flow",
  panels: [
    {
      title: "Records by where they ended",
      says: "Committed records a second.",
      unit: "reqps",
      kind: "timeseries",
      queries: [{ expr: `sum by (dataset, outcome) (rate(sluice_records_total{${of}}${pace}))`, legend: "{{dataset}} {{outcome}}" }],
    },
    {
      title: "Windows by verdict",
      says: "Committed windows a second.",
      unit: "reqps",
      kind: "timeseries",
      queries: [{ expr: `sum by (dataset, verdict) (rate(sluice_windows_total{${of}}${pace}))`, legend: "{{dataset}} {{verdict}}" }],
    },
    {
      title: "Lag in time",
      says: "Age of the newest committed record while records wait.",
      unit: "s",
      kind: "timeseries",
      redFrom: 300,
      queries: [{ expr: `max by (dataset) (sluice_lag_time{${of}})`, legend: "{{dataset}}" }],
    },
    {
      title: "Lag in records",
      says: "Offsets between what is committed and the ends of the partitions.",
      unit: "short",
      kind: "timeseries",
      queries: [{ expr: `sum by (dataset) (sluice_lag_records{${of}})`, legend: "{{dataset}}" }],
    },
  ],
};

const quality: Row = {
  title: "Quality",
  panels: [
    {
      title: "Share quarantined",
      says: "Of the records of ten minutes.",
      unit: "percentunit",
      kind: "timeseries",
      redFrom: 0.05,
      queries: [{ expr: `sluice:quarantined:ratio10m{${of}}`, legend: "{{dataset}}" }],
    },
    {
      title: "Rules that fail most",
      says: "Rows a second, the ten rules with the most.",
      unit: "reqps",
      kind: "timeseries",
      queries: [
        {
          expr: `topk(10, sum by (dataset, rule) (rate(sluice_rule_failures_total{${of}}${pace})))`,
          legend: "{{dataset}} {{rule}}",
        },
      ],
    },
    {
      title: "Drift by column",
      says: "Tests of ticks that found drift, in ten minutes.",
      unit: "short",
      kind: "timeseries",
      queries: [
        {
          expr: `sum by (dataset, column, test) (increase(sluice_drift_results_total{${of}, status="drift"}[10m]))`,
          legend: "{{dataset}} {{column}} {{test}}",
        },
      ],
    },
  ],
};

const commits: Row = {
  title: "Commits and what follows them",
  panels: [
    {
      title: "Commit duration",
      says: "From verdict to snapshot: half of the commits, and 95 of 100, take no longer.",
      unit: "s",
      kind: "timeseries",
      queries: [
        {
          expr: `histogram_quantile(0.5, sum by (dataset, le) (rate(sluice_commit_duration_bucket{${of}}${pace})))`,
          legend: "{{dataset}} half",
        },
        {
          expr: `histogram_quantile(0.95, sum by (dataset, le) (rate(sluice_commit_duration_bucket{${of}}${pace})))`,
          legend: "{{dataset}} 95 %",
        },
      ],
    },
    {
      title: "Commits that failed",
      says: "And are tried again, a second, by error code.",
      unit: "reqps",
      kind: "timeseries",
      queries: [{ expr: `sum by (dataset, code) (rate(sluice_commit_failures_total{${of}}${pace}))`, legend: "{{dataset}} {{code}}" }],
    },
    {
      title: "Sinks behind",
      says: "Age of the oldest commit that a sink was not told of.",
      unit: "s",
      kind: "timeseries",
      redFrom: 300,
      queries: [{ expr: `max by (sink, dataset) (sluice_sink_lag{${of}})`, legend: "{{sink}} {{dataset}}" }],
    },
    {
      title: "Maintenance",
      says: "Steps in three hours, by how they ended.",
      unit: "short",
      kind: "timeseries",
      queries: [
        {
          expr: "sum by (dataset, step, outcome) (increase(sluice_maintenance_runs_total[3h]))",
          legend: "{{dataset}} {{step}} {{outcome}}",
        },
      ],
    },
  ],
};

const load: Row = {
  title: "Capacity",
  panels: [
    {
      title: "Busy share",
      says: "Seconds of work a second: at 1 a part is at its limit, above a third there is no room for three times the load.",
      unit: "percentunit",
      kind: "timeseries",
      redFrom: 0.9,
      queries: [{ expr: "sluice:busy:rate5m", legend: "{{instance}} {{part}}" }],
    },
    {
      title: "Bytes in flight",
      says: "Fetched and not yet committed.",
      unit: "bytes",
      kind: "timeseries",
      queries: [{ expr: "sluice_in_flight", legend: "{{instance}}" }],
    },
    {
      title: "Free disk",
      says: "Of the lake's folder; no series where the lake is in S3 only.",
      unit: "bytes",
      kind: "timeseries",
      queries: [
        { expr: "sluice_disk_free", legend: "{{instance}} free" },
        { expr: "sluice_disk_size", legend: "{{instance}} size" },
      ],
    },
  ],
};

const datasource = { type: "prometheus", uid: "prometheus" };
const columns = 24;

function panelOf(
  panel: Panel,
  id: number,
  place: { readonly x: number; readonly y: number; readonly w: number; readonly h: number },
): object {
  const steps = [{ color: "green", value: null }, ...(panel.redFrom === undefined ? [] : [{ color: "red", value: panel.redFrom }])];
  return {
    id,
    type: panel.kind,
    title: panel.title,
    description: panel.says,
    datasource,
    gridPos: place,
    fieldConfig: { defaults: { unit: panel.unit, min: 0, thresholds: { mode: "absolute", steps } }, overrides: [] },
    options:
      panel.kind === "stat" ? { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "background" } : { legend: { displayMode: "list" } },
    targets: panel.queries.map(({ expr, legend }, at) => ({ refId: String.fromCharCode(65 + at), datasource, expr, legendFormat: legend })),
  };
}

/** Grafana's dashboard of a deployment, as JSON: one row of panels a subject. Metrics are those of the Prometheus endpoint and of the recording rules. */
export function generateDashboard(): string {
  const panels: object[] = [];
  let y = 0;
  for (const row of [standing, flow, quality, commits, load]) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y++;
    const h = row.panels[0]?.kind === "stat" ? 4 : 8;
    const w = Math.floor(columns / row.panels.length);
    row.panels.forEach((panel, at) => panels.push(panelOf(panel, panels.length + 1, { x: at * w, y, w, h })));
    y += h;
  }
  const dashboard = {
    uid: "sluice",
    title: "Sluice",
    description: "Generated from scripts/generate/dashboards.ts by `npm run generate`.",
    tags: ["sluice"],
    timezone: "utc",
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        {
          name: "dataset",
          type: "query",
          datasource,
          query: { query: "label_values(sluice_windows_total, dataset)", refId: "dataset" },
          multi: true,
          includeAll: true,
          current: { text: "All", value: "$__all" },
          refresh: 2,
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
