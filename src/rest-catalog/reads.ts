import type { TableName } from "../adapters/catalog/catalog.ts";
import type { TableMetadata } from "../adapters/iceberg/table-metadata.ts";
import { writeLosslessJson } from "../adapters/iceberg/lossless-json.ts";
import type { Consumption } from "../core/consumption.ts";
import type { CatalogContext } from "./catalog-context.ts";
import type { JsonObject } from "./json-object.ts";
import type { Principal } from "./principal.ts";

/** Who reads, as a request's headers tell. */
export interface Reader {
  readonly principal: Principal;
  readonly userAgent: string | null;
  /** `X-Sluice-Job` and `X-Sluice-Run`: what any Iceberg client can be told to send. */
  readonly job: string | null;
  readonly runId: string | null;
  /** Whether it asks for credentials of the files (specification, `X-Iceberg-Access-Delegation`). */
  readonly wantsKeys: boolean;
}

/** Engines load a table again and again while they plan: the same load within this time is one. */
const sameLoadMs = 60_000;
const rememberedMax = 10_000;
const refsMax = 100;
const textMax = 4000;

function cut(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text;
}

/**
 * Writes what is read to the record of consumption, before it is answered: a version that someone was shown is never missing there. A read that can't
 * be recorded is refused.
 */
export class ReadRecorder {
  readonly #context: CatalogContext;
  /** When each load was last recorded. */
  readonly #recent = new Map<string, number>();

  constructor(context: CatalogContext) {
    this.#context = context;
  }

  /** A reader is shown a table as it is: the version of main, and every branch and tag. */
  async load(table: TableName, metadata: TableMetadata, reader: Reader): Promise<void> {
    const dataset = this.#recordedAs(table, reader);
    const main = metadata.refs["main"]?.["snapshot-id"];
    if (dataset === null || main === undefined) return;
    const refs = Object.entries(metadata.refs).filter(([name]) => name !== "main");
    const shown = refs.slice(0, refsMax).map(([name, ref]) => [name, ref["snapshot-id"].toString()] as const);
    const details = refs.length === 0 ? {} : { refs: JSON.stringify(Object.fromEntries(shown)) };
    const key = JSON.stringify([dataset, `${main}`, details, reader.principal.name, reader.userAgent, reader.job, reader.runId]);
    const nowMs = this.#context.clock.now();
    if (nowMs - (this.#recent.get(key) ?? Number.NEGATIVE_INFINITY) < sameLoadMs) return;
    await this.#record(dataset, main, "load", reader, details);
    this.#recent.delete(key);
    this.#recent.set(key, nowMs);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= rememberedMax) break;
      this.#recent.delete(oldest);
    }
  }

  /** A reader reports that it planned a scan (specification, `ReportMetricsRequest`); reports of commits are no reads. */
  async report(table: TableName, body: JsonObject, reader: Reader): Promise<void> {
    const isScan = body.text("report-type") === "scan-report";
    const snapshotId = isScan ? body.long("snapshot-id") : -1n;
    const dataset = this.#recordedAs(table, reader);
    if (dataset === null || snapshotId === -1n) return;
    const columns = body.has("projected-field-names") ? body.texts("projected-field-names").join(", ") : null;
    const filter = body.has("filter") ? writeLosslessJson(body.value["filter"]) : null;
    await this.#record(dataset, snapshotId, "scan", reader, {
      ...(columns !== null && { columns: cut(columns) }),
      ...(filter !== null && { filter: cut(filter) }),
    });
  }

  /** A worker loads a table to write it. */
  #recordedAs(table: TableName, { principal }: Reader): string | null {
    return principal.scope === "worker" ? null : this.#context.guard.recordedAs(table);
  }

  async #record(
    dataset: string,
    snapshotId: bigint,
    kind: "load" | "scan",
    reader: Reader,
    details: Readonly<Record<string, string>>,
  ): Promise<void> {
    const consumption: Consumption = {
      dataset,
      snapshotId: snapshotId.toString(),
      kind,
      reader: reader.principal.name,
      job: reader.job,
      runId: reader.runId,
      atMs: this.#context.clock.now(),
      details: { ...details, ...(reader.userAgent !== null && { userAgent: cut(reader.userAgent) }) },
    };
    await this.#context.consumption.record([consumption]);
    this.#context.observe({ type: "catalog.read", dataset, kind });
  }
}
