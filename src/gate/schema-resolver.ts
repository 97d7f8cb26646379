import { setTimeout as sleep } from "node:timers/promises";
import { neededSchemas, needsRegistry } from "../codecs/compile-records.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { SchemaRegistry } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas, SchemaId } from "../core/registered-schema.ts";

const none: ResolvedSchemas = new Map();
/** How long a lane waits for a registry at a stretch: its windows must close on time meanwhile. */
const waitMs = 250;

/** Throws CONFIG_INVALID where a contract's records are framed and there is no registry to ask. */
export function checkRegistry(contract: Contract, registry: SchemaRegistry | null): void {
  if (registry !== null || !needsRegistry(contract)) return;
  const message = `the records of ${contract.dataset} name their schemas, and no schema registry is configured`;
  throw new SluiceError("CONFIG_INVALID", `${message}: set \`registry.url\`, or give \`sluice check\` a \`--registry\``);
}

/** The registered schemas that records name, all of them. Rejects with REGISTRY_UNAVAILABLE or REGISTRY_REFUSED. */
export async function resolveSchemas(
  contract: Contract,
  runs: readonly Records[],
  registry: SchemaRegistry | null,
): Promise<ResolvedSchemas> {
  if (!needsRegistry(contract)) return none;
  const needed = new Set<SchemaId>();
  for (const records of runs) for (const id of neededSchemas(contract, records)) needed.add(id);
  checkRegistry(contract, registry);
  return new Map(await Promise.all([...needed].map(async (id) => [id, await (registry as SchemaRegistry).schema(id)] as const)));
}

/**
 * Resolves the schemas of a lane's next records before they are judged, without holding the lane up: while the registry is away, records wait in their queue (and
 * so, by backpressure, in the topic), and whatever else the lane has to do gets its turn.
 */
export class SchemaResolver {
  readonly #registry: SchemaRegistry | null;
  readonly #trouble: (error: SluiceError | null) => void;
  /** What was told last; null: that all is well. */
  #told: string | null = null;

  /** `trouble` is told of each fault that is waited out, and of null when the registry answers again. */
  constructor(registry: SchemaRegistry | null, trouble: (error: SluiceError | null) => void) {
    this.#registry = registry;
    this.#trouble = trouble;
  }

  /** The schemas that records name; null, after a short wait, where they are not known yet. */
  async resolve(contract: Contract, runs: readonly Records[]): Promise<ResolvedSchemas | null> {
    if (!needsRegistry(contract)) return none;
    const asked = resolveSchemas(contract, runs, this.#registry);
    try {
      const found = await Promise.race([asked, sleep(waitMs, null)]);
      if (found !== null) this.#tell(null);
      // The registry goes on asking; the next call joins in.
      asked.catch(() => undefined);
      return found;
    } catch (error) {
      if (!(error instanceof SluiceError) || !error.retryable) throw error;
      this.#tell(error);
      await sleep(waitMs);
      return null;
    }
  }

  /** Once for each change: the registry is asked several times a second. */
  #tell(error: SluiceError | null): void {
    const said = error === null ? null : error.message;
    if (said === this.#told) return;
    this.#told = said;
    this.#trouble(error);
  }
}
