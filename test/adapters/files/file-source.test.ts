import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileSourceOptions } from "../../../src/adapters/files/file-source.ts";
import { createFileSource } from "../../../src/adapters/files/file-source.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import type { PartitionKey, Position } from "../../../src/core/position.ts";
import { recordsBytes } from "../../../src/core/records.ts";
import { Table, TableListener } from "./table-listener.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `{"file":"${name}","i":${i}}`);
const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
const hashOf = (content: string | Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const source = (table: Table, options: Partial<FileSourceOptions> = {}) =>
  createFileSource({
    topic: "flights",
    paths: [folder],
    bytesInFlightMax: 1 << 20,
    positions: async () => [...table.positions.values()],
    ...options,
  });

async function readOut(table: Table, options: Partial<FileSourceOptions> = {}): Promise<TableListener> {
  const listener = new TableListener(table, 3);
  const files = source(table, options);
  await files.start(listener);
  await listener.until(() => listener.endings > 0 || listener.blocks.length > 0);
  await files.close();
  expect(files.bytesInFlight()).toBe(0);
  expect(listener.troubles).toEqual([]);
  return listener;
}

test("files of every kind are read in name order, each record once, and not again by a second run", async () => {
  write("b.ndjson", `${lines("b", 3).join("\r\n")}\n`);
  write("a.jsonl", lines("a", 3).join("\n"));
  write("c.ndjson.gz", gzipSync(lines("c", 2000).join("\n")));
  write("d.json.zst", zstdCompressSync(Buffer.from(lines("d", 2000).join("\n"))));
  write("e.ndjson", "");
  mkdirSync(join(folder, "f"));
  write("f/2.ndjson", "{}\n\n\n");
  write("f/1.parquet", Buffer.from(parquetWriteBuffer({ columnData: [{ name: "i", data: [1, 2, 3], type: "INT32" }], rowGroupSize: 2 })));
  write("_SUCCESS", "");
  write(".hidden", "");
  const table = new Table();
  const listener = await readOut(table, { runRowsMax: 700 });
  const want = [...lines("a", 3), ...lines("b", 3), ...lines("c", 2000), ...lines("d", 2000), '{"i":1}', '{"i":2}', '{"i":3}', "{}"];
  expect(table.committed).toEqual(want);
  expect(listener.runs[0]).toMatchObject({
    from: [{ topic: "flights", topicId: hashOf(lines("a", 3).join("\n")), partition: 0, next: 0n }],
  });
  // Only the ends stay.
  expect([...table.positions.values()].map((each) => [each.partition, each.next])).toEqual(Array.from({ length: 7 }, () => [1, 1n]));
  const again = await readOut(table);
  expect(again.runs).toEqual([]);
  expect(table.committed).toEqual(want);
});

test("a file under another name is not read again, a copy neither, and a new one is read wherever its name sorts", async () => {
  write("m.ndjson", lines("m", 5).join("\n"));
  const table = new Table();
  await readOut(table);
  renameSync(join(folder, "m.ndjson"), join(folder, "z.ndjson"));
  write("n.ndjson", lines("m", 5).join("\n"));
  write("a.ndjson", lines("new", 2).join("\n"));
  await readOut(table);
  expect(table.committed).toEqual([...lines("m", 5), ...lines("new", 2)]);
});

test("killed anywhere, each record is committed exactly once, with and without knowledge of all positions", async () => {
  const sizes = [0, 1, 40, 7, 25];
  for (const [i, size] of sizes.entries())
    write(`${i}.ndjson${i === 2 ? ".gz" : ""}`, i === 2 ? gzipSync(lines("2", size).join("\n")) : lines(String(i), size).join("\n"));
  const want = sizes.flatMap((size, i) => lines(String(i), size));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(12), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      async (kills, windowRuns, knows) => {
        const table = new Table();
        const options = { runRowsMax: 3, bytesInFlightMax: 2000, ...(knows ? {} : { positions: async () => [] }) };
        for (const runs of kills) {
          const listener = new TableListener(table, windowRuns);
          const files = source(table, options);
          await files.start(listener);
          await listener.until(() => listener.runs.length >= runs || listener.endings > 0);
          listener.isDead = true;
          await files.close();
        }
        const listener = new TableListener(table, windowRuns);
        const files = source(table, options);
        await files.start(listener);
        await listener.until(() => listener.endings > 0);
        await files.close();
        expect(listener.blocks).toEqual([]);
        expect(table.committed).toEqual(want);
      },
    ),
    { numRuns: 30 },
  );
});

