import type { Contract } from "../../core/contract.ts";
import type { Diagnostic } from "../../core/errors.ts";
import { DocumentError } from "../../core/errors.ts";
import type { Update } from "../iceberg/metadata-update.ts";
import { layoutSources } from "../iceberg/table-layout.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import { misfits } from "../iceberg/stored-types.ts";
import type { EvolvedSchema } from "../iceberg/table-schema.ts";
import { schemaOfContract } from "../iceberg/table-schema.ts";
import { readContractFields } from "./table-properties.ts";

/** What gives a table the format version that a contract asks for; none where it has it. Throws `DocumentError` where it has a later one. */
export function versionUpdates(metadata: TableMetadata, contract: Contract): Update[] {
  const wanted = contract.table?.formatVersion ?? null;
  const current = metadata["format-version"];
  if (wanted === null || wanted === current) return [];
  if (wanted > current) return [{ action: "upgrade-format-version", "format-version": wanted }];
  const message = `the table has Iceberg's format version ${current}, and does not go back to ${wanted}`;
  const location = { file: contract.file, line: 1, column: 1 };
  throw new DocumentError("CONTRACT_INVALID", [
    { severity: "error", code: "format-version", message, location, hint: "leave formatVersion out" },
  ]);
}

/** A promoted table's schema under another contract, and what changes by it. Throws `DocumentError` where the table can't take the contract. */
export function evolveTable(metadata: TableMetadata, contract: Contract): EvolvedSchema {
  const current = { schema: currentSchema(metadata), lastColumnId: metadata["last-column-id"] };
  return schemaOfContract(contract, current, {
    contractIds: readContractFields(metadata.properties),
    layoutIds: layoutSources(metadata),
    // Rows of held windows and of versions that were rolled back count too: both can come back.
    hasRows: metadata.snapshots.some((snapshot) => snapshot.summary["total-records"] !== "0"),
  });
}

/**
 * Throws `DocumentError` where the contract that a table was made by has other types now: a later version of Sluice can read a `physicalType` that an earlier
 * one passed over, and the table would get values of both.
 */
export function checkStoredTypes(metadata: TableMetadata, contract: Contract): void {
  const faults = misfits(contract.fields, currentSchema(metadata).fields).map(({ path, stored, wanted }): Diagnostic => {
    const location = contract.table?.columns.get(path)?.location ?? { file: contract.file, line: 1, column: 1 };
    const message = `column ${path} is ${stored} in the table, which this contract made, and can't become ${wanted}`;
    return { severity: "error", code: "type-changed", message, location, hint: `say ${stored}, or add a column of another name` };
  });
  if (faults.length > 0) throw new DocumentError("CONTRACT_INVALID", faults);
}
