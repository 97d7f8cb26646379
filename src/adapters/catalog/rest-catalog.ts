import type { Probe } from "../../core/ports.ts";
import { allDone } from "../../core/all-done.ts";
import { SluiceError } from "../../core/errors.ts";
import type { VendedGrant, VendedKeys } from "../storage/vended-keys.ts";
import type { Requirement } from "../iceberg/metadata-requirement.ts";
import type { Update } from "../iceberg/metadata-update.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { completeMetadata, snapshotWithId } from "../iceberg/table-metadata.ts";
import type { Catalog, CommitOutcome, LoadedTable, TableChange, TableName } from "./catalog.ts";
import { tableKey } from "./catalog.ts";
import type { RestReply } from "./rest-http.ts";
import type { Ask, RestOptions } from "./rest-session.ts";
import { vendedGrants } from "./vended-grants.ts";
import { messageOf, RestSession } from "./rest-session.ts";

export interface RestCatalogOptions extends RestOptions {
  readonly probe: Probe;
  /** Takes the keys that the server hands out with tables; absent or null: it is not asked for any. */
  readonly vended?: VendedKeys | null;
}

/** The endpoint that changes several tables at once (specification, `commitTransaction`). */
const jointCommit = "POST /v1/{prefix}/transactions/commit";
/** The endpoint that gives a table's keys alone (specification, `loadCredentials`). */
const credentialsOnly = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials";

/** How a server wants to be used. */
interface Server {
  /** Before every path: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly isJoint: boolean;
  readonly givesCredentials: boolean;
}

interface Seen {
  readonly table: LoadedTable;
  readonly etag: string | null;
}

function pathOf(table: TableName): string {
  return `namespaces/${encodeURIComponent(table.namespace)}/tables/${encodeURIComponent(table.name)}`;
}

function identifierOf(table: TableName): { readonly namespace: readonly string[]; readonly name: string } {
  return { namespace: [table.namespace], name: table.name };
}

/** The updates that make a table out of nothing: ids of columns, specs and orders stay as they are. */
function updatesToCreate(metadata: TableMetadata): readonly Update[] {
  const { schemas, "partition-specs": specs, "sort-orders": orders } = metadata;
  return [
    { action: "assign-uuid", uuid: metadata["table-uuid"] },
    { action: "upgrade-format-version", "format-version": metadata["format-version"] },
    ...schemas.map((schema): Update => ({ action: "add-schema", schema, "last-column-id": metadata["last-column-id"] })),
    { action: "set-current-schema", "schema-id": -1 },
    ...specs.map((spec): Update => ({ action: "add-spec", spec })),
    { action: "set-default-spec", "spec-id": -1 },
    ...orders.map((order): Update => ({ action: "add-sort-order", "sort-order": order })),
    { action: "set-default-sort-order", "sort-order-id": -1 },
    { action: "set-location", location: metadata.location },
    ...(Object.keys(metadata.properties).length === 0 ? [] : [{ action: "set-properties", updates: metadata.properties } as const]),
  ];
}

/**
 * A catalog behind Iceberg's REST protocol. A change holds if what it requires does: whoever changes a table moves main, and requires where it was.
 * New tables are made one after another, the last named first: the first one, which the others belong to, is there only with all of them.
 */
export class RestCatalog implements Catalog {
  readonly #session: RestSession;
  readonly #probe: Probe;
  readonly #vended: VendedKeys | null;
  readonly #prefix: string;
  readonly #givesCredentials: boolean;
  /** The last version seen of each table. */
  readonly #seen = new Map<string, Seen>();
  #isJoint: boolean;

  private constructor(session: RestSession, { probe, vended = null }: RestCatalogOptions, server: Server) {
    this.#session = session;
    this.#probe = probe;
    this.#vended = vended;
    this.#prefix = server.prefix;
    this.#isJoint = server.isJoint;
    this.#givesCredentials = server.givesCredentials;
  }

  /** As the server says it; of one that does not say, once it was asked to. */
  get isJoint(): boolean {
    return this.#isJoint;
  }

  /** Asks the server how it wants to be used. Rejects with CATALOG_*. */
  static async open(options: RestCatalogOptions): Promise<RestCatalog> {
    const session = new RestSession(options);
    try {
      const query = options.warehouse === null ? {} : { warehouse: options.warehouse };
      const ask: Ask = { method: "GET", path: "config", query, repeatable: true };
      const reply = await session.ask(ask);
      if (reply.status !== 200) throw session.refused(reply, ask);
      const { overrides, defaults, endpoints } = reply.body as {
        readonly overrides?: Readonly<Record<string, string>>;
        readonly defaults?: Readonly<Record<string, string>>;
        readonly endpoints?: readonly string[];
      };
      const prefix = overrides?.["prefix"] ?? defaults?.["prefix"] ?? "";
      return new RestCatalog(session, options, {
        prefix: prefix === "" ? "" : `${prefix}/`,
        isJoint: endpoints === undefined || endpoints.includes(jointCommit),
        givesCredentials: endpoints?.includes(credentialsOnly) === true,
      });
    } catch (fault) {
      session.close();
      throw fault;
    }
  }