test("a lost window is read again from where the table is, also after the end, over several files", async () => {
  for (const name of ["a", "b", "c"]) write(`${name}.ndjson`, lines(name, 10).join("\n"));
  const table = new Table();
  const listener = new TableListener(table);
  const files = source(table, { runRowsMax: 4 });
  listener.isHolding = true;
  await files.start(listener);
  await listener.until(() => listener.runs.length === 6);
  files.seek(listener.drop());
  await listener.until(() => listener.runs.length === 12);
  listener.commit();
  await listener.until(() => listener.endings > 0);
  expect(table.committed).toEqual(["a", "b", "c"].flatMap((name) => lines(name, 10)));
  await files.close();
});

test("in flight stays under the limit, a larger run goes alone, and nothing comes while paused", async () => {
  write("a.ndjson", `${["x".repeat(30), "y".repeat(5000), "z".repeat(30), "w".repeat(30)].join("\n")}\n`);
  const table = new Table();
  const listener = new TableListener(table);
  listener.isHolding = true;
  const files = source(table, { runRowsMax: 1, bytesInFlightMax: 200 });
  await files.start(listener);
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
  await listener.until(() => listener.runs.length === 1);
  await settle();
  expect(listener.runs.map((run) => run.records.bytes.length)).toEqual([31]);
  listener.commit();
  await listener.until(() => listener.runs.length === 2);
  await settle();
  expect(listener.runs).toHaveLength(2);
  expect(files.bytesInFlight()).toBe(recordsBytes(listener.runs[1]?.records as never));
  files.pause([{ topic: "flights", topicId: listener.runs[0]?.next[0]?.topicId as string, partition: 0 }]);
  listener.commit();
  await settle();
  expect(listener.runs).toHaveLength(2);
  files.resume([{ topic: "flights", topicId: listener.runs[0]?.next[0]?.topicId as string, partition: 0 }]);
  await listener.until(() => listener.runs.length === 4);
  expect(files.bytesInFlight()).toBeLessThanOrEqual(200);
  listener.isHolding = false;
  listener.commit();
  await listener.until(() => listener.endings > 0);
  expect(table.committed.map((value) => value.length)).toEqual([30, 5000, 30, 30]);
  await files.close();
});

test("a partly read file that changed, or went away, blocks the topic; a person's answer lets it go on", async () => {
  write("a.ndjson", lines("a", 30).join("\n"));
  const table = new Table();
  const first = new TableListener(table);
  const begun = source(table, { runRowsMax: 10, bytesInFlightMax: 1000 });
  await begun.start(first);
  await first.until(() => first.runs.length > 0);
  first.isDead = true;
  await begun.close();
  const done = table.committed.length;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(30);
  write("a.ndjson", lines("changed", 5).join("\n"));

  const listener = new TableListener(table);
  const files = source(table);
  await files.start(listener);
  await listener.until(() => listener.blocks.length > 0);
  expect(listener.blocks[0]).toMatchObject({ topic: "flights", partition: null, error: { code: "SOURCE_IDENTITY_CHANGED" } });
  expect(listener.runs).toEqual([]);
  // "Accept": the old position goes; the file is taken for a new one.
  const old = hashOf(lines("a", 30).join("\n"));
  table.positions.delete(`${old}:0`);
  files.seek([]);
  await listener.until(() => listener.endings > 0);
  expect(table.committed.slice(done)).toEqual(lines("changed", 5));
  await files.close();
});

