import type { IcebergField, IcebergSchema } from "../../core/table-schema.ts";
import type { DataFile } from "./data-file.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { TableMetadata } from "./table-metadata.ts";

/** Where the rows of a data file got their ids, and when they came (Iceberg spec, "Row Lineage"). */
export interface FileLineage {
  /** The id of the file's first row; null: the file came before the table numbered rows, and was given none yet. */
  readonly firstRowId: bigint | null;
  /** The file's data sequence number. */
  readonly sequence: bigint;
}

const numberedVersion = 3;

/** What rows of a file of a table inherit, as a rewrite takes it; nothing where the table does not number rows. */
export function lineageOf(metadata: TableMetadata, { file, sequence }: ManifestEntry): { readonly lineage?: FileLineage } {
  if ((metadata["format-version"] as number) < numberedVersion) return {};
  return { lineage: { firstRowId: (file["first_row_id"] ?? null) as bigint | null, sequence: sequence ?? 0n } };
}

/** Ids that Iceberg reserves for columns that readers add, and that a file may hold itself (spec, "Reserved Field IDs"). */
export const lineageIds = { rowId: 2_147_483_540, lastUpdated: 2_147_483_539 } as const;

const fields: readonly IcebergField[] = [
  { id: lineageIds.rowId, name: "_row_id", required: false, type: "long" },
  { id: lineageIds.lastUpdated, name: "_last_updated_sequence_number", required: false, type: "long" },
];

/** A table's schema with the columns that keep ids of rows which move to another file. */
export function withLineage(schema: IcebergSchema): IcebergSchema {
  return { ...schema, fields: [...schema.fields, ...fields] };
}

/** What a row inherits from its file where the file has no value of its own for it. `row`: its number in the file. */
export function inheritedLineage(id: number, { firstRowId, sequence }: FileLineage, row: number): bigint | null {
  if (id === lineageIds.lastUpdated) return sequence;
  return firstRowId === null ? null : firstRowId + BigInt(row);
}

/** A file without the metrics of columns that are none of the table's schema: manifests speak of columns of the table. */
export function withoutLineageMetrics(file: DataFile): DataFile {
  const own = <T>(values: ReadonlyMap<number, T>): Map<number, T> =>
    new Map([...values].filter(([id]) => id !== lineageIds.rowId && id !== lineageIds.lastUpdated));
  return {
    ...file,
    columnSizes: own(file.columnSizes),
    valueCounts: own(file.valueCounts),
    nullValueCounts: own(file.nullValueCounts),
    nanValueCounts: own(file.nanValueCounts),
    lowerBounds: own(file.lowerBounds),
    upperBounds: own(file.upperBounds),
  };
}
