import { createHash } from "node:crypto";
import type { Contract } from "../../core/contract.ts";
import type { CommittedWindow } from "../../core/ports.ts";
import {
  assertionsFacet,
  catalogFacet,
  columnLineageFacet,
  engineFacet,
  errorFacet,
  inputStatisticsFacet,
  jobTypeFacet,
  nominalTimeFacet,
  outputStatisticsFacet,
  overwriteFacet,
  ownershipFacet,
  parentFacet,
  producerUri,
  qualityMetricsFacet,
  schemaFacet,
  symlinksFacet,
  versionFacet,
} from "./facets.ts";
import type { Facet } from "./facets.ts";

/** Names that OpenLineage's naming rules ask for. */
export interface LineageNames {
  /** Namespace of Sluice's jobs, such as the name of this installation. */
  readonly jobNamespace: string;
  /** `kafka://host:port`, or `file` for file sources. */
  readonly sourceNamespace: string;
  /** The warehouse's own URI, `file:///path`; tables are named by their location in it. */
  readonly warehouseUri: string;
  /** The catalog's namespace of tables. */
  readonly tableNamespace: string;
}

export interface RunEvent {
  readonly eventType: "START" | "COMPLETE" | "FAIL";
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facet };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facet };
  readonly inputs: readonly Facet[];
  readonly outputs: readonly Facet[];
}

const schemaUrl = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/** A name-based UUID (RFC 9562, version 8 with SHA-256): the same name gives the same id, so that events sent twice are one run. */
export function uuidOf(name: string): string {
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function inputs(window: CommittedWindow, contract: Contract, names: LineageNames): Facet[] {
  const { decision } = window;
  const ranges = decision.ranges.map((range) => `${range.topicId}:${range.partition}:${range.from}-${range.to}`).join(",");
  return [
    {
      namespace: names.sourceNamespace,
      name: contract.topic,
      facets: { schema: schemaFacet(contract), version: versionFacet(ranges) },
      inputFacets: { dataQualityAssertions: assertionsFacet(decision), inputStatistics: inputStatisticsFacet(decision) },
    },
  ];
}

/** A location as OpenLineage names it ("Dataset naming"): `file` and the path, or `s3://bucket` and the key. */
function locationOf(uri: string): { readonly namespace: string; readonly name: string } {
  const { scheme = "", host = "", path = uri } = /^(?<scheme>\w+):\/\/(?<host>[^/]*)\/(?<path>.*)$/.exec(uri)?.groups ?? {};
  return scheme === "file" ? { namespace: "file", name: `/${path}` } : { namespace: `${scheme}://${host}`, name: path };
}

function tableDataset(names: LineageNames, table: string, facets: Facet, rows: number): Facet {
  return {
    ...locationOf(`${names.warehouseUri}/${names.tableNamespace}/${table}`),
    facets: {
      symlinks: symlinksFacet(names.warehouseUri, `${names.tableNamespace}.${table}`),
      catalog: catalogFacet(names.warehouseUri),
      ...facets,
    },
    outputFacets: { outputStatistics: outputStatisticsFacet(rows) },
  };
}

function outputs(window: CommittedWindow, contract: Contract, names: LineageNames, quarantineTable: string): Facet[] {
  const { decision } = window;
  const { counts } = decision;
  const owners = contract.owners.length === 0 ? {} : { ownership: ownershipFacet(contract) };
  const promoted = tableDataset(
    names,
    decision.dataset,
    {
      schema: schemaFacet(contract),
      version: versionFacet(window.snapshotId),
      dataQualityMetrics: qualityMetricsFacet(decision, contract),
      columnLineage: columnLineageFacet(contract, { namespace: names.sourceNamespace, name: contract.topic }),
      ...(decision.moved === undefined ? {} : { lifecycleStateChange: overwriteFacet() }),
      ...owners,
    },
    counts.promoted,
  );
  if (window.quarantineSnapshotId === null) return [promoted];
  const quarantined = tableDataset(
    names,
    quarantineTable,
    { version: versionFacet(window.quarantineSnapshotId), ...owners },
    counts.quarantined,
  );
  return [promoted, quarantined];
}

/** The run that a commit's events tell of, and its job. */
export function runOf(
  {
    dataset,
    kind,
    windowId,
    snapshotId,
  }: { readonly dataset: string; readonly kind: string; readonly windowId: string; readonly snapshotId: string },
  names: LineageNames,
): { readonly runId: string; readonly namespace: string; readonly job: string } {
  const runId = uuidOf(`${names.warehouseUri}:${windowId}:${snapshotId}`);
  return { runId, namespace: names.jobNamespace, job: `sluice.${dataset}.${kind}` };
}

/**
 * The START and the terminal event of one window: one run, COMPLETE where its rows went on, FAIL where they are held. Both come after the commit,
 * with the window's own times. The parent is the dataset's stream job, one run a table.
 */
export function runEvents(
  window: CommittedWindow,
  contract: Contract,
  names: LineageNames,
  quarantineTable: string,
): readonly [RunEvent, RunEvent] {
  const { decision } = window;
  const { runId, namespace, job } = runOf({ ...decision, snapshotId: window.snapshotId }, names);
  const streamJob = { namespace: names.jobNamespace, name: `sluice.${decision.dataset}` };
  const held = decision.verdict === "hold";
  const facets = {
    parent: parentFacet(uuidOf(`stream:${names.jobNamespace}:${names.warehouseUri}:${decision.dataset}`), streamJob),
    nominalTime: nominalTimeFacet(decision.openedAtMs, decision.closedAtMs),
    processing_engine: engineFacet(decision.producer),
    ...(held ? { errorMessage: errorFacet(decision.causes.map((cause) => cause.message).join("; ")) } : {}),
  };
  const common = {
    producer: producerUri,
    schemaURL: schemaUrl,
    job: { namespace, name: job, facets: { jobType: jobTypeFacet() } },
    // Moving main reads nothing of the source.
    inputs: decision.moved === undefined ? inputs(window, contract, names) : [],
  };
  const { errorMessage: _, ...startFacets } = facets as typeof facets & { errorMessage?: Facet };
  return [
    {
      ...common,
      eventType: "START",
      eventTime: new Date(decision.openedAtMs).toISOString(),
      run: { runId, facets: startFacets },
      outputs: [],
    },
    {
      ...common,
      eventType: held ? "FAIL" : "COMPLETE",
      eventTime: new Date(window.committedAtMs).toISOString(),
      run: { runId, facets },
      outputs: outputs(window, contract, names, quarantineTable),
    },
  ];
}
