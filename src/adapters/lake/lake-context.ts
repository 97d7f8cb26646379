import type { Probe } from "../../core/ports.ts";
import { SluiceError } from "../../core/errors.ts";
import type { ContentStore } from "../../core/storage.ts";
import type { LoadedTable, TableName } from "../catalog/catalog.ts";
import { inTurn } from "../catalog/turns.ts";
import type { DatasetTables, TablePorts } from "./quarantine-plan.ts";
import { finishPlan, hasPlan } from "./quarantine-plan.ts";

export type { DatasetTables };

/** What every operation of a lake works with. */
export interface LakeContext extends TablePorts {
  readonly content: ContentStore;
  readonly namespace: string;
  readonly probe: Probe;
}

const quarantineSuffix = "__quarantine";

/** The promoted table's name. */
export function promotedTable(context: LakeContext, dataset: string): TableName {
  return { namespace: context.namespace, name: dataset };
}

/** The quarantine table's name: the dataset's with `__quarantine` behind it. */
export function quarantineTable(context: LakeContext, dataset: string): TableName {
  return { namespace: context.namespace, name: `${dataset}${quarantineSuffix}` };
}

/** Whether a dataset's name would be taken for another's quarantine table. */
export function isQuarantineName(name: string): boolean {
  return name.endsWith(quarantineSuffix);
}

/** The format versions whose manifests Sluice writes. */
const writtenVersions: ReadonlySet<number> = new Set([2, 3]);

function checkVersion(table: LoadedTable): LoadedTable {
  const version = table.metadata["format-version"];
  if (writtenVersions.has(version)) return table;
  const name = `${table.table.namespace}.${table.table.name}`;
  throw new SluiceError("TABLE_UNSUPPORTED", `${name} has Iceberg format version ${version}; Sluice writes versions 2 and 3`);
}

/** Both tables as they are now, or null where the dataset has none. */
export async function findTables(context: LakeContext, dataset: string): Promise<DatasetTables | null> {
  const names = [promotedTable(context, dataset), quarantineTable(context, dataset)] as const;
  const [promoted, found] = await Promise.all([context.catalog.load(names[0]), context.catalog.load(names[1])]);
  if (promoted === null) return null;
  // No promoted table is made before its quarantine table: one that was missing may have been looked up before both were made.
  const quarantine = found ?? (await context.catalog.load(names[1]));
  if (quarantine === null) {
    throw new SluiceError("TABLE_CORRUPT", `dataset ${dataset} has no quarantine table beside its table: someone dropped it`);
  }
  return { dataset, promoted: checkVersion(promoted), quarantine: checkVersion(quarantine) };
}

async function needTables(context: LakeContext, dataset: string): Promise<DatasetTables> {
  const tables = await findTables(context, dataset);
  if (tables === null) throw new SluiceError("NOT_FOUND", `there is no dataset ${dataset} in ${context.namespace}`);
  return tables;
}

/** Both tables as they are now, after what a commit has planned of them: for who has the dataset's turn. Rejects with NOT_FOUND where there is none. */
export async function loadTablesInTurn(context: LakeContext, dataset: string): Promise<DatasetTables> {
  return finishPlan(context, await needTables(context, dataset));
}

/** The same for everyone else: a plan is mostly being carried out by the one whose turn it is. */
export async function loadTables(context: LakeContext, dataset: string): Promise<DatasetTables> {
  const tables = await needTables(context, dataset);
  return hasPlan(tables) ? inTurn(context.turns, [dataset], () => loadTablesInTurn(context, dataset)) : tables;
}
