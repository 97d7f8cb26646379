import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import avsc from "avsc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-avro-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, schema: avsc.Schema, rows: readonly unknown[]): Promise<void> {
  const encoder = avsc.createFileEncoder(path, schema, { codec: "deflate" });
  const over = new Promise<void>((resolve) => encoder.on("finish", () => setImmediate(resolve)));
  for (const row of rows) encoder.write(row);
  encoder.end();
  return over;
}

const decimal = { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } satisfies avsc.Schema;
/** Two writers: the later one has another order, a wider id, a renamed name, and a price. */
const first: avsc.Schema = {
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "int" },
    { name: "title", type: "string" },
  ],
};
const second: avsc.Schema = {
  type: "record",
  name: "Order",
  fields: [
    { name: "price", type: ["null", decimal] },
    { name: "note", type: ["null", "string"] },
    { name: "id", type: "long" },
  ],
};
/** The contract's own: `title` is an alias of `note`, a missing price is 1.00. */
const reader = {
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "long" },
    { name: "note", aliases: ["title"], type: ["null", "string"], default: null },
    { name: "price", type: decimal, default: "d" },
  ],
};

const contract = (settings: string): string => `apiVersion: v3.2.0
kind: DataContract
id: t
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - { name: id, logicalType: integer, required: true, logicalTypeOptions: { minimum: 5 } }
      - { name: note, logicalType: string, required: true }
      - { name: price, logicalType: number, physicalType: "decimal(9,2)", required: true }
    customProperties: [{ property: sluice, value: { ${settings} } }]
`;

const input = join(folder, "in");
const files = [join(input, "a.avro"), join(input, "b.avro")] as const;

interface Report {
  readonly records: number;
  readonly passed: number;
  readonly failures: readonly { readonly file: string; readonly line: number; readonly reasons: readonly { readonly rule: string }[] }[];
}

const failuresOf = ({ failures }: Report): string[] =>
  failures.map(({ file, line, reasons }) => `${file === files[1] ? "b" : "a"}:${line} ${reasons.map(({ rule }) => rule).join(" ")}`);

describe("Avro object container files", () => {
  beforeAll(async () => {
    mkdirSync(input);
    await write(files[0], first, [
      { id: 7, title: "x" },
      { id: 1, title: "y" },
    ]);
    await write(files[1], second, [
      { price: Buffer.of(0x30, 0x39), note: "z", id: 2 ** 40 },
      { price: null, note: null, id: 9 },
    ]);
    writeFileSync(join(folder, "reader.avsc"), JSON.stringify(reader));
  });

  it("are judged by their own schemas: columns take fields of their names", async () => {
    const file = join(folder, "plain.odcs.yaml");
    writeFileSync(file, contract(""));
    const { out, err, code } = await sluice(["check", file, input, "--json"]);
    expect([code, err]).toEqual([3, ""]);
    const report = JSON.parse(out) as Report;
    expect(report).toMatchObject({ records: 4, passed: 1 });
    expect(failuresOf(report)).toEqual([
      "a:1 note.required price.required",
      "a:2 id.range note.required price.required",
      "b:2 note.required price.required",
    ]);
  });

  it.each([
    ["framed records'", "decoding: { format: avro, framing: registry, schema: reader.avsc }"],
    ["bare records'", "decoding: { format: avro, schema: reader.avsc }"],
  ])("are resolved to the schema of a contract of %s", async (_of, settings) => {
    const file = join(folder, "resolved.odcs.yaml");
    writeFileSync(file, contract(settings));
    const parquet = join(folder, `parquet-${settings.length}`);
    const { out, err } = await sluice(["check", file, input, "--json", "--parquet", parquet]);
    expect(err).toBe("");
    const report = JSON.parse(out) as Report;
    expect(report).toMatchObject({ records: 4, passed: 2 });
    expect(failuresOf(report)).toEqual(["a:2 id.range", "b:2 note.required price.type"]);
  });

  it("are read from standard input", async () => {
    const file = join(folder, "resolved.odcs.yaml");
    writeFileSync(file, contract("decoding: { format: avro, framing: registry, schema: reader.avsc }"));
    const { out, err } = await sluice(["check", file, "-", "--format", "avro", "--json"], { input: readFileSync(files[0]) });
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({ records: 2, passed: 1 });
  });

  it("are refused with what to do", async () => {
    const file = join(folder, "plain.odcs.yaml");
    writeFileSync(file, contract(""));
    const bad = join(folder, "bad.avro");
    writeFileSync(bad, "{}");
    const one = await sluice(["check", file, bad]);
    expect([one.code, one.err]).toEqual([1, expect.stringContaining("does not begin as an object container file does") as string]);
    const mixed = join(folder, "rows.ndjson");
    writeFileSync(mixed, "{}\n");
    const two = await sluice(["check", file, mixed, files[0]]);
    expect(two.err).toContain("CSV, Avro and raw files stand alone");
    writeFileSync(bad, readFileSync(files[0]).subarray(0, -1));
    const three = await sluice(["check", file, bad]);
    expect(three.err).toContain("it ends within block 1");
  });

  it("go into the lake; what failed keeps its bytes and schema, is shown decoded, and is replayed", async () => {
    const file = join(folder, "lake.odcs.yaml");
    const settings = "decoding: { format: avro, framing: registry, schema: reader.avsc }";
    writeFileSync(file, contract(settings));
    const config = join(folder, "sluice.yaml");
    writeFileSync(config, "source: { kind: files, paths: [in] }\ndatasets: [{ contract: lake.odcs.yaml }]\nhttp: { enabled: false }\n");
    const run = await sluice(["run", "--config", config]);
    expect([run.code, run.code === 0 ? "" : run.err]).toEqual([0, ""]);
    const listed = JSON.parse((await sluice(["quarantine", "list", "--config", config, "--json"])).out) as { records: { id: string }[] };
    const decoded: string[] = [];
    for (const { id } of listed.records) {
      const shown = await sluice(["quarantine", "show", id, "--config", config, "--json"]);
      decoded.push((JSON.parse(shown.out) as { decoded: string }).decoded);
    }
    expect(decoded.toSorted((a, b) => a.localeCompare(b))).toEqual([
      '{"id": 1, "note": "y", "price": 1.00}',
      '{"id": 9, "note": null, "price": null}',
    ]);
    writeFileSync(file, contract(settings).replace("minimum: 5", "minimum: 0").replace("version: 1.0.0", "version: 1.0.1"));
    const replayed = await sluice(["quarantine", "replay", "--config", config, "--json"]);
    expect(JSON.parse(replayed.out)).toMatchObject({ replayed: 2, promoted: 1, failed: 1 });
  });
});
