import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { parquetMetadataAsync } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeQuarantineFile } from "../../../src/adapters/iceberg/parquet-quarantine-file.ts";
import type { StoredQuarantineRow } from "../../../src/adapters/iceberg/parquet-quarantine-reader.ts";
import { readQuarantineFile } from "../../../src/adapters/iceberg/parquet-quarantine-reader.ts";
import type { QuarantineRow } from "../../../src/adapters/iceberg/quarantine-schema.ts";
import { quarantineSchema } from "../../../src/adapters/iceberg/quarantine-schema.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { encodeHeaders } from "../../../src/core/headers.ts";
import type { QuarantineState } from "../../../src/core/ports.ts";
import type { Header, Records } from "../../../src/core/records.ts";
import { allocateRecords } from "../../../src/core/records.ts";
import type { Reason } from "../../../src/core/rule.ts";
import type { Storage } from "../../../src/core/storage.ts";

let folder = "";
let storage: Storage;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-quarantine-"));
  storage = createLocalStorage(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Message {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headersRaw: Uint8Array;
  readonly timestampMs: bigint;
  readonly timestampType: number;
}

function recordsOf(messages: readonly Message[]): Records {
  const slab = Buffer.concat(
    messages.flatMap(({ key, value, headersRaw }) => [key ?? Buffer.alloc(0), value ?? Buffer.alloc(0), headersRaw]),
  );
  const records = allocateRecords(messages.length, slab, [{ topic: "flights", topicId: "AAAA-b_c", partition: 7 }]);
  let at = 0;
  for (const [row, { key, value, headersRaw, timestampMs, timestampType }] of messages.entries()) {
    records.offsets[row] = 1000n + BigInt(row) * 3n;
    records.timestamps[row] = timestampMs;
    records.timestampTypes[row] = timestampType;
    for (const [part, bytes] of [
      ["key", key],
      ["value", value],
      ["headers", headersRaw],
    ] as const) {
      records[`${part}Start`][row] = at;
      records[`${part}Length`][row] = bytes?.length ?? -1;
      at += bytes?.length ?? 0;
    }
  }
  return records;
}

const bytes = fc.option(fc.uint8Array({ maxLength: 60 }), { freq: 4 });
const headerList = fc.array(
  fc.record({ key: fc.oneof(fc.constantFrom("a", "\ufeffa", ""), fc.string({ unit: "binary" })), value: bytes }),
  { maxLength: 4 },
);
const message: fc.Arbitrary<Message & { headers: readonly Header[] }> = fc
  .record({
    key: bytes,
    value: bytes,
    headers: headerList,
    timestampMs: fc.oneof(fc.constant(-1n), fc.bigInt({ min: 0n, max: 4_000_000_000_000n })),
    timestampType: fc.constantFrom(0, 1, 2),
  })
  .map((of) => ({ ...of, headersRaw: encodeHeaders(of.headers) }));
const text = fc.string({ unit: "binary", maxLength: 30 });
const reason: fc.Arbitrary<Reason> = fc.record({
  rule: text,
  family: text,
  column: fc.option(text),
  severity: fc.constantFrom("error", "warning"),
  message: text,
  observed: fc.option(text),
  limit: fc.option(text),
});
const judgement = fc.record({
  reasons: fc.array(reason, { maxLength: 4 }),
  contractHash: text,
  decisionHash: text,
  windowId: text,
  attempt: fc.nat(1000),
  state: fc.constantFrom<QuarantineState>("open", "promoted", "parked", "discarded"),
  quarantinedAtMs: fc.nat({ max: 4_000_000_000_000 }),
});

async function readAll(path: string): Promise<StoredQuarantineRow[]> {
  const rows: StoredQuarantineRow[] = [];
  for await (const row of readQuarantineFile(storage, path)) rows.push(row);
  return rows;
}

const hex = (of: Uint8Array | null): string | null => (of === null ? null : Buffer.from(of).toString("hex"));

test("records come back byte for byte: null apart from empty, headers in order with duplicates, every reason", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(message, judgement), { minLength: 1, maxLength: 20 }), async (list) => {
      const records = recordsOf(list.map(([of]) => of));
      const rows = list.map(([, judged], row): QuarantineRow => ({ records, row, ...judged }));
      const path = `q/${files++}.parquet`;
      const file = await writeQuarantineFile({ storage, path, rows });
      expect(file).toMatchObject({ path, recordCount: list.length, fileSizeBytes: statSync(join(folder, path)).size });
      const got = await readAll(path);
      expect(
        got.map((row) => ({
          ...row,
          key: hex(row.key),
          value: hex(row.value),
          headersRaw: hex(row.headersRaw),
          headers: row.headers.map((of) => [of.key, hex(of.value)]),
        })),
      ).toEqual(
        list.map(([of, judged], row) => ({
          id: `AAAA-b_c:7:${1000 + row * 3}`,
          topic: "flights",
          topicId: "AAAA-b_c",
          partition: 7,
          offset: 1000n + BigInt(row) * 3n,
          timestampMs: of.timestampMs,
          timestampType: of.timestampType,
          key: hex(of.key),
          value: hex(of.value),
          headers: of.headers.map((header) => [header.key, hex(header.value)]),
          headersRaw: of.headersRaw.length === 0 ? null : hex(of.headersRaw),
          ...judged,
        })),
      );
      expect(file?.nullValueCounts.get(8)).toBe(list.filter(([of]) => of.value === null).length);
      expect(Buffer.from(file?.lowerBounds.get(4) as Uint8Array).readBigInt64LE()).toBe(1000n);
      expect(Buffer.from(file?.upperBounds.get(15) as Uint8Array).readInt32LE()).toBe(
        Math.max(...list.map(([, judged]) => judged.attempt)),
      );
      const states = list.map(([, judged]) => judged.state).toSorted();
      expect(Buffer.from(file?.lowerBounds.get(16) as Uint8Array).toString()).toBe(states[0]);
      expect(Buffer.from(file?.upperBounds.get(16) as Uint8Array).toString()).toBe(states.at(-1));
    }),
    { numRuns: 100 },
  );
});

