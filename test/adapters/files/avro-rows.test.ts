import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, zstdCompressSync } from "node:zlib";
import avsc from "avsc";
import fc from "fast-check";
import { snappyCompress } from "@platformatic/wasm-utils";
import { afterAll, describe, expect, it } from "vitest";
import { avroSchemaId, readAvroFileSchema, readAvroRows } from "../../../src/adapters/files/avro-rows.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import { headersOf } from "../../../src/core/headers.ts";
import { span } from "../../../src/core/records.ts";
import { pythonAvro, pythonHere, runPython } from "../../live/harness/python-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-avro-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = { topic: "orders", topicId: "sha256:x", partition: 0 };

interface Row {
  readonly offset: bigint;
  readonly value: Buffer;
  readonly schemaId: string;
}

/** A file in pieces of every few bytes. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function rowsOf(bytes: Uint8Array, { from = 0n, runRowsMax = 100, recordBytesMax = 1000, size = 7 } = {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { records, next } of readAvroRows(pieces(bytes, size), "the file", {
    key,
    from,
    limits: { runRowsMax, recordBytesMax },
  })) {
    expect(records.count).toBeLessThanOrEqual(runRowsMax);
    for (let row = 0; row < records.count; row++) {
      const [header, ...others] = headersOf(records, row);
      const bytes = Buffer.from(header?.value ?? []);
      expect([header?.key, bytes[0], others]).toEqual(["__value_schema_id", 1, []]);
      const hex = bytes.toString("hex", 1);
      rows.push({ offset: records.offsets[row] as bigint, value: Buffer.from(span(records, "value", row) as Uint8Array), schemaId: hex });
    }
    expect(next).toBe((rows.at(-1) as Row).offset + 1n);
  }
  return rows;
}

const codecs = {
  null: (block: Buffer) => block,
  deflate: undefined,
  snappy: (block: Buffer) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(block));
    return Buffer.concat([snappyCompress(block), sum]);
  },
  zstandard: (block: Buffer) => zstdCompressSync(block),
};

/** A container file as avsc writes it. */
function write(schema: avsc.Schema, rows: readonly unknown[], codec: keyof typeof codecs = "null", blockSize = 100): Promise<Buffer> {
  const type = avsc.Type.forSchema(schema);
  const own = codecs[codec];
  const encoder = new avsc.streams.BlockEncoder(type, {
    codec,
    blockSize,
    ...(own !== undefined && { codecs: { [codec]: (block: Buffer, done: (error: null, out: Buffer) => void) => done(null, own(block)) } }),
  });
  const parts: Buffer[] = [];
  encoder.on("data", (part: Buffer) => parts.push(part));
  const over = new Promise<Buffer>((resolve) => encoder.on("end", () => resolve(Buffer.concat(parts))));
  for (const row of rows) encoder.write(row);
  encoder.end();
  return over;
}

const order: avsc.Schema = {
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "long" },
    { name: "name", type: ["null", "string"] },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "more", type: { type: "map", values: { type: "array", items: "double" } } },
    { name: "kind", type: { type: "enum", name: "Kind", symbols: ["A", "B"] } },
    { name: "hash", type: { type: "fixed", name: "Hash", size: 3 } },
    {
      name: "next",
      type: [
        "null",
        {
          type: "record",
          name: "Inner",
          fields: [
            { name: "flag", type: "boolean" },
            { name: "real", type: "float" },
          ],
        },
      ],
    },
  ],
};

const orders = Array.from({ length: 250 }, (_, i) => ({
  id: i % 2 === 0 ? i : -(2 ** 40) - i,
  name: i % 3 === 0 ? null : `name ${i}`,
  tags: Array.from({ length: i % 4 }, (_tag, t) => "t".repeat(t * 60)),
  more: i % 5 === 0 ? {} : { a: [1.5, -2], b: [] },
  kind: i % 2 === 0 ? "A" : "B",
  hash: Buffer.of(i, 255, 0),
  next: i % 7 === 0 ? null : { flag: i % 2 === 0, real: i / 2 },
}));

