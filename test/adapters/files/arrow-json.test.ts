import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { afterAll, describe, expect, it } from "vitest";
import { readArrowJson } from "../../../src/adapters/files/arrow-json.ts";
import { pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-arrow-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function textsOf(source: Parameters<typeof readArrowJson>[0], from = 0, rowsMax = 1000): Promise<string[]> {
  const rows: string[] = [];
  for await (const { slab, starts, lengths } of readArrowJson(source, "the file", { from, rowsMax })) {
    expect(starts.length).toBeLessThanOrEqual(rowsMax);
    for (const [i, start] of starts.entries()) rows.push(Buffer.from(slab.subarray(start, start + (lengths[i] as number))).toString());
  }
  return rows;
}

async function fileTexts(name: string, from = 0, rowsMax = 1000): Promise<string[]> {
  const handle = await open(join(folder, name), "r");
  try {
    return await textsOf(handle, from, rowsMax);
  } finally {
    await handle.close();
  }
}

const everyType = `
import pyarrow as pa, pyarrow.ipc as ipc, decimal, datetime, sys
columns = {
  "int": pa.array([-1, None, 9223372036854775807], pa.int64()),
  "unsigned": pa.array([18446744073709551615, None, 0], pa.uint64()),
  "small": pa.array([-128, None, 127], pa.int8()),
  "text": pa.array(['a"\\n', None, "\\u00e9"]),
  "large": pa.array(["a", None, ""], pa.large_string()),
  "decimal": pa.array([decimal.Decimal("12.34"), None, decimal.Decimal("-0.01")], pa.decimal128(9, 2)),
  "wide": pa.array([decimal.Decimal(10) ** 50, None, decimal.Decimal(-1)], pa.decimal256(60, 0)),
  "instant": pa.array([1, None, -1], pa.timestamp("us", "UTC")),
  "local": pa.array([1000, None, -1], pa.timestamp("ns")),
  "seconds": pa.array([1, None, 0], pa.timestamp("s")),
  "date": pa.array([0, None, -1], pa.date32()),
  "date64": pa.array([datetime.date(2020, 2, 29), None, datetime.date(1969, 12, 31)], pa.date64()),
  "time": pa.array([1, None, 86399999999], pa.time64("us")),
  "millis": pa.array([1500, None, 0], pa.time32("ms")),
  "bytes": pa.array([b"\\0\\xff", None, b""], pa.binary()),
  "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
  "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(range(16)), None, b"\\xff" * 16], pa.binary(16))),
  "uuids": pa.ListArray.from_arrays(pa.array([0, None, 1, 1], pa.int32()), pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)], pa.binary(16)))),
  "list": pa.array([[1, None], None, []], pa.list_(pa.int32())),
  "pair": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
  "struct": pa.array([{"x": 1, "y": "q"}, None, {"x": None, "y": None}]),
  "map": pa.array([[("k", 1), ("l", None)], None, []], pa.map_(pa.string(), pa.int64())),
  "textView": pa.array(["short", None, "\\u00e9 beyond twelve bytes"], pa.string_view()),
  "bytesView": pa.array([b"\\0" * 13, None, b""], pa.binary_view()),
  "largeList": pa.array([["x", None], None, []], pa.large_list(pa.string_view())),
  "word": pa.array(["a", None, "b"]).dictionary_encode(),
  "flag": pa.array([True, None, False]),
  "single": pa.array([0.1, None, float("nan")], pa.float32()),
  "half": pa.array([1.5, None, float("-inf")], pa.float16()),
  "double": pa.array([0.1, None, -0.0]),
  "nothing": pa.nulls(3),
}
table = pa.table(columns)
for name, options in (("plain", None), ("zstd", "zstd"), ("lz4", "lz4")):
  with ipc.new_file(f"{sys.argv[1]}/{name}.arrow", table.schema, options=ipc.IpcWriteOptions(compression=options)) as out:
    out.write_table(table)
with ipc.new_stream(f"{sys.argv[1]}/stream.arrows", table.schema) as out:
  out.write_table(table)
  out.write_table(table.slice(1))
odd = pa.table({"gap": pa.array([1], pa.duration("s"))})
with ipc.new_file(f"{sys.argv[1]}/odd.arrow", odd.schema) as out:
  out.write_table(odd)
`;

const first =
  '{"int":-1,"unsigned":18446744073709551615,"small":-128,"text":"a\\"\\n","large":"a","decimal":1234e-2,"wide":100000000000000000000000000000000000000000000000000,' +
  '"instant":"1970-01-01T00:00:00.000001Z","local":"1970-01-01T00:00:00.000001","seconds":"1970-01-01T00:00:01","date":"1970-01-01","date64":"2020-02-29","time":"00:00:00.000001",' +
  '"millis":"00:00:01.500000","bytes":"AP8=","fixed":"YWI=","uuid":"00010203-0405-0607-0809-0a0b0c0d0e0f","uuids":["00000000-0000-0000-0000-000000000000"],"list":[1,null],"pair":[1,2],"struct":{"x":1,"y":"q"},"map":{"k":1,"l":null},"textView":"short","bytesView":"AAAAAAAAAAAAAAAAAA==","largeList":["x",null],"word":"a","flag":true,' +
  '"single":0.10000000149011612,"half":1.5,"double":0.1,"nothing":null}';
const last =
  '{"int":9223372036854775807,"unsigned":0,"small":127,"text":"é","large":"","decimal":-1e-2,"wide":-1,"instant":"1969-12-31T23:59:59.999999Z",' +
  '"local":"1969-12-31T23:59:59.999999999","seconds":"1970-01-01T00:00:00","date":"1969-12-31","date64":"1969-12-31","time":"23:59:59.999999","millis":"00:00:00","bytes":"","fixed":"Y2Q=","uuid":"ffffffff-ffff-ffff-ffff-ffffffffffff","uuids":[],' +
  '"list":[],"pair":[3,4],"struct":{"x":null,"y":null},"map":{},"textView":"é beyond twelve bytes","bytesView":"","largeList":[],"word":"b","flag":false,"single":"NaN","half":"-Infinity","double":-0,"nothing":null}';

describe.skipIf(!pythonHere)("Arrow files as PyArrow writes them", () => {
  it("give every type's values exactly, compressed or not, as file or stream, from any row on", { timeout: 300_000 }, async () => {
    await runPython((await pythonReaders()) as string, everyType, [folder]);
    const none = JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(first) as object).map((name) => [name, null])));
    for (const name of ["plain.arrow", "zstd.arrow", "lz4.arrow"]) expect(await fileTexts(name), name).toEqual([first, none, last]);
    expect(await textsOf(createReadStream(join(folder, "stream.arrows"), { highWaterMark: 100 }))).toEqual([first, none, last, none, last]);
    expect(await fileTexts("stream.arrows", 2, 1)).toEqual([last, none, last]);
    const damaged = readFileSync(join(folder, "plain.arrow"));
    // The view of a text of 22 bytes: its length, its first four bytes, its buffer, its place there.
    const view = damaged.indexOf(Buffer.concat([Buffer.of(22, 0, 0, 0), Buffer.from("é b")]));
    expect(view).toBeGreaterThan(0);
    damaged.writeInt32LE(1 << 20, view + 12);
    writeFileSync(join(folder, "damaged.arrow"), damaged);
    await expect(fileTexts("damaged.arrow")).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("beyond its column's bytes") as string,
    });
    await expect(fileTexts("odd.arrow")).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("no form in JSON") as string,
    });
  });
});

