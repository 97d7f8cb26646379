import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import avsc from "avsc";

export interface Snapshot {
  readonly id: string;
  readonly parent: string | null;
  readonly sequence: number;
  readonly manifestList: string;
  readonly summary: Record<string, string>;
}

export interface Table {
  /** The warehouse's folder. */
  readonly root: string;
  readonly properties: Record<string, string>;
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly refs: Record<string, string>;
}

/** A file that is live in a snapshot. */
interface LiveFile {
  readonly path: string;
  readonly addedIn: string;
  /** Its data sequence number. */
  readonly sequence: number;
  /** Spec and values as one text. */
  readonly partition: string;
}

export type DataFile = LiveFile;

/** A file by which another program deleted rows. */
export interface DeleteFile extends LiveFile {
  readonly content: "positions" | "equality";
  /** Whether it is of no partition, and so about all. */
  readonly isEverywhere: boolean;
  /** The one data file that it is about, where it says so. */
  readonly referenced: string | null;
  /** Where a deletion vector lies in its Puffin file; null: it is Parquet. */
  readonly vector: { readonly offset: number; readonly length: number } | null;
  readonly equalityIds: readonly number[];
}

const long = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** The file behind a location. */
export function localPath(uri: string): string {
  return uri.startsWith("file:") ? fileURLToPath(uri.replace(/^file:\/(?!\/)/, "file:///")) : uri;
}

/** avsc's type of a schema, with longs as bigint. */
export function avroType(schema: unknown): avsc.Type {
  return avsc.Type.forSchema(schema as never, { typeHook: (each: unknown) => (isLong(each) ? long : undefined), wrapUnions: false });
}

/** Reads an Avro container file with avsc, longs as bigint. */
async function readAvro(path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  const decoder = new avsc.streams.BlockDecoder({
    parseHook: (schema) => avroType(schema),
  });
  const over = Promise.withResolvers<void>();
  decoder.on("data", (row: Record<string, unknown>) => rows.push(row));
  decoder.on("end", () => over.resolve());
  decoder.on("error", (error) => over.reject(error));
  decoder.end(readFileSync(localPath(path)));
  await over.promise;
  return rows;
}

function isLong(schema: unknown): boolean {
  return schema === "long" || (typeof schema === "object" && schema !== null && "type" in schema && schema.type === "long");
}

/** Tables of a catalog database, by `namespace.table`. */
export function catalogTables(catalogFile: string): Map<string, string> {
  const database = new DatabaseSync(catalogFile, { readOnly: true, timeout: 10_000 });
  const rows = database.prepare("SELECT table_namespace AS n, table_name AS t, metadata_location AS l FROM iceberg_tables").all();
  database.close();
  return new Map(rows.map((row) => [`${String(row["n"])}.${String(row["t"])}`, String(row["l"])]));
}