  close(): void {
    this.#session.close();
  }

  /** Makes the namespace if it is not there. */
  async createNamespace(namespace: string): Promise<void> {
    const found = await this.#ask({ method: "GET", path: `namespaces/${encodeURIComponent(namespace)}`, repeatable: true }, [200, 404]);
    if (found.status === 200) return;
    await this.#ask({ method: "POST", path: "namespaces", body: { namespace: [namespace], properties: {} }, repeatable: true }, [200, 409]);
  }

  async list(namespace: string): Promise<readonly string[]> {
    const names: string[] = [];
    const path = `namespaces/${encodeURIComponent(namespace)}/tables`;
    for (let pageToken: string | null = ""; pageToken !== null;) {
      const page: RestReply = await this.#ask(
        { method: "GET", path, query: pageToken === "" ? {} : { pageToken }, repeatable: true },
        [200, 404],
      );
      if (page.status === 404) return [];
      const body = page.body as { readonly identifiers?: readonly { readonly name: string }[]; readonly "next-page-token"?: string | null };
      names.push(...(body.identifiers ?? []).map((each) => each.name));
      pageToken = body["next-page-token"] ?? null;
    }
    return names.toSorted();
  }

  async load(table: TableName): Promise<LoadedTable | null> {
    const seen = this.#seen.get(tableKey(table));
    // An answer that nothing has changed brings no keys.
    const isWhole = seen === undefined || seen.etag === null || this.#lacksKeys(seen.table);
    const headers = { ...this.#delegation(), ...(!isWhole && { "if-none-match": seen.etag }) };
    const reply = await this.#ask({ method: "GET", path: pathOf(table), headers, repeatable: true }, [200, 304, 404]);
    if (reply.status === 404) return null;
    if (reply.status === 304 && seen !== undefined) return seen.table;
    const loaded = this.#keep(table, reply);
    this.#vended?.take(vendedGrants(reply.body, loaded.metadata.location), () => this.#freshGrants(loaded));
    return loaded;
  }

  #delegation(): Readonly<Record<string, string>> {
    return this.#vended === null ? {} : { "x-iceberg-access-delegation": "vended-credentials" };
  }