const plain: Omit<QuarantineRow, "records" | "row"> = {
  reasons: [{ rule: "undecodable", family: "decode", column: null, severity: "error", message: "no JSON", observed: null, limit: null }],
  contractHash: "sha256:c",
  decisionHash: "sha256:d",
  windowId: "w",
  attempt: 0,
  state: "open",
  quarantinedAtMs: 1,
};
const messageOf = (value: Uint8Array, headersRaw: Uint8Array = new Uint8Array(0)): Message => ({
  key: null,
  value,
  headersRaw,
  timestampMs: 0n,
  timestampType: 0,
});

test("a header key that is no UTF-8 is kept exactly in headers_raw, and broken headers don't lose the record", async () => {
  // One header, a key of two bytes that are no text, a null value; then a count of five and nothing behind it.
  const odd = Uint8Array.of(2, 4, 0xff, 0xfe, 1);
  const broken = Uint8Array.of(10);
  const records = recordsOf([messageOf(Buffer.from("x"), odd), messageOf(Buffer.from("y"), broken)]);
  await writeQuarantineFile({ storage, path: "q/odd.parquet", rows: [0, 1].map((row) => ({ records, row, ...plain })) });
  const [first, second] = await readAll("q/odd.parquet");
  expect(first?.headersRaw).toEqual(odd);
  expect(first?.headers).toEqual([{ key: "\ufffd\ufffd", value: null }]);
  expect(second?.headersRaw).toEqual(broken);
  expect(second?.headers).toEqual([]);
});

