import { setTimeout as sleep } from "node:timers/promises";
import type { LoadedTable, TableChange, TableName } from "../adapters/catalog/catalog.ts";
import { tableKey } from "../adapters/catalog/catalog.ts";
import type { Requirement } from "../adapters/iceberg/metadata-requirement.ts";
import { unmetRequirement } from "../adapters/iceberg/metadata-requirement.ts";
import type { Update } from "../adapters/iceberg/metadata-update.ts";
import { applyUpdates, metadataFromUpdates } from "../adapters/iceberg/metadata-update.ts";
import { RefusedUpdate } from "../adapters/iceberg/refused-update.ts";
import type { TableMetadata } from "../adapters/iceberg/table-metadata.ts";
import { snapshotWithId } from "../adapters/iceberg/table-metadata.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { needFreeName } from "./free-names.ts";
import { needNamespace } from "./namespaces.ts";
import type { Principal } from "./principal.ts";
import type { RestError } from "./rest-error.ts";
import { badRequest, commitFailed, forbidden, noSuchTable } from "./rest-error.ts";
import { checkNewPlace } from "./table-places.ts";

/** One table's part of a commit. */
export interface WantedChange {
  readonly table: TableName;
  readonly requirements: readonly Requirement[];
  readonly updates: readonly Update[];
}

const backoffMsMax = 500;

/** How long to wait before a commit is made again, in ms. */
export function backoffMs(context: CatalogContext, attempt: number): number {
  return context.random() * Math.min(backoffMsMax, 5 * 2 ** Math.min(attempt, 7));
}

/** Where a table's files are: paths are made of ids, for names are user text and may change. */
export function locationOf(context: CatalogContext, uuid: string): string {
  return `${context.storage.root}/tables/${uuid}`;
}

/** Turns what updates a table can't take into the answer that tells the client whether to begin again. */
export function taking<T>(work: () => T): T {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof RefusedUpdate)) throw fault;
    throw fault.stale ? commitFailed(fault.message) : badRequest(fault.message);
  }
}

/**
 * Whether the table holds this very commit: its reply was lost and the client sends it again. Ids of snapshots and new tables are random: nobody else
 * can have made them.
 */
function isApplied(base: LoadedTable, wanted: WantedChange): boolean {
  const added = wanted.updates.filter((update) => update.action === "add-snapshot");
  const isThere = added.every(({ snapshot }) => {
    const found = snapshotWithId(base.metadata, snapshot["snapshot-id"]);
    return found !== null && found["manifest-list"] === snapshot["manifest-list"];
  });
  if (added.length > 0) return isThere;
  const assigned = wanted.updates.find((update) => update.action === "assign-uuid")?.uuid;
  const creates = wanted.requirements.some((requirement) => requirement.type === "assert-create");
  return creates && assigned !== undefined && assigned.toLowerCase() === base.metadata["table-uuid"].toLowerCase();
}

async function creation(context: CatalogContext, principal: Principal, wanted: WantedChange): Promise<TableChange> {
  const refusal = context.guard.refuseName(wanted.table.namespace, principal.scope);
  if (refusal !== null) throw refuse(context, principal, refusal);
  const made = taking(() => metadataFromUpdates(wanted.updates, context.clock.now()));
  checkUuid(made["table-uuid"]);
  const location = locationOf(context, made["table-uuid"]);
  // The uuid is the client's, and may be another table's.
  await checkNewPlace(context, principal, wanted.table, location);
  return { table: wanted.table, create: { ...made, location } };
}

/** Uuids become folders. */
function checkUuid(uuid: string): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) throw badRequest(`${JSON.stringify(uuid)} is no uuid`);
}

function refuse(context: CatalogContext, principal: Principal, reason: string): RestError {
  context.observe({ type: "catalog.refused", principal: principal.name, reason });
  return forbidden(reason);
}

/** What a wanted change comes to over the table as it is; null where it is there already. */
async function plan(
  context: CatalogContext,
  principal: Principal,
  wanted: WantedChange,
  base: LoadedTable | null,
): Promise<TableChange | null> {
  if (base === null) {
    if (!wanted.requirements.some((requirement) => requirement.type === "assert-create")) throw noSuchTable(wanted.table);
    await needNamespace(context, wanted.table.namespace);
    await needFreeName(context, wanted.table, "Table");
    return creation(context, principal, wanted);
  }
  if (isApplied(base, wanted)) return null;
  const unmet = unmetRequirement(base.metadata, wanted.requirements);
  if (unmet !== null) throw commitFailed(`Requirement failed: ${unmet}`);
  // A table's files stay where they are: a client may be told another place than it asked for (specification, `location`).
  const updates = wanted.updates.filter((update) => update.action !== "set-location");
  const next = taking(() => applyUpdates(base.metadata, updates, context.clock.now()));
  const refusal = await context.guard.refuseChange({ base, updates, next, scope: principal.scope });
  if (refusal !== null) throw refuse(context, principal, refusal);
  return { base, requirements: wanted.requirements, updates };
}

/**
 * Changes tables, all or none. A commit that meets another one is made again over what that left, as long as its requirements hold: only where they
 * don't is the client asked to begin anew. Answers the tables as they are then.
 */
export async function commitTables(
  context: CatalogContext,
  principal: Principal,
  wanted: readonly WantedChange[],
): Promise<readonly LoadedTable[]> {
  const names = wanted.map(({ table }) => tableKey(table));
  if (new Set(names).size !== names.length) throw badRequest("a transaction names each table once");
  return context.turns.pass(names, () => commitPatiently(context, principal, wanted));
}

async function commitPatiently(
  context: CatalogContext,
  principal: Principal,
  wanted: readonly WantedChange[],
): Promise<readonly LoadedTable[]> {
  const until = performance.now() + context.patienceMs;
  for (let attempt = 1; ; attempt++) {
    const bases = await Promise.all(wanted.map(({ table }) => context.catalog.load(table)));
    const plans: (TableChange | null)[] = [];
    for (const [i, each] of wanted.entries()) plans.push(await plan(context, principal, each, bases[i] ?? null));
    const changes = plans.filter((each) => each !== null);
    const known = bases.filter((base, i): base is LoadedTable => plans[i] === null && base !== null);
    if (changes.length === 0) return known;
    const outcome = await context.catalog.commit(changes);
    if (outcome.status === "committed") return [...known, ...outcome.tables];
    if (performance.now() >= until) throw commitFailed(`Commit conflict, ${attempt} times: ${outcome.message}`);
    context.observe({ type: "catalog.retried", table: wanted.map(({ table }) => `${table.namespace}.${table.name}`).join(", ") });
    await sleep(backoffMs(context, attempt));
  }
}

/** Makes one new table. */
export async function commitNew(context: CatalogContext, table: TableName, create: TableMetadata): Promise<LoadedTable> {
  const outcome = await context.catalog.commit([{ table, create }]);
  if (outcome.status === "committed") return outcome.tables[0] as LoadedTable;
  await needFreeName(context, table, "Table");
  throw commitFailed(outcome.message);
}
