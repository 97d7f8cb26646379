import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openParquetFile } from "../../../src/parquet/parquet-file.ts";
import { schemaOfContract } from "../../../src/adapters/iceberg/table-schema.ts";
import type { LakeCatalogPlace } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import type { StoragePlace } from "../../../src/adapters/storage/open-storage.ts";
import type { LakeOptions } from "../../../src/adapters/lake/lake.ts";
import { createLake } from "../../../src/adapters/lake/lake.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Decision, Verdict } from "../../../src/core/decision.ts";
import type { EncodedFile } from "../../../src/core/encoded-file.ts";
import type { Lake, QuarantinedRecord, WindowCommit } from "../../../src/core/ports.ts";
import type { PartitionKey } from "../../../src/core/position.ts";
import type { Reason } from "../../../src/core/rule.ts";
import type { IcebergSchema } from "../../../src/core/table-schema.ts";
import type { FileLayout } from "../../../src/core/table-layout.ts";
import { plainLayout } from "../../../src/core/table-layout.ts";
import { openWindowFiles } from "../../../src/gate/window-files.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { makeDecision } from "../../fixtures/decision.ts";

/** A folder of one test, removed by `dispose`. */
export function scratchFolder(): { readonly folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), "sluice-lake-"));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Where the lake of a folder is, for other processes too: in it, unless `moveLake` has put its files or its catalog elsewhere. */
export function placeIn(folder: string): StoragePlace & LakeCatalogPlace {
  const elsewhere = join(folder, "place.json");
  const place = existsSync(elsewhere) ? (JSON.parse(readFileSync(elsewhere, "utf8")) as Partial<StoragePlace & LakeCatalogPlace>) : {};
  return { folder, catalog: join(folder, "catalog.db"), namespace: "db", ...place };
}

export function moveLake(folder: string, place: Partial<StoragePlace & LakeCatalogPlace>): void {
  writeFileSync(join(folder, "place.json"), JSON.stringify(place));
}

export function openLake(folder: string, options: Partial<LakeOptions> = {}): Promise<Lake> {
  return createLake({ ...placeIn(folder), clock: { now: () => Date.now() }, ...options });
}

/** The contract of `orders`: a number `n` and a text `s`. */
export const contract: Contract = {
  ...makeContract({ n: { type: "long", required: true }, s: { type: "string" } }),
  dataset: "orders",
  topic: "orders",
  hash: "sha256:v1",
  text: "the first contract",
};

export const partitions: readonly PartitionKey[] = [0, 1, 2, 3].map((partition) => ({ topic: "orders", topicId: "topic-a", partition }));

export const badValue: Reason = {
  rule: "n.range",
  family: "range",
  column: "n",
  severity: "error",
  message: "n is too large",
  observed: "12345678901234567890",
  limit: "9",
};

export interface WindowSketch {
  readonly id: string;
  readonly partition?: number;
  readonly from: bigint;
  /** Values of the rows, in offset order; an odd-looking value is no problem: who is rejected says `rejected`. */
  readonly values: readonly (string | Uint8Array)[];
  /** Rows (by index) that go to quarantine. */
  readonly rejected?: readonly number[];
  readonly verdict?: Verdict;
  readonly contract?: Contract;
  /** The table's; without: as `contract` creates it. */
  readonly schema?: IcebergSchema;
  readonly layout?: FileLayout;
}

/** Rows of a batch as data files of a table with this schema and layout. */
export function encode(batch: Batch, rows: Uint32Array, schema: IcebergSchema, layout: FileLayout = plainLayout): EncodedFile[] {
  const files = openWindowFiles({ schema, layout, openFile: (into) => openParquetFile({ schema: into }) });
  if (rows.length > 0) files.append(batch, rows);
  return files.finish(() => {});
}

export function row(n: number, s = `s${n}`): string {
  return JSON.stringify({ n, s });
}

/** A window of one partition as the gate would hand it over. */
export function makeWindow(sketch: WindowSketch): WindowCommit {
  const judged = sketch.contract ?? contract;
  const key = partitions[sketch.partition ?? 0] as PartitionKey;
  const records = { ...makeRecords(sketch.values, [], Number(sketch.from)), partitions: [key] };
  const batch = jsonCodec.compile(judged)(records);
  const rejected = sketch.rejected ?? [];
  const rows = Uint32Array.from(sketch.values.keys()).filter((each) => !rejected.includes(each));
  const to = sketch.from + BigInt(sketch.values.length);
  const verdict = sketch.verdict ?? (rejected.length > 0 ? "promote-and-quarantine-rows" : "promote");
  const held = verdict === "hold";
  const decision: Decision = makeDecision({
    dataset: judged.dataset,
    windowId: sketch.id,
    contract: { id: judged.id, version: judged.version, hash: judged.hash },
    ranges: [{ ...key, from: sketch.from, to, count: sketch.values.length }],
    counts: {
      records: sketch.values.length,
      promoted: held ? 0 : rows.length,
      quarantined: held ? 0 : rejected.length,
      held: held ? sketch.values.length : 0,
      skipped: { tombstone: 0, late: 0 },
    },
    profile: { rows: rows.length, hash: null, columns: [] },
    verdict,
    causes: held ? [{ kind: "drift", subject: "n", message: "n drifted" }] : [],
    closedAtMs: 1_700_000_010_000 + Number(sketch.from),
  });
  return {
    contract: judged,
    decision,
    profile: null,
    from: [{ ...key, next: sketch.from }],
    to: [{ ...key, next: to }],
    supersedes: [],
    passed: encode(batch, rows, sketch.schema ?? schemaOfContract(judged, null).schema, sketch.layout),
    raw: held && rows.length > 0 ? [{ records, rows }] : [],
    rejected: rejected.map((each) => ({ records, row: each, reasons: [badValue] })),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function textOf(record: QuarantinedRecord): string {
  return Buffer.from(record.value ?? new Uint8Array()).toString("utf8");
}

/** A lake with the contract active and every partition at 0. */
export function startedLake(folder: string, options: Partial<LakeOptions> = {}): Promise<Lake> {
  return startedWith(folder, contract, options);
}

/** The same under another contract of `orders`. */
export async function startedWith(folder: string, other: Contract, options: Partial<LakeOptions> = {}): Promise<Lake> {
  const lake = await openLake(folder, options);
  await lake.activate(other);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return lake;
}

/** Commits values as the next window of partition 0, under the table's schema and layout as they are; answers its id. */
export async function commitNext(
  lake: Lake,
  other: Contract,
  values: readonly string[],
  sketch: Partial<Parameters<typeof makeWindow>[0]> = {},
): Promise<string> {
  const { schema, layout, positions } = await lake.state("orders");
  const from = positions[0]?.next ?? 0n;
  const window = makeWindow({ id: `w${from}`, from, values, contract: other, schema, layout, ...sketch });
  const result = await lake.commitWindow(window);
  if (result.status !== "committed") throw new Error(`window ${window.decision.windowId} is ${result.status}`);
  return window.decision.windowId;
}
