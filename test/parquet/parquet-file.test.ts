import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sourceColumns } from "../../src/core/table-schema.ts";
import { keyFieldIds } from "../../src/parquet/key-fields.ts";
import { openParquetFile } from "../../src/parquet/parquet-file.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { layoutBatch } from "../../src/wasm/layout.ts";
import { makeResident } from "../../src/wasm/resident-batch.ts";
import type { Value } from "../adapters/iceberg/parquet-fixture.ts";
import { batchOf, field, icebergSchema, tables } from "../adapters/iceberg/parquet-fixture.ts";
import { actual, expected, readBack } from "../adapters/iceberg/parquet-reading.ts";
import { makeContract } from "../fixtures/contract.ts";
import { everyRow, type Row, sequence, writeRows, writeSlices } from "./written.ts";

test("any types and values come back, resident in an arena or not, in pages and row groups of every size", async () => {
  await fc.assert(
    fc.asyncProperty(
      tables(3),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
      async ({ fields, rows }, pageRows, groupRows, skip, isResident) => {
        const schema = icebergSchema(fields);
        const cut = Math.ceil(rows.length / 2);
        const taken = everyRow(cut).filter((row) => row % (skip + 1) === 0);
        const arena = new Arena();
        const layout = layoutBatch(fields, arena);
        const options = {
          limits: { rowsMax: groupRows, bytesMax: 1 << 20 },
          pageLimits: { rowsMax: pageRows, bytesMax: 1000, dictionaryBytesMax: 1000 },
          ...(isResident ? { arena } : {}),
        };
        const file = openParquetFile({ schema, ...options });
        const pieces: Uint8Array[] = [];
        for (const [from, batchRows, chosen] of [
          [0, rows.slice(0, cut), taken],
          [cut, rows.slice(cut), everyRow(rows.length - cut)],
        ] as const) {
          const batch = batchOf(fields, batchRows, from);
          pieces.push(...file.append(isResident ? makeResident(batch, layout, arena) : batch, chosen));
        }
        const end = file.finish();
        const bytes = Buffer.concat([...pieces, ...end.pieces]);
        const want = [...Array.from(taken, (row) => rows[row]), ...rows.slice(cut)] as Record<string, Value>[];
        const { metadata, rows: got } = await readBack(bytes);
        expect(end.file).toMatchObject({ recordCount: want.length, fileSizeBytes: bytes.length });
        expect(metadata.row_groups.map((group) => Number(group.file_offset))).toEqual(end.file.splitOffsets);
        for (const of of fields) {
          expect(got.map((row) => actual(of, row[of.name]))).toEqual(want.map((row) => expected(of.type, row[of.name])));
        }
      },
    ),
    { numRuns: 100 },
  );
}, 120_000);

test("row groups end by rows, and are handed out as they end", async () => {
  const fields = [field("n", { kind: "long" })];
  const file = openParquetFile({ schema: icebergSchema(fields), limits: { rowsMax: 2500, bytesMax: 1 << 20 } });
  const handed: number[] = [];
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < 6000; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, i) => ({ n: BigInt((from + i) * 7) }));
    const next = file.append(batchOf(fields, rows, from), everyRow(1000));
    handed.push(next.length);
    pieces.push(...next);
  }
  expect(handed).toEqual([0, 0, 1, 0, 1, 0]);
  expect(file.rows).toBe(6000);
  const end = file.finish();
  const { metadata, rows } = await readBack(Buffer.concat([...pieces, ...end.pieces]));
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([2500, 2500, 1000]);
  expect(rows.map((row) => row["n"])).toEqual(Array.from({ length: 6000 }, (_, i) => BigInt(i * 7)));
});

test("source columns: many partitions in a batch, one, and times that no double holds", async () => {
  const fields = [field("n", { kind: "int" })];
  const many = batchOf(fields, [{ n: 1n }, { n: 2n }, { n: 3n }], 5);
  many.records.timestamps.set([0n, 9_007_199_254_740_993n, -1n]);
  const only = { topic: "t", topicId: "topic-\u{1f6eb}", partition: 2_000_000_000 };
  const one = batchOf(fields, [{ n: 4n }], 2 ** 40);
  const slices = [many, { ...one, records: { ...one.records, partitions: [only] } }].map((batch) => ({
    batch,
    rows: everyRow(batch.rows),
  }));
  const { rows } = await readBack(writeSlices(icebergSchema(fields), slices).bytes);
  expect(rows.map((row) => Object.values(sourceColumns).map((name) => row[name]))).toEqual([
    ["topic-a", 3, 5n, 0n],
    ["topic-b", 0, 6n, 9_007_199_254_740_993_000n],
    ["topic-a", 3, 7n, null],
    ["topic-\u{1f6eb}", 2_000_000_000, 2n ** 40n, null],
  ]);
});