describe("rows of Avro object container files", () => {
  it.each(["null", "deflate", "snappy", "zstandard"] as const)("are the records' own bytes: %s", async (codec) => {
    const bytes = await write(order, orders, codec);
    const type = avsc.Type.forSchema(order);
    const wanted = orders.map((row) => type.toBuffer(row));
    const rows = await rowsOf(bytes);
    expect(rows.map(({ value }) => value.toString("hex"))).toEqual(wanted.map((each) => each.toString("hex")));
    expect(rows.map(({ offset }) => Number(offset))).toEqual(orders.map((_, i) => i));
    const { id } = await readAvroFileSchema(pieces(bytes, 11), "the file");
    expect(new Set(rows.map(({ schemaId }) => schemaId))).toEqual(new Set([id.replaceAll("-", "")]));
    for (const from of [0n, 1n, 99n, 100n, 249n, 250n, 300n]) {
      const rest = await rowsOf(bytes, { from, runRowsMax: 7, size: 1000 });
      expect(rest.map(({ offset }) => offset)).toEqual(rows.slice(Number(from)).map(({ offset }) => offset));
      expect(rest.map(({ value }) => value)).toEqual(rows.slice(Number(from)).map(({ value }) => value));
    }
  });

  it("end where any schema's records end", async () => {
    const names = ["a", "b", "c", "d"];
    let records = 0;
    const record = (types: readonly (object | string)[]): object => ({
      type: "record",
      name: `R${records++}`,
      fields: types.map((each, i) => ({ name: names[i], type: each })),
    });
    const leaf = fc.constantFrom("null", "boolean", "int", "long", "float", "double", "bytes", "string");
    const value = leaf.filter((each) => each !== "null");
    const optional = fc.tuple(value, fc.boolean()).map(([each, isFirst]) => (isFirst ? ["null", each] : [each, "null"]));
    const { type } = fc.letrec<{ type: object | string }>((tie) => ({
      type: fc.oneof(
        { depthSize: "small" },
        leaf,
        optional,
        fc.tuple(fc.constant("null"), fc.array(value, { maxLength: 2 }).map(record)),
        fc.record({ type: fc.constant("array"), items: tie("type") }),
        fc.record({ type: fc.constant("map"), values: tie("type") }),
        fc.array(tie("type"), { maxLength: 4 }).map(record),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(type, { minLength: 1, maxLength: 4 }), async (types) => {
        const schema = record(types) as avsc.Schema;
        const writer = avsc.Type.forSchema(schema);
        const values = Array.from({ length: 20 }, () => writer.random());
        const rows = await rowsOf(await write(schema, values), { recordBytesMax: 1 << 20, size: 5000 });
        expect(rows.map(({ value }) => value.toString("hex"))).toEqual(values.map((value) => writer.toBuffer(value).toString("hex")));
      }),
      { numRuns: 100 },
    );
  });

  it("follow schemas that contain themselves, and stop before they are too deep", async () => {
    const list = { type: "record", name: "List", fields: [{ name: "next", type: ["null", "List"] }] } as avsc.Schema;
    const nested = (depth: number): unknown => (depth === 0 ? { next: null } : { next: nested(depth - 1) });
    expect((await rowsOf(await write(list, [nested(50)]))).map(({ value }) => value.length)).toEqual([51]);
    await expect(rowsOf(await write(list, [nested(200)]))).rejects.toThrow("nested deeper than 100 levels");
  });

  it("end behind lists whose blocks say how many bytes they have, and lists of nothing, however long", async () => {
    const schema = {
      type: "record",
      name: "Lists",
      fields: [
        { name: "texts", type: { type: "array", items: "string" } },
        { name: "nothings", type: { type: "array", items: "null" } },
        { name: "last", type: "long" },
      ],
    };
    // Two texts in a block of 4 bytes, one more, the end; 2^40 nulls, the end; 7.
    const datum = Buffer.from([3, 8, 2, 97, 2, 98, 2, 2, 99, 0, 128, 128, 128, 128, 128, 64, 0, 14]);
    const whole = await write(schema as avsc.Schema, [{ texts: [], nothings: [], last: 1 }]);
    const sync = whole.subarray(-16);
    const header = whole.subarray(0, whole.indexOf(sync) + 16);
    const block = Buffer.concat([Buffer.from([4, datum.length * 4]), datum, datum, sync]);
    const rows = await rowsOf(Buffer.concat([header, block]));
    expect(rows.map(({ value }) => value)).toEqual([datum, datum]);
    const huge = Buffer.from([2, 22, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    await expect(rowsOf(Buffer.concat([header, huge, sync]))).rejects.toThrow("a length goes beyond its block");
    const long = Buffer.from([2, 24, 2, ...Array.from({ length: 10 }, () => 255), 1]);
    await expect(rowsOf(Buffer.concat([header, long, sync]))).rejects.toThrow("a number has more than 64 bits");
  });

  it("of no bytes are counted", async () => {
    const rows = await rowsOf(await write({ type: "record", name: "Nothing", fields: [] }, [{}, {}, {}]));
    expect(rows.map(({ value }) => value.length)).toEqual([0, 0, 0]);
  });

  it("are refused where the file is damaged, cut short or of another kind", async () => {
    const bytes = await write(order, orders, "snappy");
    const refused = async (file: Uint8Array, message: RegExp): Promise<void> => {
      await expect(rowsOf(file)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringMatching(message) });
    };
    await refused(Buffer.from("{}"), /does not begin as an object container file/);
    await refused(new Uint8Array(0), /does not begin/);
    await refused(bytes.subarray(0, 40), /ends within its header/);
    await refused(bytes.subarray(0, bytes.length - 3), /ends within block [0-9]+$/);
    const cut = Buffer.from(bytes);
    cut[bytes.length - 1] = (cut.at(-1) as number) ^ 1;
    await refused(cut, /does not end in the file's sync marker/);
    const sum = Buffer.from(bytes);
    sum[bytes.length - 17] = (sum.at(-17) as number) ^ 1;
    await refused(sum, /does not have the checksum/);
    const renamed = (codec: string): Buffer => Buffer.from(bytes.toString("latin1").replace("snappy", codec), "latin1");
    await refused(renamed("brotli"), /codec is "brotli"; write it again with one of null, deflate, snappy, zstandard/);
    await refused(await write("string", ["a"]), /its schema is string, and rows are records/);
    await expect(rowsOf(bytes, { recordBytesMax: 30 })).rejects.toMatchObject({ code: "SOURCE_OVERSIZED" });
    // Any one byte changed is either seen, or changes what the records hold: reading ends.
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ change;
        await rowsOf(damaged, { size: 4096 }).catch((error: unknown) => expect(error).toBeInstanceOf(SluiceError));
      }),
      { numRuns: 300 },
    );
  });

  it("name their schema by its text", () => {
    expect(avroSchemaId("{}")).toBe("44136fa3-55b3-678a-1146-ad16f7e8649e");
  });
});

const others = `
import sys, json, fastavro, os
folder = sys.argv[1]
schema = json.load(open(os.path.join(folder, "schema.json")))
rows = [{"id": i, "name": None if i % 3 == 0 else f"n{i}", "amount": i / 4} for i in range(1000)]
for codec in ("null", "deflate", "snappy", "zstandard"):
    with open(os.path.join(folder, codec + ".avro"), "wb") as out:
        fastavro.writer(out, schema, rows, codec=codec, sync_interval=2000)
`;

describe.skipIf(!pythonHere)("files that others wrote", () => {
  it("fastavro's, in every codec", { timeout: 300_000 }, async (context) => {
    const python = await pythonAvro();
    if (python === null) return context.skip();
    const schema = {
      type: "record",
      name: "Row",
      fields: [
        { name: "id", type: "long" },
        { name: "name", type: ["null", "string"] },
        { name: "amount", type: "double" },
      ],
    };
    writeFileSync(join(folder, "schema.json"), JSON.stringify(schema));
    await runPython(python, others, [folder]);
    const type = avsc.Type.forSchema(schema as avsc.Schema);
    for (const codec of ["null", "deflate", "snappy", "zstandard"]) {
      const rows = await rowsOf(readFileSync(join(folder, `${codec}.avro`)), { size: 1 << 16 });
      const values = rows.map(({ value }) => type.fromBuffer(value) as { id: number; name: string | null; amount: number });
      expect(values.map(({ ...row }) => row)).toEqual(
        Array.from({ length: 1000 }, (_, i) => ({ id: i, name: i % 3 === 0 ? null : `n${i}`, amount: i / 4 })),
      );
    }
  });
});