describe("Arrow files", () => {
  it("that are none are unreadable", async () => {
    const bytes = async function* (...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
      yield* chunks;
    };
    const whole = tableToIPC(tableFromArrays({ n: Int32Array.of(1, 2) }), "stream");
    expect(await textsOf(bytes(whole))).toEqual(['{"n":1}', '{"n":2}']);
    await expect(textsOf(bytes(whole.subarray(0, 200)))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await expect(textsOf(bytes(Buffer.from("no arrow at all, but long enough to look at")))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
  });

  it("that lack their end are unreadable wherever they were cut: none is taken for one with fewer rows", async () => {
    const table = tableFromArrays({ n: Int32Array.of(1, -1), word: ["a", "b"], x: Float64Array.of(0.5, 1) });
    const rows = ['{"n":1,"word":"a","x":0.5}', '{"n":-1,"word":"b","x":1}'];
    const cutInChunks = async function* (whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
      for (let from = 0; from < size; from += 100) yield whole.slice(from, Math.min(size, from + 100));
    };
    const cutOnDisk = (whole: Uint8Array, size: number): Promise<string[]> => {
      writeFileSync(join(folder, "cut.arrow"), whole.subarray(0, size));
      return fileTexts("cut.arrow");
    };
    for (const form of ["file", "stream"] as const) {
      const whole = tableToIPC(table, form);
      for (const read of [cutOnDisk, async (bytes: Uint8Array, size: number) => textsOf(cutInChunks(bytes, size))]) {
        const readable: number[] = [];
        for (let size = 0; size < whole.length; size++) {
          const texts = await read(whole, size).catch((error: unknown) => error);
          if (Array.isArray(texts)) readable.push(size);
          else expect(texts, `${form} of ${size} bytes`).toMatchObject({ code: "FILE_UNREADABLE" });
        }
        expect(await read(whole, whole.length)).toEqual(rows);
        // A stream may end between two messages: its format leaves the end mark of eight bytes to the writer.
        if (form === "file") expect(readable).toEqual([]);
        else {
          expect(readable.every((size) => size % 8 === 0)).toBe(true);
          expect(await read(whole, whole.length - 8)).toEqual(rows);
        }
      }
    }
  });

  it("of no bytes, or of other text, are no empty Arrow files", async () => {
    for (const text of ["", "abc\n", "ARROW1\0\0", "order,amount\n1,2\n", "0".repeat(64)]) {
      writeFileSync(join(folder, "text.arrow"), text);
      await expect(fileTexts("text.arrow"), text).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    }
  });
});