test("row groups are bounded in bytes and rows, and what the manifest says of them is what the file has", async () => {
  const sizes = [5 << 20, 5 << 20, 5 << 20, 5 << 20, 20 << 20, 1];
  const records = recordsOf([
    ...sizes.map((size) => messageOf(randomBytes(size))),
    ...Array.from({ length: 9000 }, () => messageOf(Buffer.from("{}"))),
  ]);
  const path = "q/groups.parquet";
  const rows = Array.from({ length: records.count }, (_, row): QuarantineRow => ({ records, row, ...plain }));
  const file = await writeQuarantineFile({ storage, path, rows });
  const stored = readFileSync(join(folder, path));
  const metadata = await parquetMetadataAsync(stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.length));
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([3, 1, 1, 8192, 809]);
  expect(file?.splitOffsets).toEqual(metadata.row_groups.map((group) => Number(group.columns[0]?.file_offset)));
  const leaves = metadata.schema.filter((element) => element.num_children === undefined);
  expect(leaves.map((leaf) => leaf.field_id).toSorted((a, b) => Number(a) - Number(b))).toEqual(
    [...(file?.columnSizes.keys() ?? [])].toSorted((a, b) => a - b),
  );
  const value = metadata.row_groups.map(
    (group) => group.columns.find((column) => column.meta_data?.path_in_schema[0] === "value")?.meta_data,
  );
  expect(file?.columnSizes.get(8)).toBe(value.reduce((sum, chunk) => sum + Number(chunk?.total_compressed_size), 0));
  expect(file?.valueCounts.get(8)).toBe(records.count);
  expect(leaves.find((leaf) => leaf.name === "value")?.field_id).toBe(quarantineSchema.fields[7]?.id);
  let row = 0;
  for await (const got of readQuarantineFile(storage, path)) {
    const start = records.valueStart[row] as number;
    expect(Buffer.compare(got.value as Uint8Array, records.bytes.subarray(start, start + (records.valueLength[row] as number)))).toBe(0);
    row++;
  }
  expect(row).toBe(records.count);
});

test("no rows make no file", async () => {
  expect(await writeQuarantineFile({ storage, path: "none/x.parquet", rows: [] })).toBeNull();
  expect(readdirSync(join(folder, "none"))).toEqual([]);
});

test("rows that fail halfway leave no file", async () => {
  const records = recordsOf([messageOf(Buffer.from("x"))]);
  function* rows(): Iterable<QuarantineRow> {
    yield { records, row: 0, ...plain };
    throw new Error("halfway");
  }
  await expect(writeQuarantineFile({ storage, path: "none/y.parquet", rows: rows() })).rejects.toThrow("halfway");
  expect(readdirSync(join(folder, "none"))).toEqual([]);
});

test("large values are not read where they are not wanted, and their sizes are told to the byte", async () => {
  const sizes = [17 << 20, (16 << 20) + 1, 40, (16 << 20) + 12_345, 0];
  const records = recordsOf(sizes.map((size, i) => messageOf(i % 2 === 0 ? new Uint8Array(size) : randomBytes(size))));
  const path = "q/large.parquet";
  const rows = sizes.map((_, row): QuarantineRow => ({ records, row, ...plain }));
  await writeQuarantineFile({ storage, path, rows });
  const ranges: number[] = [];
  const watched: Storage = {
    ...storage,
    readRange: (file, from, to) => {
      ranges.push(to - from);
      return storage.readRange(file, from, to);
    },
  };
  const got: StoredQuarantineRow[] = [];
  for await (const row of readQuarantineFile(watched, path, 900_000)) got.push(row);
  expect(got.map((row) => row.unreadValueBytes ?? null)).toEqual([17 << 20, (16 << 20) + 1, null, (16 << 20) + 12_345, null]);
  expect(got.map((row) => row.value?.length ?? null)).toEqual([null, null, 40, null, 0]);
  expect(Math.max(...ranges)).toBeLessThan(1 << 20);
  const whole: StoredQuarantineRow[] = [];
  for await (const row of readQuarantineFile(storage, path)) whole.push(row);
  expect(whole.map((row) => row.value?.length)).toEqual(sizes);
});
