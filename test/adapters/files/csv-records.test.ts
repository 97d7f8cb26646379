import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsvHeader, readCsvRecords } from "../../../src/adapters/files/csv-records.ts";

const key = { topic: "t", topicId: "id", partition: 0 };
const characters = { delimiter: ",", quote: '"' };

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size));
}

async function recordsOf(
  text: string,
  size = 7,
  from = 0n,
  limits = { runRowsMax: 3, recordBytesMax: 1000 },
): Promise<{ values: string[]; offsets: bigint[] }> {
  const values: string[] = [];
  const offsets: bigint[] = [];
  for await (const { records, next } of readCsvRecords(chunksOf(text, size), key, from, { limits, characters })) {
    expect(records.count).toBeLessThanOrEqual(limits.runRowsMax);
    for (let row = 0; row < records.count; row++) {
      const start = records.valueStart[row] as number;
      values.push(Buffer.from(records.bytes.subarray(start, start + (records.valueLength[row] as number))).toString());
      offsets.push(records.offsets[row] as bigint);
    }
    expect(next).toBeGreaterThan(offsets.at(-1) as bigint);
  }
  return { values, offsets };
}

describe("records of a CSV file", () => {
  it("are its records but the header, without their line ends, empty lines left out", async () => {
    const text = 'id,note\r\n1,"a\r\nb"\r\n\r\n2,"say ""hi""\n"\n3,x"y\n4,last';
    for (const size of [1, 2, 3, 5, 1000]) {
      expect(await recordsOf(text, size)).toEqual({
        values: ['1,"a\r\nb"', '2,"say ""hi""\n"', '3,x"y', "4,last"],
        offsets: [1n, 3n, 4n, 5n],
      });
    }
    expect((await recordsOf(text, 4, 4n)).values).toEqual(['3,x"y', "4,last"]);
    expect((await recordsOf("id,note")).values).toEqual([]);
  });

  it("come out the same however the file is cut into chunks (property)", async () => {
    const cell = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", " ", "é", "\r") }),
      fc.string({ unit: fc.constantFrom('"', ",", "\n", "x") }).map((text) => `"${text.replaceAll('"', '""')}"`),
    );
    const line = fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(","));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
        const text = ["h", ...lines].join("\n");
        const expected = lines.map((each) => each.replace(/\r$/, "")).filter((each) => each !== "");
        expect((await recordsOf(text, size)).values).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("that are too long, or whose quote nothing closes, stop the source after those before them", async () => {
    const limits = { runRowsMax: 10, recordBytesMax: 20 };
    await expect(recordsOf(`h\n1\n${"x".repeat(30)}\n2\n`, 1000, 0n, limits)).rejects.toMatchObject({ code: "SOURCE_OVERSIZED" });
    await expect(recordsOf(`h\n1\n"${"x\n".repeat(30)}`, 8, 0n, limits)).rejects.toMatchObject({
      code: "SOURCE_OVERSIZED",
      details: { offset: 2 },
    });
  });

  it("have names in the header", async () => {
    expect(await readCsvHeader(chunksOf('\uFEFFid,"a ""b"", c",\r\n1', 3), characters)).toEqual(["id", 'a "b", c', ""]);
    expect(await readCsvHeader(chunksOf("id;note", 3), { delimiter: ";", quote: "'" })).toEqual(["id", "note"]);
  });
});
