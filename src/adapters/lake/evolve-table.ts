import type { Contract } from "../../core/contract.ts";
import { layoutSources } from "../iceberg/table-layout.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import type { EvolvedSchema } from "../iceberg/table-schema.ts";
import { schemaOfContract } from "../iceberg/table-schema.ts";
import { readContractFields } from "./table-properties.ts";

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
