import { isDeepStrictEqual } from "node:util";
import type { Contract } from "../../core/contract.ts";
import { SluiceError } from "../../core/errors.ts";
import type { DatasetState } from "../../core/ports.ts";
import { quarantineLastColumnId, quarantineSchema } from "../iceberg/quarantine-schema.ts";
import { applyUpdates } from "../iceberg/metadata-update.ts";
import { layoutUpdates } from "../iceberg/table-layout.ts";
import { newTableMetadata } from "../iceberg/table-metadata.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import { schemaOfContract } from "../iceberg/table-schema.ts";
import { uriOfPath } from "../iceberg/storage-path.ts";
import type { Plan } from "./commit-loop.ts";
import { commitUntilSettled } from "./commit-loop.ts";
import { stateOf } from "./dataset-state.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { findTables, isQuarantineName, loadTables, promotedTable, quarantineTable } from "./lake-context.ts";
import { draftChange } from "./state-change.ts";
import type { ActivatedContract } from "./table-properties.ts";
import { checkStoredTypes, evolveTable, versionUpdates } from "./evolve-table.ts";
import { propertyNames, readContracts, writeContractFields, writeContracts } from "./table-properties.ts";

/** Properties of both tables: what keeps their metadata small, and what tells other writers how files are compressed. */
const tableProperties = {
  "write.parquet.compression-codec": "zstd",
  "write.metadata.previous-versions-max": "20",
  "write.metadata.delete-after-commit.enabled": "true",
} as const;

function checkName(dataset: string): void {
  if (dataset !== "" && !isQuarantineName(dataset) && !dataset.includes("\0")) return;
  throw new SluiceError("CONTRACT_INVALID", `${JSON.stringify(dataset)} can't name a dataset: names ending in __quarantine are taken`);
}

function newTable(
  context: LakeContext,
  table: { readonly schema: TableMetadata["schemas"][number]; readonly lastColumnId: number },
  properties: Readonly<Record<string, string>>,
): TableMetadata {
  const uuid = context.io.uuid();
  // Paths are made of ids: names are user text, and may change.
  const location = uriOfPath(context.storage, `tables/${uuid}`);
  return newTableMetadata({ uuid, location, ...table, properties: { ...tableProperties, ...properties }, nowMs: context.clock.now() });
}

function statisticsProperty(contract: Contract): Record<string, string> {
  const wanted = contract.table?.statistics ?? null;
  return wanted === null ? {} : { [propertyNames.statistics]: wanted };
}

async function create(context: LakeContext, contract: Contract, activated: ActivatedContract): Promise<boolean> {
  const evolved = schemaOfContract(contract, null);
  const properties = {
    [propertyNames.contracts]: writeContracts([activated]),
    [propertyNames.contractFields]: writeContractFields(evolved.contractIds),
    ...statisticsProperty(contract),
  };
  const plain = newTable(context, evolved, properties);
  const promoted = applyUpdates(plain, [...versionUpdates(plain, contract), ...layoutUpdates(plain, contract.table, evolved.schema)]);
  const quarantine = newTable(context, { schema: quarantineSchema, lastColumnId: quarantineLastColumnId }, {});
  try {
    const outcome = await context.catalog.commit([
      { table: promotedTable(context, contract.dataset), create: promoted },
      { table: quarantineTable(context, contract.dataset), create: quarantine },
    ]);
    return outcome.status === "committed";
  } catch (fault) {
    if (!(fault instanceof SluiceError) || fault.code !== "COMMIT_UNKNOWN") throw fault;
    // Whoever made the tables: what counts is read back next.
    if ((await findTables(context, contract.dataset)) === null) throw fault.cause instanceof SluiceError ? fault.cause : fault;
    return false;
  }
}

async function plan(context: LakeContext, contract: Contract, activated: ActivatedContract, tables: DatasetTables): Promise<Plan<null>> {
  const { metadata } = tables.promoted;
  const known = readContracts(metadata.properties);
  const place = known.findLastIndex((each) => each.hash === contract.hash);
  if (place >= 0 && place === known.length - 1) {
    checkStoredTypes(metadata, contract);
    return { kind: "done", result: null };
  }
  if (place >= 0) {
    const message = `${contract.dataset} is judged by version ${known.at(-1)?.version} since; version ${contract.version} (${contract.hash}) was before it`;
    throw new SluiceError("CONTRACT_SUPERSEDED", message);
  }
  const current = currentSchema(metadata);
  const { schema, lastColumnId, contractIds } = evolveTable(metadata, contract);
  const draft = await draftChange(context, tables, {
    change: "activate",
    author: null,
    reason: null,
    detail: { contract: contract.hash, version: contract.version },
    properties: {
      [propertyNames.contracts]: writeContracts([...known, activated]),
      [propertyNames.contractFields]: writeContractFields(contractIds),
      ...statisticsProperty(contract),
    },
    before: (table) => {
      table.update(...versionUpdates(metadata, contract));
      if (!isDeepStrictEqual(schema.fields, current.fields)) {
        table.update({ action: "add-schema", schema, "last-column-id": lastColumnId }, { action: "set-current-schema", "schema-id": -1 });
      }
      table.update(...layoutUpdates(metadata, contract.table, schema));
    },
  });
  return { kind: "change", drafts: [draft, null], result: null };
}

/** Makes a contract the active one of its dataset; see `Lake.activate`. */
export async function activate(context: LakeContext, contract: Contract): Promise<DatasetState> {
  checkName(contract.dataset);
  const { hash, id, version, dataset } = contract;
  const store = (text: string): Promise<string> => context.content.put("contract", new TextEncoder().encode(text));
  const text = await store(contract.text);
  const references: { path: string; text: string }[] = [];
  for (const each of contract.references ?? []) references.push({ path: each.path, text: await store(each.text) });
  const activated = { hash, id, version, text, ...(references.length > 0 && { references }), atMs: context.clock.now() };
  const made = (await findTables(context, dataset)) === null && (await create(context, contract, activated));
  if (!made) await commitUntilSettled(context, dataset, (tables) => plan(context, contract, activated, tables));
  return stateOf(await loadTables(context, dataset));
}
