import type { Contract } from "../../core/contract.ts";
import type { Diagnostic, SourceLocation } from "../../core/errors.ts";
import { DocumentError } from "../../core/errors.ts";
import type { ContractPreview } from "../../core/lake-contracts.ts";
import { layoutUpdates } from "../iceberg/table-layout.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { evolveTable, versionUpdates } from "./evolve-table.ts";
import type { LakeContext } from "./lake-context.ts";
import { findTables } from "./lake-context.ts";
import { readContracts } from "./table-properties.ts";

/** See `LakeContracts.preview`. */
export async function previewContract(context: LakeContext, contract: Contract): Promise<ContractPreview> {
  const tables = await findTables(context, contract.dataset);
  if (tables === null) return { activeVersion: null, findings: [] };
  const { metadata } = tables.promoted;
  const known = readContracts(metadata.properties);
  const activeVersion = known.at(-1)?.version ?? null;
  const place = known.findLastIndex((each) => each.hash === contract.hash);
  if (place >= 0 && place === known.length - 1) return { activeVersion, findings: [] };
  if (place >= 0) {
    const message = `version ${contract.version} was active before version ${activeVersion}, and can't be again as it is`;
    return { activeVersion, findings: [finding("error", "contract-superseded", startOf(contract), message, "give it a new version")] };
  }
  try {
    return { activeVersion, findings: changesOf(metadata, contract) };
  } catch (fault) {
    if (!(fault instanceof DocumentError)) throw fault;
    return { activeVersion, findings: fault.diagnostics };
  }
}

function changesOf(metadata: TableMetadata, contract: Contract): Diagnostic[] {
  const { schema, changes } = evolveTable(metadata, contract);
  const columns = changes.map(({ kind, message, location }) => finding("info", `table-${kind}`, location, message));
  for (const update of versionUpdates(metadata, contract)) {
    if (update.action !== "upgrade-format-version") continue;
    const message = `the table gets Iceberg's format version ${update["format-version"]}, for good: its readers must know it`;
    columns.push(finding("info", "table-version", startOf(contract), message));
  }
  const layout = new Set(layoutUpdates(metadata, contract.table, schema).map((update) => update.action));
  const by = (parts: readonly string[]): string => (parts.length === 0 ? "by nothing any more" : `by ${parts.join(", ")}`);
  const { partitionBy, sortBy } = contract.table ?? { partitionBy: null, sortBy: null };
  if (layout.has("set-default-spec")) {
    const message = `files to come are partitioned ${by((partitionBy ?? []).map((part) => `${part.transform} of ${part.column}`))}; those there are stay as they are`;
    columns.push(finding("info", "table-partition", partitionBy?.[0]?.location ?? startOf(contract), message));
  }
  if (layout.has("set-default-sort-order")) {
    const message = `files to come are sorted ${by((sortBy ?? []).map((part) => part.column))}; those there are stay as they are`;
    columns.push(finding("info", "table-sort", sortBy?.[0]?.location ?? startOf(contract), message));
  }
  return columns;
}

function finding(
  severity: Diagnostic["severity"],
  code: string,
  location: SourceLocation,
  message: string,
  hint: string | null = null,
): Diagnostic {
  return { severity, code, message, location, hint };
}

function startOf(contract: Contract): SourceLocation {
  return { file: contract.file, line: 1, column: 1 };
}
