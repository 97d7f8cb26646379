import { compileRecords } from "../codecs/compile-records.ts";
import { jsonCodec } from "../codecs/json.ts";
import type { Config } from "../config/config.ts";
import type { Column } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { QuarantinedRecord, SchemaRegistry } from "../core/ports.ts";
import { recordsOfQuarantined } from "../core/quarantined-records.ts";
import type { Field } from "../core/schema.ts";
import { loadContracts } from "./contracts.ts";
import { fileContracts } from "./file-contract.ts";
import { openRegistry, openSourceRegistry } from "./registry.ts";
import { resolveSchemas } from "../gate/schema-resolver.ts";

/**
 * What a quarantined record's bytes say, for people: the contract's columns as its format gives them, of whatever type, as one JSON text; or why they can't be
 * read. Null for records that are JSON as they stand.
 */
async function decodeForPeople(record: QuarantinedRecord, contract: Contract, registry: SchemaRegistry | null): Promise<string | null> {
  const format = contract.record?.value.format ?? contract.format?.format ?? "json";
  if (record.value === null || (contract.record === undefined && format === "json")) return null;
  const loose: Contract = {
    ...contract,
    fields: contract.fields.map((field): Field => ({ ...field, type: { kind: "json" }, required: false, format: null })),
    rules: [],
    policies: { ...contract.policies, unknownFields: "keep", tombstone: "quarantine" },
  };
  const records = recordsOfQuarantined([record]);
  try {
    const schemas = await resolveSchemas(contract, [records], registry);
    // What its own schema says was judged before: here it is only shown.
    const batch = compileRecords(loose, { json: (inner) => jsonCodec.compile(inner), jsonSchema: () => () => null })(records, schemas);
    const [fault] = batch.faults;
    if (fault !== undefined) return `can't be decoded: ${fault.message} [${fault.code}]`;
    const columns = batch.unknown === null ? batch.columns : [...batch.columns, batch.unknown];
    return `{${columns.flatMap((column) => memberText(column)).join(", ")}}`;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `can't be decoded: ${error.message}`;
  }
}

/** The same by the configuration's own contract of the dataset; null too where that can't be had. */
export async function decodeByContract(record: QuarantinedRecord, dataset: string, config: Config): Promise<string | null> {
  let contract: Contract | undefined;
  let registry: SchemaRegistry | null = null;
  try {
    registry = await openSourceRegistry(config);
  } catch (error) {
    // Of files that are gone, their schemas are too.
    if (!(error instanceof SluiceError)) throw error;
    registry = openRegistry(config.registry);
  }
  try {
    contract = (await loadContracts(config)).find((one) => one.dataset === dataset);
    if (contract !== undefined) contract = await (await fileContracts(config))(contract);
  } catch (error) {
    // Showing a record must not depend on a contract that can be loaded.
    if (!(error instanceof SluiceError)) throw error;
  }
  try {
    return contract === undefined ? null : await decodeForPeople(record, contract, registry);
  } finally {
    await registry?.close();
  }
}

function memberText(column: Column): string[] {
  const { field, state } = column;
  if (state[0] === Cell.missing) return [];
  const label = `${JSON.stringify(field.name)}: `;
  if (state[0] !== Cell.value || column.kind !== "bytes") return [`${label}null`];
  const start = column.starts[0] as number;
  return [label + Buffer.from(column.bytes.subarray(start, start + (column.lengths[0] as number))).toString("utf8")];
}