/** Reads table metadata; ids as text, because they do not fit a double. */
export function readTable(location: string): Table {
  const text = readFileSync(localPath(location), "utf8");
  const raw = JSON.parse(text, ((_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && context.source !== undefined ? context.source : value) as never) as {
    properties?: Record<string, string>;
    snapshots?: Record<string, unknown>[];
    refs?: Record<string, { "snapshot-id": string | number }>;
  };
  const snapshots = new Map<string, Snapshot>();
  for (const each of raw.snapshots ?? []) {
    const id = String(each["snapshot-id"]);
    const parent = each["parent-snapshot-id"];
    snapshots.set(id, {
      id,
      parent: typeof parent === "string" || typeof parent === "number" ? String(parent) : null,
      sequence: Number(each["sequence-number"]),
      manifestList: String(each["manifest-list"]),
      summary: each["summary"] as Record<string, string>,
    });
  }
  const refs = Object.fromEntries(Object.entries(raw.refs ?? {}).map(([name, ref]) => [name, String(ref["snapshot-id"])]));
  return { root: resolve(dirname(localPath(location)), "../../.."), properties: raw.properties ?? {}, snapshots, refs };
}

/** A content of the warehouse, by its hash. */
function readContent(table: Table, kind: string, hash: string): unknown {
  const path = join(table.root, "content", kind, hash.slice(0, 2), hash);
  const bytes = existsSync(path) ? readFileSync(path) : zstdDecompressSync(readFileSync(`${path}.zst`));
  return JSON.parse(bytes.toString());
}

/** What snapshots said that have expired. */
export function expiredSummaries(table: Table): Record<string, string>[] {
  const segments = JSON.parse(table.properties["sluice.ledger"] ?? "[]") as { hash: string }[];
  return segments.flatMap(({ hash }) =>
    (readContent(table, "ledger", hash) as { entries: { summary: Record<string, string> }[] }).entries.map((each) => each.summary),
  );
}

/** Records that were erased on request, as `partition:offset`. */
export function erasedIds(table: Table): Set<string> {
  const hashes = JSON.parse(table.properties["sluice.erasures"] ?? "[]") as string[];
  const ids = hashes.flatMap((hash) => (readContent(table, "erasure", hash) as { erased: string[] }).erased);
  return new Set(ids.map((id) => id.split(":").slice(-2).join(":")));
}

/** Records whose rows retention took off main, as `partition:offset`: those that are nowhere else have expired. */
export function retiredIds(table: Table): Set<string> {
  const ids = new Set<string>();
  for (const summary of [...[...table.snapshots.values()].map((each) => each.summary), ...expiredSummaries(table)]) {
    if (summary["sluice.change"] !== "retain") continue;
    const { record } = JSON.parse(summary["sluice.detail"] ?? "{}") as { record: string };
    const { positions } = readContent(table, "retention", record) as { positions: Record<string, [string, string][]> };
    for (const [partition, ranges] of Object.entries(positions)) {
      const number = partition.split(":").at(-1);
      for (const [first, last] of ranges) for (let offset = BigInt(first); offset <= BigInt(last); offset++) ids.add(`${number}:${offset}`);
    }
  }
  return ids;
}

/** The snapshots from a ref back to the first, newest first. */
export function ancestry(table: Table, ref: string): Snapshot[] {
  const chain: Snapshot[] = [];
  let id: string | null = table.refs[ref] ?? null;
  while (id !== null) {
    const snapshot = table.snapshots.get(id);
    if (snapshot === undefined) break;
    chain.push(snapshot);
    id = snapshot.parent;
  }
  return chain;
}

interface Entry extends LiveFile {
  readonly file: Readonly<Record<string, unknown>>;
}

async function liveEntries(snapshot: Snapshot, content: 0 | 1): Promise<Entry[]> {
  const files: Entry[] = [];
  for (const manifest of await readAvro(snapshot.manifestList)) {
    if (manifest["content"] !== content) continue;
    for (const entry of await readAvro(String(manifest["manifest_path"]))) {
      if (entry["status"] === 2) continue;
      const file = entry["data_file"] as Record<string, unknown>;
      const sequence = (entry["sequence_number"] as bigint | null) ?? (manifest["sequence_number"] as bigint);
      const addedIn = String((entry["snapshot_id"] as bigint | null) ?? snapshot.id);
      const values = JSON.stringify(file["partition"] ?? {}, (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
      const partition = `${Number(manifest["partition_spec_id"])} ${values}`;
      files.push({ path: localPath(String(file["file_path"])), addedIn, sequence: Number(sequence), partition, file });
    }
  }
  return files;
}

/** Data files that are live in a snapshot, with the snapshot that added each. */
export async function liveFiles(snapshot: Snapshot): Promise<DataFile[]> {
  return (await liveEntries(snapshot, 0)).map(({ file: _file, ...each }) => each);
}

/** Delete files that are live in a snapshot. */
export async function deleteFiles(snapshot: Snapshot): Promise<DeleteFile[]> {
  return (await liveEntries(snapshot, 1)).map(({ file, ...each }) => {
    const referenced = (file["referenced_data_file"] ?? null) as string | null;
    const isVector = String(file["file_format"]).toUpperCase() === "PUFFIN";
    return {
      ...each,
      content: file["content"] === 2 ? "equality" : "positions",
      isEverywhere: Object.keys(file["partition"] ?? {}).length === 0,
      referenced: referenced === null ? null : localPath(referenced),
      vector: isVector ? { offset: Number(file["content_offset"]), length: Number(file["content_size_in_bytes"]) } : null,
      equalityIds: (file["equality_ids"] ?? []) as number[],
    };
  });
}
