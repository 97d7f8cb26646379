import { createHash } from "node:crypto";
import type { TableName } from "../adapters/catalog/catalog.ts";
import { tableFolders, uriOfPath } from "../adapters/iceberg/storage-path.ts";
import type { CatalogContext } from "./catalog-context.ts";
import type { KeyWish, SessionKeys } from "./key-maker.ts";
import { levelsOf } from "./names.ts";
import { includes } from "./principal.ts";
import type { Principal, S3Keys } from "./principal.ts";
import type { Reader } from "./reads.ts";

/** How a client reaches a table's files (specification, `config` and `storage-credentials` of `LoadTableResult`). */
export interface FileAccess {
  readonly config: Readonly<Record<string, string>>;
  readonly credentials: readonly { readonly prefix: string; readonly config: Readonly<Record<string, string>> }[];
}

/** The table that keys are for: where its files are, and the name that fresh ones are asked under. */
interface Reached {
  readonly table: TableName;
  readonly location: string;
}

interface Cached {
  readonly keys: Promise<SessionKeys>;
  renewAtMs: number;
}

const cachedMax = 1000;

function isSession(keys: S3Keys | SessionKeys): keys is SessionKeys {
  return "sessionToken" in keys;
}

function propertiesOf(keys: S3Keys | SessionKeys): Record<string, string> {
  return {
    "s3.access-key-id": keys.accessKeyId,
    "s3.secret-access-key": keys.secretAccessKey,
    ...(isSession(keys) && { "s3.session-token": keys.sessionToken, "s3.session-token-expires-at-ms": String(keys.endsAtMs) }),
  };
}

function isWorker({ scope }: Principal): boolean {
  return scope === "worker";
}

/** What keys are said to be for. Java's client takes one set of keys for S3 and refuses several; a worker holds keys of many tables, none of which may stand for all. */
function prefixesOf({ folders }: KeyWish, { principal }: Reader): readonly string[] {
  return folders.length > 1 && !isWorker(principal) ? ["s3://"] : folders.map((folder) => `${folder}/`);
}

/** Where a client asks for fresh keys, below what stands before `/v1`. */
function refreshPath({ namespace, name }: TableName): string {
  const levels = levelsOf(namespace).map(encodeURIComponent).join("%1F");
  return `v1/namespaces/${levels}/tables/${encodeURIComponent(name)}/credentials`;
}

/** Hands out what clients reach files with: keys that stand with their token, or keys made for them, to those only that ask. */
export class KeyDesk {
  readonly #context: Pick<CatalogContext, "storage" | "guard" | "clock" | "clientProperties" | "makeKeys">;
  /** Keys that were made, while they have more than half their life before them. */
  readonly #cached = new Map<string, Cached>();

  constructor(context: Pick<CatalogContext, "storage" | "guard" | "clock" | "clientProperties" | "makeKeys">) {
    this.#context = context;
  }

  /** Whether what a client is answered has keys that were made for it: these change though the table does not. */
  givesSessions({ principal, wantsKeys }: Reader): boolean {
    return wantsKeys && principal.s3Keys === null && principal.isKnown && (this.#context.makeKeys ?? null) !== null;
  }

  /** What a client reaches a table's files with. Rejects with STORAGE_* where keys for it can't be made. */
  async accessTo(reached: Reached, reader: Reader): Promise<FileAccess> {
    const { clientProperties } = this.#context;
    const own = reader.wantsKeys ? reader.principal.s3Keys : null;
    if (own === null && !this.givesSessions(reader)) return { config: clientProperties, credentials: [] };
    const wish = this.#wishOf(reached, reader);
    const keys = own ?? (await this.#made(wish));
    const properties = propertiesOf(keys);
    return {
      config: {
        ...clientProperties,
        ...properties,
        ...(isSession(keys) && { "client.refresh-credentials-endpoint": refreshPath(reached.table) }),
      },
      credentials: prefixesOf(wish, reader).map((prefix) => ({ prefix, config: properties })),
    };
  }

  /** Keys that stand with a worker's token are cut to nothing, and serve it in the whole warehouse. */
  #foldersOf({ location }: Reached, principal: Principal): readonly string[] {
    const { storage } = this.#context;
    const { root, archives = [] } = storage;
    const all =
      isWorker(principal) && principal.s3Keys !== null
        ? [root, ...archives.map((each) => each.root)]
        : tableFolders(storage, location).map((path) => uriOfPath(storage, path));
    return all.filter((uri, index) => index === 0 || uri.startsWith("s3:"));
  }

  #wishOf(reached: Reached, { principal }: Reader): KeyWish {
    const { guard } = this.#context;
    return {
      name: principal.name,
      folders: this.#foldersOf(reached, principal),
      mayWrite: includes(principal.scope, "write"),
      mayDelete: includes(principal.scope, guard.recordedAs(reached.table) === null ? "write" : "admin"),
      // Maintenance and erasure ask whether files are gone.
      mayListAll: isWorker(principal),
    };
  }

  #made(wish: KeyWish): Promise<SessionKeys> {
    const { makeKeys = null, clock } = this.#context;
    if (makeKeys === null) throw new Error("this server makes no keys");
    const name = JSON.stringify(wish);
    const known = this.#cached.get(name);
    if (known !== undefined && clock.now() < known.renewAtMs) return known.keys;
    const keys = makeKeys(wish);
    const cached: Cached = { keys, renewAtMs: Number.POSITIVE_INFINITY };
    this.#cached.delete(name);
    this.#cached.set(name, cached);
    const nowMs = clock.now();
    keys.then(
      ({ endsAtMs }) => (cached.renewAtMs = nowMs + (endsAtMs - nowMs) / 2),
      () => this.#cached.get(name) === cached && this.#cached.delete(name),
    );
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= cachedMax) break;
      this.#cached.delete(oldest);
    }
    return keys;
  }
}

/** The ETag of an answer about a table or view. A metadata file never changes: its name, and who asks, say all that the answer depends on. */
export function answerEtag(access: FileAccess, location: string, mode: string): string {
  const text = `${mode}\n${location}\n${JSON.stringify(access)}`;
  return `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
}