  #lacksKeys({ metadata }: LoadedTable): boolean {
    return this.#vended !== null && this.#vended.prefixOf(`${metadata.location}/`) === null;
  }

  async #freshGrants({ table, metadata }: LoadedTable): Promise<readonly VendedGrant[]> {
    const path = this.#givesCredentials ? `${pathOf(table)}/credentials` : pathOf(table);
    const reply = await this.#ask({ method: "GET", path, headers: this.#delegation(), repeatable: true }, [200]);
    return vendedGrants(reply.body, metadata.location);
  }

  async commit(changes: readonly TableChange[]): Promise<CommitOutcome> {
    const creates = changes.filter((change) => "create" in change);
    if (creates.length > 0 && creates.length < changes.length) throw new Error("a commit makes tables or changes tables, not both");
    await allDone(changes.map((change) => ("base" in change ? change.written?.() : undefined) ?? Promise.resolve()));
    this.#probe("catalog.before-commit");
    const outcome = creates.length > 0 ? await this.#create(creates) : await this.#change(changes as readonly Change[]);
    this.#probe("catalog.after-commit");
    return outcome;
  }

  async #create(changes: readonly { readonly table: TableName; readonly create: TableMetadata }[]): Promise<CommitOutcome> {
    const tables: LoadedTable[] = [];
    for (const [i, { table, create }] of [...changes.entries()].toReversed()) {
      const requirements: readonly Requirement[] = [{ type: "assert-create" }];
      const reply = await this.#post(table, requirements, updatesToCreate(create));
      if (reply.status === 200) {
        const made = this.#keep(table, reply);
        tables.unshift(made);
        // A commit's answer brings no keys.
        if (this.#lacksKeys(made)) await this.load(table);
      } else if (i === 0) return { status: "conflict", message: `${table.namespace}.${table.name}: ${messageOf(reply)}` };
      else {
        // Left by someone who did not get to the first one, or is about to make it.
        const there = await this.load(table);
        if (there === null) throw this.#session.refused(reply, { method: "POST", path: pathOf(table), repeatable: false });
        tables.unshift(there);
      }
    }
    return { status: "committed", tables };
  }

  async #change(changes: readonly Change[]): Promise<CommitOutcome> {
    const [only] = changes;
    if (only !== undefined && changes.length === 1) {
      const { table } = only.base;
      const reply = await this.#post(table, only.requirements, only.updates);
      return reply.status === 200 ? { status: "committed", tables: [this.#keep(table, reply)] } : conflict([table], reply);
    }
    if (!this.#isJoint)
      throw new SluiceError("CATALOG_UNSUPPORTED", `catalog ${this.#session.name} can't change two tables at once (${jointCommit})`);
    const path = "transactions/commit";
    const body = {
      "table-changes": changes.map(({ base, requirements, updates }) => ({ identifier: identifierOf(base.table), requirements, updates })),
    };
    const reply = await this.#ask({ method: "POST", path, body, repeatable: false }, [200, 204, 404, 405, 409, 501]);
    const names = changes.map(({ base }) => base.table);
    if (reply.status === 405 || reply.status === 501 || isUnknownPath(reply)) {
      this.#isJoint = false;
      return { status: "conflict", message: `catalog ${this.#session.name} can't change two tables at once (${jointCommit})` };
    }
    if (reply.status >= 400) return conflict(names, reply);
    return this.#verify(changes, names);
  }

  /** Looks at what a transaction that was accepted has left: some servers accept one and then make half of it, or nothing. */
  async #verify(changes: readonly Change[], names: readonly TableName[]): Promise<CommitOutcome> {
    const tables: LoadedTable[] = [];
    for (const table of names) {
      const loaded = await this.load(table).catch(() => null);
      // What was committed is there, whether or not it can be read this minute.
      if (loaded === null) return { status: "committed", tables: [] };
      tables.push(loaded);
    }
    const missing = names.filter((_, i) => !hasSnapshots((tables[i] as LoadedTable).metadata, (changes[i] as Change).updates));
    if (missing.length === 0) return { status: "committed", tables };
    const listed = missing.map(({ namespace, name }) => `${namespace}.${name}`).join(", ");
    if (missing.length === names.length) return { status: "conflict", message: `${listed}: accepted, and not made` };
    throw new SluiceError(
      "CATALOG_UNSUPPORTED",
      `catalog ${this.#session.name} accepted a transaction, and did not change ${listed} by it`,
    );
  }

  #post(table: TableName, requirements: readonly Requirement[], updates: readonly Update[]): Promise<RestReply> {
    const body = { identifier: identifierOf(table), requirements, updates };
    return this.#ask({ method: "POST", path: pathOf(table), body, repeatable: false }, [200, 404, 409]);
  }

  async #ask(ask: Ask, expected: readonly number[]): Promise<RestReply> {
    const request = { ...ask, path: this.#prefix + ask.path };
    const reply = await this.#session.ask(request);
    if (expected.includes(reply.status)) return reply;
    throw this.#session.refused(reply, request);
  }

  #keep(table: TableName, reply: RestReply): LoadedTable {
    const { "metadata-location": location, metadata } = reply.body as {
      readonly "metadata-location"?: unknown;
      readonly metadata?: unknown;
    };
    if (typeof location !== "string" || metadata === undefined) {
      throw new SluiceError("TABLE_CORRUPT", `catalog ${this.#session.name}: ${table.namespace}.${table.name} came without its metadata`);
    }
    const loaded = { table, metadataLocation: location, metadata: completeMetadata(metadata) };
    this.#seen.set(tableKey(table), { table: loaded, etag: reply.etag });
    return loaded;
  }
}

type Change = Extract<TableChange, { readonly base: LoadedTable }>;

function hasSnapshots(metadata: TableMetadata, updates: readonly Update[]): boolean {
  return updates.every((update) => update.action !== "add-snapshot" || snapshotWithId(metadata, update.snapshot["snapshot-id"]) !== null);
}

function conflict(tables: readonly TableName[], reply: RestReply): CommitOutcome {
  return { status: "conflict", message: `${tables.map(({ namespace, name }) => `${namespace}.${name}`).join(", ")}: ${messageOf(reply)}` };
}

/** A 404 that is not about a table. */
function isUnknownPath(reply: RestReply): boolean {
  const error = (reply.body as { readonly error?: { readonly type?: unknown } } | null | undefined)?.error;
  return reply.status === 404 && !/^NoSuch(Table|Namespace)/.test(String(error?.type));
}