test("batches of any sizes, of one partition after the other, name their own rows' source", async () => {
  const fields = [field("n", { kind: "long" })];
  const partitions = [
    { topic: "t", topicId: "topic-a", partition: 3 },
    { topic: "t", topicId: "topic-a", partition: 4 },
    { topic: "t", topicId: "another-topic", partition: 4 },
  ] as const;
  const sizes = [3, 5, 2, 5, 1, 9, 4];
  const sources = partitions.flatMap((partition) => sizes.map((size) => ({ partition, size })));
  const slices = sources.map(({ partition, size }) => {
    const batch = batchOf(
      fields,
      Array.from({ length: size }, (_, n) => ({ n: BigInt(n) })),
    );
    return { batch: { ...batch, records: { ...batch.records, partitions: [partition] } }, rows: everyRow(size) };
  });
  const { rows } = await readBack(writeSlices(icebergSchema(fields), slices).bytes);
  const want = sources.flatMap(({ partition, size }) => Array.from({ length: size }, () => [partition.topicId, partition.partition]));
  expect(rows.map((row) => [row[sourceColumns.source], row[sourceColumns.partition]])).toEqual(want);
});

test("500 columns take bounded memory, and files one after the other use the same blocks", () => {
  const fields = Array.from({ length: 500 }, (_, i) => field(`c${i}`, { kind: i % 2 === 0 ? "string" : "double" }));
  const random = sequence(7);
  const rows: Row[] = Array.from({ length: 1000 }, () =>
    Object.fromEntries(fields.map(({ name }, i) => [name, i % 2 === 0 ? `${random()}-${random()}` : random() / 3])),
  );
  const batch = batchOf(fields, rows);
  const arena = new Arena();
  let most = 0;
  const used: number[] = [];
  for (let round = 0; round < 3; round++) {
    const file = openParquetFile({ schema: icebergSchema(fields), arena });
    for (let i = 0; i < 8; i++) {
      file.append(batch, everyRow(1000));
      most = Math.max(most, file.memoryBytes);
    }
    if (round === 1) file.discard();
    else file.finish();
    used.push(arena.used);
  }
  expect(most).toBeLessThan(120 << 20);
  expect(new Set(used).size).toBe(1);
}, 60_000);

test("columns whose memory moved are refused, not written", () => {
  const fields = [field("n", { kind: "long" })];
  const arena = new Arena();
  const resident = makeResident(batchOf(fields, [{ n: 1n }]), layoutBatch(fields, arena), arena);
  arena.allocate(1 << 20);
  const file = openParquetFile({ schema: icebergSchema(fields), arena });
  expect(() => file.append(resident, everyRow(1))).toThrow("moved before its rows were written");
});

test("columns of another contract are refused", () => {
  const [a, b] = [field("a", { kind: "int" }), field("b", { kind: "int" })];
  const file = openParquetFile({ schema: icebergSchema([a, b]) });
  file.append(batchOf([a], [{ a: 1n }]), everyRow(1));
  expect(() => file.append(batchOf([a, b], [{ a: 1n, b: 1n }]), everyRow(1))).toThrow("different contracts");
  expect(() => file.append(batchOf([b], [{ b: 1n }]), everyRow(1))).toThrow("different contracts");
  file.discard();
  expect(() => file.append(batchOf([a], [{ a: 1n }]), everyRow(1))).toThrow("over");
});

test("text that is no UTF-8 stops the file: in a dictionary, beside one, and nested", () => {
  const broken = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xf0, 0x80, 0x80, 0x80], [0x61, 0x80]];
  const list = field("c", { kind: "list", element: field("element", { kind: "json" }) });
  for (const bytes of broken) {
    const bad = Uint8Array.from(bytes);
    expect(() => writeRows([field("c", { kind: "string" })], [{ c: "good" }, { c: bad }])).toThrow("no UTF-8");
    expect(() => writeRows([field("c", { kind: "string" })], [{ c: bad }, { c: bad }, { c: bad }])).toThrow("no UTF-8");
    expect(() => writeRows([list], [{ c: ["good", bad] }])).toThrow("no UTF-8");
  }
  const good = [
    [0xc2, 0x80],
    [0xed, 0x9f, 0xbf],
    [0xee, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80, 0x80],
    [0xe0, 0xa0, 0x80],
    [],
  ];
  for (const bytes of good) writeRows([field("c", { kind: "string" })], [{ c: Uint8Array.from(bytes) }]);
});

test("columns that a contract holds to be unique are those with bloom filters", () => {
  const fields = [
    field("id", { kind: "string" }),
    field("text", { kind: "string" }),
    field("order", { kind: "struct", fields: [field("number", { kind: "long" }), field("line", { kind: "int" })] }),
  ];
  const rules = [
    { check: { family: "duplicate", columns: ["id"], keep: "first" } },
    { check: { family: "duplicate", columns: ["order.line", "gone"], keep: "first" } },
    { check: { family: "required" }, path: "text" },
  ] as const;
  const contract = makeContract({}, { rules });
  expect(keyFieldIds(contract, icebergSchema(fields))).toEqual(new Set([1, 5]));
});
