import { SluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { S3Credentials } from "./s3-storage.ts";

/** Keys that a catalog has handed out, and the prefix of URIs (`s3://...`) that they are for. */
export interface VendedGrant {
  readonly prefix: string;
  readonly keys: S3Credentials;
}

/** Asks the catalog for fresh keys of what it has given keys for before. Rejects with CATALOG_*. */
export type Renewal = () => Promise<readonly VendedGrant[]>;

interface Held {
  readonly keys: S3Credentials;
  /** When fresh ones are asked for, in ms since the epoch; Infinity for keys that do not end. */
  readonly renewAtMs: number;
  readonly renew: Renewal;
}

/** Keys are renewed this long before they end, or at half their life: the S3 client asks again five minutes before. */
const renewBeforeMs = 5 * 60_000;
/** After a renewal that failed, keys that still hold are used so long before the next. */
const renewAgainMs = 10_000;

function normal(uri: string): string {
  return uri.replace(/^s3[an]:/, "s3:");
}

/** Whether a URI lies below a prefix: servers leave out the slash at a folder's end, and `.../ab` is not in `.../a`. */
function isBelow(uri: string, prefix: string): boolean {
  if (!uri.startsWith(prefix)) return false;
  const isWhole = prefix === "s3" || prefix.endsWith("/") || uri.length === prefix.length;
  return isWhole || uri[prefix.length] === "/";
}

/** The keys that catalogs have handed out to this process, kept fresh. They are held in memory only, and in no message. */
export class VendedKeys {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #renewals = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes keys that were just handed out; those that stood at the same prefixes give way. */
  take(grants: readonly VendedGrant[], renew: Renewal): void {
    const nowMs = this.#clock.now();
    for (const { prefix, keys } of grants) {
      const lifeMs = keys.expiration === undefined ? Number.POSITIVE_INFINITY : keys.expiration.getTime() - nowMs;
      const renewAtMs = nowMs + Math.max(lifeMs - renewBeforeMs, lifeMs / 2);
      this.#held.set(normal(prefix), { keys, renewAtMs, renew });
    }
  }

  /** The longest prefix of a URI that keys were handed out for; null: none, and the lake's own keys count. */
  prefixOf(uri: string): string | null {
    const wanted = normal(uri);
    let longest: string | null = null;
    for (const prefix of this.#held.keys()) {
      if (isBelow(wanted, prefix) && prefix.length > (longest?.length ?? -1)) longest = prefix;
    }
    return longest;
  }

  /** The keys of a prefix, renewed first where they are about to end. Rejects with CATALOG_* where they have ended and no others are given. */
  async keysOf(prefix: string): Promise<S3Credentials> {
    const held = this.#heldOf(prefix);
    if (this.#clock.now() < held.renewAtMs) return this.#lent(held.keys);
    let renewal = this.#renewals.get(prefix);
    if (renewal === undefined) {
      renewal = this.#renew(prefix, held).finally(() => this.#renewals.delete(prefix));
      this.#renewals.set(prefix, renewal);
    }
    await renewal;
    return this.#lent(this.#heldOf(prefix).keys);
  }

  /** The S3 client keeps keys without an end for good, also once the catalog hands out others. */
  #lent(keys: S3Credentials): S3Credentials {
    return keys.expiration === undefined ? { ...keys, expiration: new Date(this.#clock.now() + renewAgainMs) } : keys;
  }

  #heldOf(prefix: string): Held {
    const held = this.#held.get(prefix);
    if (held === undefined) throw new Error(`no keys were handed out for ${prefix}`);
    return held;
  }

  async #renew(prefix: string, held: Held): Promise<void> {
    const endsAtMs = held.keys.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    try {
      this.take(await held.renew(), held.renew);
      if (this.#heldOf(prefix) !== held) return;
      throw new SluiceError("CATALOG_REFUSED", `the catalog hands out no keys for ${prefix} any more`);
    } catch (fault) {
      const nowMs = this.#clock.now();
      if (!(fault instanceof SluiceError) || nowMs >= endsAtMs) throw fault;
      this.#held.set(prefix, { ...held, renewAtMs: Math.min(nowMs + renewAgainMs, endsAtMs) });
    }
  }
}
