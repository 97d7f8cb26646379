import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCsv } from "../../../src/codecs/csv/csv.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { CsvPlan } from "../../../src/core/record-plan.ts";
import { invalid } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { rowsOf } from "./decode-values.ts";

const fields: Readonly<Record<string, FieldSketch>> = {
  id: { type: "long" },
  price: { type: "decimal" },
  ratio: { type: "double" },
  ok: { type: "boolean" },
  note: { type: "string" },
  at: { type: "timestamp" },
  tags: { type: "list" },
};

function decode(lines: readonly string[], more: Partial<CsvPlan> = {}, unknownFields: "ignore" | "keep" | "reject" = "ignore"): Batch {
  const plan: CsvPlan = { format: "csv", columns: Object.keys(fields), delimiter: ",", quote: '"', nullToken: "", ...more };
  return compileCsv(makeContract(fields, { policies: { unknownFields } }), plan)(makeRecords(lines));
}

describe("CSV records", () => {
  it("become cells by their columns' types, digit for digit", () => {
    expect(rowsOf(decode(['9007199254740993,+007.50,1e3,TRUE,plain,2013-01-01T05:00:00Z,"[""a"",""b""]"\r\n']))).toEqual([
      { id: 9007199254740993n, price: 750n, ratio: 1000, ok: true, note: "plain", at: 1357016400_000000n, tags: ["a", "b"] },
    ]);
  });

  it("become nanoseconds where columns have these, and are invalid beyond them", () => {
    const nanos: Readonly<Record<string, FieldSketch>> = {
      at: { type: { kind: "timestamp", zoned: true, unit: "nanos" } },
      wall: { type: { kind: "timestamp", zoned: false, unit: "nanos" } },
    };
    const plan: CsvPlan = { format: "csv", columns: ["at", "wall"], delimiter: ",", quote: '"', nullToken: "" };
    const lines = [
      "1970-01-01T01:00:00.000000001+01:00,1969-12-31 23:59:59.999999999",
      "2262-04-11T23:47:16.854775807Z,1677-09-21T00:12:43.145224192",
      "2262-04-11T23:47:16.854775808Z,1677-09-21T00:12:43.145224191",
      "1970-01-01T00:00:00.0000000001Z,1970-01-01T00:00:00.000000001Z",
    ];
    expect(rowsOf(compileCsv(makeContract(nanos), plan)(makeRecords(lines)))).toEqual([
      { at: 1n, wall: -1n },
      { at: 2n ** 63n - 1n, wall: -(2n ** 63n) },
      { at: invalid, wall: invalid },
      { at: invalid, wall: invalid },
    ]);
  });

  it("keep null, empty text and the text of the null token apart", () => {
    expect(rowsOf(decode(['1,,,,"",,', "1,,,,,,"]))).toMatchObject([{ price: null, note: "", tags: null }, { note: null }]);
    expect(rowsOf(decode(['1,NULL,2,true,"NULL",NULL,NULL', "1,1,2,true,,NULL,NULL"], { nullToken: "NULL" }))).toMatchObject([
      { price: null, note: "NULL", at: null },
      { note: "" },
    ]);
  });

  it("give invalid cells for texts that are none of what a column takes", () => {
    expect(rowsOf(decode([" 1,1.234,--1,yes,x,yesterday,[1", "1.5,.,0x10,,x,,"]))).toMatchObject([
      { id: invalid, price: invalid, ratio: invalid, ok: invalid, note: "x", at: invalid, tags: invalid },
      { id: invalid, price: invalid, ratio: invalid },
    ]);
    const batch = decode(["x,,,,,,"]);
    const cells = batch.columns[0]?.invalid;
    const start = cells?.starts[0] ?? 0;
    expect(Buffer.from((batch.payload ?? batch.records).bytes.subarray(start, start + (cells?.lengths[0] ?? 0))).toString()).toBe('"x"');
    expect(Buffer.from(batch.records.bytes).toString()).toContain("x,,,,,,");
  });

  it("hold delimiters, quotes and line ends inside quotes, and take other delimiters and quotes", () => {
    expect(rowsOf(decode(['1,1,1,true,"a,""b""\r\nc",,']))).toMatchObject([{ note: 'a,"b"\r\nc' }]);
    expect(rowsOf(decode(["1;1;1;true;'it''s; so';;"], { delimiter: ";", quote: "'" }))).toMatchObject([{ note: "it's; so" }]);
    expect(rowsOf(decode(["1\t1\t1\ttrue\t\u0001\t\t"], { delimiter: "\t" }))).toMatchObject([{ note: "\u0001" }]);
  });

  it("that are none say why", () => {
    const found = rowsOf(decode(["", "1,2", "1,,,,,,,", '1,,,,"a', '1,,,,"a"b,,', '1,,,,a"b,,', "1,,,,,,\n2,,,,,,", "1,,,,\xff\n"]));
    expect(found.map((row) => (row as { fault: string }).fault)).toEqual([
      "csv.empty",
      "csv.cells",
      "csv.cells",
      "csv.truncated",
      "csv.quote",
      "csv.quote",
      "csv.several",
      "csv.cells",
    ]);
    expect(decode(["1,2"]).faults[0]?.message).toMatch(/: 2 cells, 7 columns$/);
  });

  it("have columns that the contract does not name judged by its policy", () => {
    const columns = [...Object.keys(fields), "extra"];
    expect(decode(["1,,,,,,,e"], { columns }, "reject").faults[0]?.message).toMatch(/"extra"/);
    const kept = decode(["1,,,,,,,é"], { columns }, "keep");
    expect(rowsOf({ ...kept, columns: [kept.unknown!] })).toEqual([{ _sluice_unknown: '{"extra":"é"}' }]);
  });

  it("come back as they were written (property)", () => {
    const cell = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "a", "ü") }));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 6 }), (cells) => {
        const columns = cells.map((_, i) => `c${i}`);
        const contract = makeContract(Object.fromEntries(columns.map((name) => [name, { type: "string" }])));
        const text = cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(",");
        const decodeCsv = compileCsv(contract, { format: "csv", columns, delimiter: ",", quote: '"', nullToken: "" });
        expect(rowsOf(decodeCsv(makeRecords([text])))).toEqual([Object.fromEntries(cells.map((one, i) => [`c${i}`, one]))]);
      }),
      { numRuns: 300 },
    );
  });
});
