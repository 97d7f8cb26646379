import type { Contract } from "../../core/contract.ts";
import type { Decision } from "../../core/decision.ts";
import { icebergPrimitive } from "../../core/iceberg-type.ts";
import type { ColumnSummary } from "../../core/profile.ts";
import type { RuleOutcome } from "../../core/rule.ts";
import { maskedPaths } from "../../core/schema.ts";
import type { Field, FieldType } from "../../core/schema.ts";

/** Who emits; the `producer` of every event and `_producer` of every facet. */
export const producerUri = "urn:sluice:gate";

export type Facet = Readonly<Record<string, unknown>>;

/** A facet with the URLs that its specification asks for. `name` and `version` as they stand in the facet's `$id`. */
function facet(name: string, version: string, body: Facet): Facet {
  return { _producer: producerUri, _schemaURL: `https://openlineage.io/spec/facets/${version}/${name}.json#/$defs/${name}`, ...body };
}

function typeName(type: FieldType): string {
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision},${type.scale})`;
    case "timestamp":
      return icebergPrimitive(type);
    case "list":
      return "array";
    default:
      return type.kind;
  }
}

function schemaFields(fields: readonly Field[]): Facet[] {
  return fields.map((field, index) => {
    const nested = field.type.kind === "struct" ? field.type.fields : field.type.kind === "list" ? [field.type.element] : [];
    return {
      name: field.name,
      type: typeName(field.type),
      ordinal_position: index + 1,
      ...(field.doc === null ? {} : { description: field.doc }),
      ...(nested.length === 0 ? {} : { fields: schemaFields(nested) }),
    };
  });
}

/** The columns of a contract, nested ones inside. */
export function schemaFacet(contract: Contract): Facet {
  return facet("SchemaDatasetFacet", "1-2-0", { fields: schemaFields(contract.fields) });
}

function columnMetrics(summary: ColumnSummary): Facet {
  const numeric = summary.kind === "number";
  const { quantiles } = summary;
  return {
    nullCount: summary.nulls + summary.missing,
    distinctCount: Math.round(summary.distinct),
    count: summary.count,
    ...(numeric && summary.min !== null && summary.max !== null ? { min: Number(summary.min), max: Number(summary.max) } : {}),
    ...(numeric && summary.mean !== null ? { sum: summary.mean * (summary.count - summary.nulls - summary.missing) } : {}),
    ...(numeric && quantiles !== null
      ? { quantiles: { "0.05": quantiles.p05, "0.25": quantiles.p25, "0.5": quantiles.p50, "0.75": quantiles.p75, "0.95": quantiles.p95 } }
      : {}),
  };
}

/** Counts for every column; sums, bounds and quantiles only of unclassified ones. */
export function qualityMetricsFacet(decision: Decision, contract: Contract): Facet {
  const classified = maskedPaths(contract.fields);
  const columns = decision.profile.columns.map((summary) => {
    const metrics = columnMetrics(summary);
    if (!classified.has(summary.path)) return [summary.path, metrics];
    return [summary.path, { nullCount: metrics["nullCount"], count: metrics["count"] }];
  });
  return facet("DataQualityMetricsDatasetFacet", "1-0-0", {
    rowCount: decision.profile.rows,
    columnMetrics: Object.fromEntries(columns),
  });
}

function assertion(outcome: RuleOutcome): Facet {
  return {
    assertion: outcome.family,
    name: outcome.rule,
    success: outcome.status === "pass" || outcome.status === "skipped",
    severity: outcome.severity === "error" ? "error" : "warn",
    actual: outcome.measured === undefined ? `${outcome.failed} of ${outcome.checked} rows failed` : String(outcome.measured.value),
    ...(outcome.column === null ? {} : { column: outcome.column }),
    ...(outcome.breach === null ? {} : { expected: outcome.breach }),
  };
}

/** Every rule of the window and whether it held. */
export function assertionsFacet(decision: Decision): Facet {
  return facet("DataQualityAssertionsDatasetFacet", "1-1-0", { assertions: decision.rules.map(assertion) });
}

/** How many records the window read. */
export function inputStatisticsFacet(decision: Decision): Facet {
  return facet("InputStatisticsInputDatasetFacet", "1-0-0", { rowCount: decision.counts.records });
}

/** How many rows were written. */
export function outputStatisticsFacet(rows: number): Facet {
  return facet("OutputStatisticsOutputDatasetFacet", "1-0-2", { rowCount: rows });
}

/** The snapshot id as text: it does not fit a JSON number. */
export function versionFacet(version: string): Facet {
  return facet("DatasetVersionDatasetFacet", "1-0-1", { datasetVersion: version });
}

/** Who owns the data set, as the contract says. */
export function ownershipFacet(contract: Contract): Facet {
  return facet("OwnershipDatasetFacet", "1-0-1", {
    owners: contract.owners.map((owner) => ({ name: owner.name, ...(owner.role === null ? {} : { type: owner.role }) })),
  });
}

/** The table's name in its catalog, beside its location. */
export function symlinksFacet(namespace: string, name: string): Facet {
  return facet("SymlinksDatasetFacet", "1-0-1", { identifiers: [{ namespace, name, type: "TABLE" }] });
}

/** The catalog that knows the table. */
export function catalogFacet(warehouseUri: string): Facet {
  return facet("CatalogDatasetFacet", "1-1-0", { framework: "iceberg", type: "jdbc", name: "sluice", warehouseUri, source: "sluice" });
}

/** That the table's content was replaced, not added to. */
export function overwriteFacet(): Facet {
  return facet("LifecycleStateChangeDatasetFacet", "1-0-1", { lifecycleStateChange: "OVERWRITE" });
}

/** Every column comes from the field of the same record that its contract names. */
export function columnLineageFacet(contract: Contract, input: { readonly namespace: string; readonly name: string }): Facet {
  const fields = contract.fields.map((field) => [
    field.name,
    { inputFields: [{ ...input, field: field.sourceName, transformations: [{ type: "DIRECT", subtype: "IDENTITY", masking: false }] }] },
  ]);
  return facet("ColumnLineageDatasetFacet", "1-2-0", { fields: Object.fromEntries(fields) });
}

/** The stream job that a window belongs to. */
export function parentFacet(runId: string, job: { readonly namespace: string; readonly name: string }): Facet {
  return facet("ParentRunFacet", "1-2-0", { run: { runId }, job, root: { run: { runId }, job } });
}

/** When the window opened and closed, milliseconds since the epoch. */
export function nominalTimeFacet(startMs: number, endMs: number): Facet {
  return facet("NominalTimeRunFacet", "1-0-1", {
    nominalStartTime: new Date(startMs).toISOString(),
    nominalEndTime: new Date(endMs).toISOString(),
  });
}

/** Sluice and its version. */
export function engineFacet(version: string): Facet {
  return facet("ProcessingEngineRunFacet", "1-1-1", { name: "sluice", version });
}

/** Why a window is held. */
export function errorFacet(message: string): Facet {
  return facet("ErrorMessageRunFacet", "1-0-1", { message, programmingLanguage: "typescript" });
}

/** A streaming job, one run a window. */
export function jobTypeFacet(): Facet {
  return facet("JobTypeJobFacet", "2-0-4", { processingType: "STREAMING", integration: "SLUICE", jobType: "WINDOW" });
}