test("a file that is written to while it is read blocks before a changed row is handed out", async () => {
  const content = lines("a", 20_000).join("\n");
  write("a.ndjson", content);
  const table = new Table();
  const listener = new TableListener(table);
  listener.isHolding = true;
  const files = source(table, { runRowsMax: 100, bytesInFlightMax: 64 << 10 });
  await files.start(listener);
  await listener.until(() => listener.runs.length > 3);
  appendFileSync(join(folder, "a.ndjson"), "\nmore");
  listener.isHolding = false;
  listener.commit();
  await listener.until(() => listener.blocks.length > 0);
  expect(listener.blocks[0]?.error.code).toBe("SOURCE_IDENTITY_CHANGED");
  expect(table.committed).toEqual(lines("a", table.committed.length));
  expect(table.committed.length).toBeLessThan(20_000);
  await files.close();
});

test("a damaged or oversized file blocks with its own error; what has no format is refused at the start", async () => {
  const table = new Table();
  write("a.ndjson.gz", gzipSync(lines("a", 5000).join("\n")).subarray(0, 9000));
  expect((await readOut(table)).blocks[0]?.error).toMatchObject({ code: "FILE_UNREADABLE" });
  rmSync(join(folder, "a.ndjson.gz"));
  table.positions.clear();
  write("b.ndjson", `{}\n${"x".repeat(3000)}\n`);
  expect((await readOut(table, { recordBytesMax: 2000 })).blocks[0]?.error).toMatchObject({ code: "SOURCE_OVERSIZED" });
  table.positions.clear();
  write("c.xml", "1,2");
  await expect(source(table).start(new TableListener(table))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  await expect(source(table, { paths: [join(folder, "none.ndjson")] }).start(new TableListener(table))).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
  });
});

test("a table that can't be asked just now is asked again", async () => {
  write("a.ndjson", lines("a", 3).join("\n"));
  const table = new Table();
  let asked = 0;
  const positions = async (): Promise<never[]> => {
    if (asked++ === 0) throw new SluiceError("STORAGE_FAILED", "not now");
    return [];
  };
  class Busy extends TableListener {
    answers = 0;
    override assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]> {
      if (this.answers++ === 0) return Promise.reject(new SluiceError("STORAGE_FAILED", "not now either"));
      return super.assigned(partitions);
    }
  }
  const listener = new Busy(table);
  const files = source(table, { positions });
  await files.start(listener);
  await listener.until(() => listener.endings > 0);
  await files.close();
  expect(listener.troubles).toEqual(["STORAGE_FAILED", null, "STORAGE_FAILED", null]);
  expect(table.committed).toEqual(lines("a", 3));
});

test("ends are the rows of files whose number is known", async () => {
  write("a.ndjson", lines("a", 3).join("\n"));
  write("b.ndjson.gz", gzipSync("{}\n{}\n"));
  const table = new Table();
  const listener = new TableListener(table);
  const files = source(table);
  expect(files.resumable).toBe(true);
  await files.start(listener);
  await listener.until(() => listener.endings > 0);
  expect(files.ends().map((each) => each.next)).toEqual([3n, 2n]);
  await files.close();
  expect(listener.revokedKeys).toHaveLength(4);
});

test("standard input is read once, says that it can't resume, and can't go back", async () => {
  const table = new Table();
  const input = () => Readable.from([Buffer.from('{"a":1}\n{"a"'), Buffer.from(":2}")]);
  const files = source(table, { paths: "-", input: input() });
  expect(files.resumable).toBe(false);
  const listener = new TableListener(table);
  await files.start(listener);
  await listener.until(() => listener.endings > 0);
  expect(table.committed).toEqual(['{"a":1}', '{"a":2}']);
  await files.close();

  const lost = new TableListener(table);
  lost.isHolding = true;
  const second = source(table, { paths: "-", input: input() });
  await second.start(lost);
  await lost.until(() => lost.runs.length === 2);
  second.seek(lost.drop());
  await lost.until(() => lost.blocks.length > 0);
  expect(lost.blocks[0]?.error.code).toBe("SOURCE_OFFSET_OUT_OF_RANGE");
  await second.close();
});
