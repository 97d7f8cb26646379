import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type { SchemaRegistry } from "../../core/ports.ts";
import type { SchemaAnswer, SchemaId } from "../../core/registered-schema.ts";
import { RegistryRequests } from "./registry-request.ts";
import type { RegistryAddress } from "./registry-request.ts";
import { readSchema } from "./schema-reader.ts";

export interface SchemaRegistryOptions extends RegistryAddress {
  readonly now: () => number;
  /** Between 0 and 1: spreads the retries of many workers. */
  readonly random: () => number;
  /** Schemas that are kept; the one not used for longest goes first. Default 1,000. */
  readonly cachedMax?: number;
  /** An unknown id is asked for again after this, for a registry's replicas may lag behind it. Default 1 s, then it counts as unknown for a minute. */
  readonly confirmMs?: number;
}

const attemptsMax = 3;
const backoffMs = 200;
const unknownForMs = 60_000;

/** A client of a schema registry with Confluent's API (Confluent's own, Apicurio's `ccompat`, Karapace, Redpanda). */
export function createSchemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  return new CachedRegistry(options);
}

class CachedRegistry implements SchemaRegistry {
  readonly #options: SchemaRegistryOptions;
  readonly #requests: RegistryRequests;
  /** In order of use. */
  readonly #known = new Map<SchemaId, { readonly answer: SchemaAnswer; readonly untilMs: number }>();
  /** One request an id, however many ask. */
  readonly #asking = new Map<SchemaId, Promise<SchemaAnswer>>();
  readonly #closed = new AbortController();

  constructor(options: SchemaRegistryOptions) {
    this.#options = options;
    this.#requests = new RegistryRequests(options);
  }

  schema(id: SchemaId): Promise<SchemaAnswer> {
    const known = this.#known.get(id);
    if (known !== undefined && this.#options.now() < known.untilMs) {
      this.#known.delete(id);
      this.#known.set(id, known);
      return Promise.resolve(known.answer);
    }
    let asking = this.#asking.get(id);
    if (asking === undefined) {
      asking = this.#ask(id).finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return asking;
  }

  close(): Promise<void> {
    this.#closed.abort();
    this.#requests.close();
    return Promise.resolve();
  }

  async #ask(id: SchemaId): Promise<SchemaAnswer> {
    let answer = await this.#persistently(id);
    if (!answer.found && answer.fault === "unknown") {
      await this.#wait(this.#options.confirmMs ?? 1000);
      answer = await this.#persistently(id);
    }
    this.#remember(id, answer);
    return answer;
  }

  /** A few quick attempts; who asks waits out what lasts longer. */
  async #persistently(id: SchemaId): Promise<SchemaAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await readSchema(this.#requests, id);
      } catch (fault) {
        if (!(fault instanceof SluiceError) || fault.code !== "REGISTRY_UNAVAILABLE" || attempt >= attemptsMax) throw fault;
        await this.#wait(backoffMs * 2 ** (attempt - 1) * (0.5 + this.#options.random()));
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#closed.signal });
    } catch (cause) {
      throw new SluiceError("REGISTRY_UNAVAILABLE", "the connection to the schema registry was closed", { cause });
    }
  }

  #remember(id: SchemaId, answer: SchemaAnswer): void {
    const untilMs = answer.found ? Number.POSITIVE_INFINITY : this.#options.now() + unknownForMs;
    this.#known.set(id, { answer, untilMs });
    const max = this.#options.cachedMax ?? 1000;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= max) break;
      this.#known.delete(oldest);
    }
  }
}
