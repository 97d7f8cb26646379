import type { Contract } from "../../core/contract.ts";
import { DocumentError } from "../../core/errors.ts";
import type { FieldType } from "../../core/schema.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { sourceColumns } from "../../core/table-schema.ts";
import type { SchemaChange, TableBefore, WantedColumn } from "./schema-evolution.ts";
import { SchemaEvolution } from "./schema-evolution.ts";

/** The column that keeps what the contract does not name, where its policy is `keep`: one JSON object's text, or null. */
export const unknownColumn = "_sluice_unknown";

/** A schema and the highest field id ever given in its table. */
export interface AssignedSchema {
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
}

/** A table's schema under a contract, and how it came to be. */
export interface EvolvedSchema extends AssignedSchema {
  readonly changes: readonly SchemaChange[];
  /** Ids of the fields that the contract names. */
  readonly contractIds: readonly number[];
}

function laterColumns(contract: Contract): WantedColumn[] {
  const { unknownFields } = contract.policies;
  const column = (name: string, type: FieldType, required: boolean, doc: string): WantedColumn => ({
    name,
    path: name,
    type,
    required,
    doc,
  });
  return [
    ...(unknownFields === "keep"
      ? [column(unknownColumn, { kind: "json" }, false, "Fields that the contract does not name, as one JSON object.")]
      : []),
    column(sourceColumns.source, { kind: "string" }, true, "Id of the topic (or content hash of the file) that the record came from."),
    column(sourceColumns.partition, { kind: "int" }, true, "Partition of that topic."),
    column(sourceColumns.offset, { kind: "long" }, true, "Offset in that partition."),
    column(sourceColumns.timestamp, { kind: "timestamp", zoned: true, unit: "micros" }, false, "The record's own timestamp."),
  ];
}

const nothingBefore: TableBefore = { contractIds: new Set(), layoutIds: new Set(), hasRows: false };

/**
 * The promoted table's schema under a contract: its columns in order, then the column of unknown fields where the policy keeps them, then the source
 * columns. With `current`, the evolution of that schema: ids are kept by name, or by the name that the contract says a column had; columns are added
 * as optional, promoted by Iceberg's rules, or loosened; those that the contract before named (`before`) are dropped where it names them no more, and
 * others stay. Throws `DocumentError`, with every fault and its place, where readers of older files could not follow.
 */
export function schemaOfContract(contract: Contract, current: AssignedSchema | null, before: TableBefore = nothingBefore): EvolvedSchema {
  const past = { file: contract.file, columns: contract.table?.columns ?? new Map() };
  const evolution = new SchemaEvolution(current?.lastColumnId ?? 0, before, past);
  const own = laterColumns(contract);
  const fields = evolution.fields([...contract.fields, ...own], current?.schema.fields ?? null);
  if (evolution.faults.length > 0) throw new DocumentError("CONTRACT_INVALID", evolution.faults);
  const ids = new Set(fields.map((field) => field.id));
  const identifiers = current?.schema["identifier-field-ids"]?.filter((id) => ids.has(id)) ?? [];
  const schema = {
    type: "struct",
    "schema-id": current?.schema["schema-id"] ?? 0,
    fields,
    ...(identifiers.length > 0 && { "identifier-field-ids": identifiers }),
  } as const;
  const ownIds = new Set(fields.filter((field) => field.name.startsWith("_sluice_")).map((field) => field.id));
  const contractIds = evolution.namedIds.filter((id) => !ownIds.has(id));
  return { schema, lastColumnId: evolution.lastColumnId, changes: evolution.changes, contractIds };
}
