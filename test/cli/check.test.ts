import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, it } from "vitest";
import { sluice } from "./sluice.ts";

const home = resolve(import.meta.dirname, "../..");
const contract = join(home, "schemas/examples/flights.odcs.yaml");
const flights = join(home, "examples/nyc-flights-2013.parquet");
const folder = mkdtempSync(join(tmpdir(), "sluice-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

const good = {
  flight_date: 20130101,
  sched_hour: "2013-01-01T10:00:00Z",
  sched_dep_hhmm: 515,
  sched_arr_hhmm: 819,
  dep_hhmm: 517,
  arr_hhmm: 830,
  dep_delay_min: 2,
  arr_delay_min: 11,
  carrier: "UA",
  flight_number: 1545,
  tailnum: "N14228",
  origin: "EWR",
  dest: "IAH",
  air_time_min: 227,
  distance_mi: 1400,
  temp_f: 39,
  wind_mph: 12.5,
  precip_in: 0,
  visibility_mi: 10,
};
const line = (change: object, number: number): string => JSON.stringify({ ...good, flight_number: number, ...change });

function write(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

interface CheckJson {
  readonly records: number;
  readonly passed: number;
  readonly failed: number;
  readonly rules: readonly { readonly rule: string; readonly failed: number; readonly status: string }[];
  readonly windows: readonly { readonly verdict: string }[];
  readonly failures: readonly { readonly file: string; readonly line: number; readonly reasons: readonly { readonly rule: string }[] }[];
}

describe("sluice check", () => {
  it("judges files without any record as one empty window, so that a rule on the number of rows is not passed by in silence", async () => {
    const rules = join(folder, "rows.odcs.yaml");
    const document = (limit: number): string => `apiVersion: v3.1.0
kind: DataContract
id: rows
version: 1.0.0
status: active
schema:
  - name: rows
    properties: [{ name: id, logicalType: integer }]
    quality: [{ id: some, metric: rowCount, mustBeGreaterOrEqualTo: ${limit} }]
`;
    const file = join(folder, "none.ndjson");
    writeFileSync(file, "");
    writeFileSync(rules, document(1));
    const few = await sluice(["check", rules, file]);
    expect(few.code).toBe(3);
    expect(few.out).toContain("some: 0 rows in the window, must be at least 1");
    writeFileSync(rules, document(0));
    const enough = await sluice(["check", rules, file, "--json"]);
    expect(enough.code).toBe(0);
    expect(JSON.parse(enough.out)).toMatchObject({ records: 0, windows: [{ rows: 0, verdict: "promote" }] });
  });

  it("passes good rows with 0", async () => {
    const file = write("good.ndjson", [line({}, 1), line({}, 2)]);
    const { code, out, err } = await sluice(["check", contract, file]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/2 records: 2 pass, 0 fail\n$/);
  });

  it("reads CSV by its header, in files and on standard input, and refuses files whose columns differ", async () => {
    const small = write("small.odcs.yaml", [
      "apiVersion: v3.2.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    properties:",
      "      - { name: id, logicalType: integer, required: true }\n      - { name: note, logicalType: string }",
    ]);
    const text = 'note,id\r\n"a, b\n""c""",1\r\nx,2\nbad,z\n"open",4';
    const file = write("rows.csv", [text]);
    const { code, out } = await sluice(["check", small, file]);
    expect([code, out.split("\n")[0]]).toEqual([3, `${file}:4: id.type: id is "z", expected a whole number of 64 bits`]);
    expect(out).toMatch(/4 records: 3 pass, 1 fail\n$/);
    const piped = await sluice(["check", small, "-", "--format", "csv"], { input: text });
    expect([piped.code, piped.out.endsWith("4 records: 3 pass, 1 fail\n")]).toEqual([3, true]);
    const other = write("other.csv", ["id,note", "1,a"]);
    expect((await sluice(["check", small, file, other])).err).toMatch(/has other columns \(id, note\) than the file before it/);
  });

  it("reads Parquet on standard input, whole or not at all, and leaves nothing of it behind", async () => {
    const small = write("piped.odcs.yaml", [
      "apiVersion: v3.2.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    properties:",
      "      - { name: id, logicalType: integer, required: true }\n      - { name: note, logicalType: string }",
    ]);
    const whole = parquetWriteBuffer({
      columnData: [
        { name: "id", data: [1n, 2n, null], type: "INT64" },
        { name: "note", data: ["a", null, "c"], type: "STRING" },
      ],
    });
    const room = join(folder, "room");
    mkdirSync(room);
    const env = { TMPDIR: room };
    const { code, out } = await sluice(["check", small, "-", "--format", "parquet"], { input: new Uint8Array(whole), env });
    expect([code, out.split("\n")[0]]).toEqual([3, "-:3: id.required: id is null, expected a value"]);
    expect(out).toMatch(/3 records: 2 pass, 1 fail\n$/);
    const cut = await sluice(["check", small, "-", "--format", "parquet"], { input: new Uint8Array(whole.slice(0, -3)), env });
    expect([cut.code, cut.err]).toEqual([1, expect.stringMatching(/standard input can't be read: .*\[FILE_UNREADABLE\]/) as string]);
    const nowhere = await sluice(["check", small, "-", "--format", "parquet"], {
      input: new Uint8Array(whole),
      env: { TMPDIR: join(room, "none") },
    });
    expect(nowhere.err).toMatch(/standard input can't be kept in .*none.*\[FILE_UNREADABLE\]/);
    expect(readdirSync(room).filter((name) => name.startsWith("sluice-input"))).toEqual([]);
  });

  it("judges lines of change events and of CloudEvents with their envelopes", async () => {
    const enveloped = (name: string, envelope: string): string =>
      write(name, [
        "apiVersion: v3.2.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    properties:",
        "      - { name: op, logicalType: string }\n      - { name: id, logicalType: integer, required: true }",
        `    customProperties: [{ property: sluice, value: { envelope: ${envelope} } }]`,
      ]);
    const changes = write("changes.ndjson", ['{"op":"c","after":{"id":1}}', '{"op":"u","after":{"id":"x"}}', '{"id":1}']);
    const debezium = await sluice([
      "check",
      enveloped("dbz.odcs.yaml", "{ type: debezium, columns: [{ column: op, from: op }] }"),
      changes,
    ]);
    expect(debezium.out).toMatch(/changes\.ndjson:2: id\.type.*\n.*changes\.ndjson:3: debezium\.not-change/);
    const event = '{"specversion":"1.0","id":"e","source":"/s","type":"t","data":{"id":1}}';
    const events = write("events.ndjson", [event, "{}"]);
    const cloud = await sluice(["check", enveloped("ce.odcs.yaml", "{ type: cloudevents, columns: [{ column: op, from: id }] }"), events]);
    expect(cloud.out).toMatch(/events\.ndjson:2: cloudevents\.version/);
    expect(cloud.out).toMatch(/2 records: 1 pass, 1 fail\n$/);
  });

  it("judges records as they stand in the topic, by schemas in a folder", async () => {
    const framed = write("framed.odcs.yaml", [
      "apiVersion: v3.2.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nservers: [{ server: s, type: kafka, host: h, format: avro }]\nschema:\n  - name: t\n    properties:",
      "      - { name: id, logicalType: integer, required: true, logicalTypeOptions: { minimum: 5 } }",
    ]);
    const schemas = mkdtempSync(join(folder, "schemas-"));
    writeFileSync(join(schemas, "7.avsc"), '{"type":"record","name":"R","fields":[{"name":"id","type":"shop.Id"}]}');
    writeFileSync(join(schemas, "shop.Id.avsc"), '{"type":"fixed","name":"shop.Id","size":1}');
    writeFileSync(join(schemas, "8.avsc"), '{"type":"record","name":"R","fields":[{"name":"id","type":"long"}]}');
    const record = (name: string, bytes: readonly number[]): string => {
      writeFileSync(join(folder, name), Uint8Array.from(bytes));
      return join(folder, name);
    };
    const files = [record("a.bin", [0, 0, 0, 0, 8, 20]), record("b.bin", [0, 0, 0, 0, 8, 2]), record("c.bin", [0, 0, 0, 0, 9, 2])];
    const { code, out } = await sluice(["check", framed, ...files, "--format", "raw", "--registry", schemas]);
    expect(code).toBe(3);
    expect(out).toContain(`${files[1]}:1: id.range`);
    expect(out).toMatch(/c\.bin:1: registry\.unknown-id: .*has no schema 9/);
    expect(out).toMatch(/3 records: 1 pass, 2 fail\n$/);
    const without = await sluice(["check", framed, ...files, "--format", "raw"]);
    expect([without.code, /no schema registry/.test(without.err)]).toEqual([1, true]);
  });

  it("names file, line and every reason of failing rows, and ends with 3", async () => {
    const bad = [line({}, 1), "", line({ carrier: "??", distance_mi: -1 }, 2), '{"carrier": "UA"', line({ dep_delay_min: "late" }, 3)];
    const file = write("bad.ndjson", bad);
    const { code, out } = await sluice(["check", contract, file]);
    expect(code).toBe(3);
    expect(out).toContain(`${file}:3: carrier_known: carrier is ??`);
    expect(out).toContain(`${file}:3: distance_mi.range: `);
    expect(out).toContain(`${file}:4: json.truncated: `);
    expect(out).toContain(`${file}:5: dep_delay_min.type: `);
    expect(out).toMatch(/4 records: 1 pass, 3 fail\n$/);
  });

  it("does so as JSON, over several files", async () => {
    const first = write("a.ndjson", [line({}, 1), line({ distance_mi: -1 }, 2)]);
    const second = write("b.ndjson", [line({ origin: "XXX" }, 3)]);
    const { code, out } = await sluice(["check", contract, first, second, "--json"]);
    const report = JSON.parse(out) as CheckJson;
    expect(code).toBe(3);
    expect([report.records, report.passed, report.failed]).toEqual([3, 1, 2]);
    expect(report.failures.map((one) => [one.file, one.line, one.reasons.map((reason) => reason.rule)])).toEqual([
      [first, 2, ["distance_mi.range"]],
      [second, 1, ["origin_in_new_york"]],
    ]);
    expect(report.rules.find((one) => one.rule === "distance_mi.range")).toMatchObject({ failed: 1, status: "fail" });
    // One of three rows is beyond the rule's tolerance of 10 percent.
    expect(report.windows.map((one) => one.verdict)).toEqual(["hold"]);
  });

  it("reads standard input", async () => {
    const { code, out } = await sluice(["check", contract, "-"], { input: `${line({}, 1)}\n${line({ dest: "x" }, 2)}\n` });
    expect(code).toBe(3);
    expect(out).toContain("-:2: dest.pattern: ");
  });

  it("makes control characters of records visible", async () => {
    const file = write("escape.ndjson", [line({ carrier: "\u001b[31mX" }, 1)]);
    const { out } = await sluice(["check", contract, file]);
    expect(out).not.toContain("\u001b");
    expect(out).toContain("\\u001b[31mX");
  });

  it("masks what the contract classifies", async () => {
    const file = write("masked.ndjson", [line({ tailnum: "secret-tail" }, 1)]);
    const { out } = await sluice(["check", contract, file, "--json"]);
    expect(out).toContain("tailnum.length");
    expect(out).not.toContain("secret-tail");
  });

  it("finds the example data clean, row groups and all, in bounded memory", async () => {
    const { code, out } = await sluice(["check", contract, flights, "--json"], { env: { NODE_OPTIONS: "--max-old-space-size=256" } });
    const report = JSON.parse(out) as CheckJson;
    expect([code, report.records, report.failed]).toEqual([0, 336_776, 0]);
    expect(report.windows.length).toBeGreaterThan(20);
  });

  it.each([
    ["a contract that is not there", ["nowhere.yaml", "x.ndjson"], 1, /nowhere\.yaml: there is no such file/],
    ["a file that is not there", [contract, "nowhere.ndjson"], 1, /nowhere\.ndjson/],
    ["standard input and a file", [contract, "-", "x.ndjson"], 2, /stands alone/],
  ])("refuses %s", async (_title, args, expected, says) => {
    const { code, err } = await sluice(["check", ...args]);
    expect(code).toBe(expected);
    expect(err).toMatch(says);
  });

  it("ends quietly when its reader goes away", async () => {
    const file = write(
      "many.ndjson",
      Array.from({ length: 20_000 }, (_, i) => line({ carrier: "??" }, i)),
    );
    const child = spawn("sh", ["-c", `"${join(home, "bin/sluice")}" check "${contract}" "${file}" --limit 20000 | head -n 1`]);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.resume();
    await new Promise((settle) => child.on("close", settle));
    expect(err).toBe("");
  });
});

describe("sluice contract lint", () => {
  it("says that the example is good", async () => {
    const { code, out } = await sluice(["contract", "lint", contract]);
    expect(code).toBe(0);
    expect(out).toMatch(/good: flights, version 1\.0\.0/);
  });

  it("gives every error its place, and ends with 3", async () => {
    const broken = readFileSync(contract, "utf8")
      .replace("logicalType: timestamp", "logicalType: timestmp")
      .replace("status: active", "stauts: active");
    const file = join(folder, "broken.odcs.yaml");
    writeFileSync(file, broken);
    const { code, out } = await sluice(["contract", "lint", file]);
    expect(code).toBe(3);
    const places = out.split("\n").filter((one) => /broken\.odcs\.yaml:\d+:\d+: error: /.test(one));
    expect(places.length).toBeGreaterThanOrEqual(2);
    expect(out).toMatch(/timestamp/);
  });
});

describe("sluice contract lint of a contract with an Avro schema", () => {
  it("names the columns that the schema can't fill, at their place", async () => {
    const file = join(folder, "avro.odcs.yaml");
    writeFileSync(
      join(folder, "thing.avsc"),
      `{ "type": "record", "name": "Thing", "fields": [{ "name": "id", "type": "string" }, { "name": "extra", "type": ["null", "int"] }] }`,
    );
    writeFileSync(
      file,
      `apiVersion: v3.1.0
kind: DataContract
id: things
version: 1.0.0
status: active
schema:
  - name: things
    properties:
      - { name: id, logicalType: integer }
      - { name: extra, logicalType: object }
      - { name: gone, logicalType: string }
    customProperties:
      - { property: sluice, value: { decoding: { format: avro, schema: thing.avsc } } }
`,
    );
    const { code, out } = await sluice(["contract", "lint", file]);
    expect(code).toBe(0);
    expect(out).toMatch(/:9:\d+: warning: id is long in the contract and string in Avro: such values are refused/);
    expect(out).toMatch(/warning: Thing has no field gone, so gone is always missing/);
    expect(out).toMatch(/info: records are decoded by the interpreter, not by compiled code: id can't take what is written/);
  });
});

describe("rules that look beyond the window", () => {
  const beyond = join(folder, "beyond.odcs.yaml");
  writeFileSync(
    beyond,
    `apiVersion: v3.1.0
kind: DataContract
id: beyond
version: 1.0.0
status: active
schema:
  - name: things
    physicalName: things
    physicalType: topic
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true }
    quality:
      - { id: once, type: custom, engine: sluice, implementation: { check: duplicate, columns: [id], scope: dataset } }
      - { id: few, type: sql, query: "SELECT max(id) FROM {object}", mustBeLessThan: 5 }
      - { id: known, type: custom, engine: sluice, implementation: { check: foreignKey, column: id, dataset: others } }
`,
  );

  it("are judged over the file as far as it goes, and say where they can't be", async () => {
    const { code, out } = await sluice(["check", beyond, write("beyond.ndjson", ['{"id":1}', '{"id":5}', '{"id":1}']), "--json"]);
    expect(code).toBe(3);
    const report = JSON.parse(out) as {
      failures: { line: number }[];
      rules: { rule: string; breach: string | null; note?: string }[];
    };
    expect(report.failures.map((each) => each.line)).toEqual([3]);
    const rule = (id: string): object | undefined => report.rules.find((each) => each.rule === id);
    expect(rule("few")).toMatchObject({ status: "fail", breach: "few: the query answered 5, must be less than 5" });
    expect(rule("known")).toMatchObject({ failed: 0, note: "not judged: there are no other datasets here" });
  });
});

describe("sequences", () => {
  const counted = join(folder, "counted.odcs.yaml");
  writeFileSync(
    counted,
    `apiVersion: v3.1.0
kind: DataContract
id: counted
version: 1.0.0
status: active
schema:
  - name: things
    physicalName: things
    physicalType: topic
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: box, logicalType: string, classification: restricted }
    quality:
      - { id: counts, type: custom, engine: sluice, implementation: { check: sequence, column: id, by: [box] } }
    customProperties:
      - { property: sluice, value: { window: { rows: 20000 } } }
`,
  );
  const of = (box: string, ...ids: readonly number[]): string[] => ids.map((id) => `{"id":${id},"box":"${box}"}`);
  /** As many numbers as several windows take. */
  const many = (from: number): number[] => Array.from({ length: 60_000 }, (_, i) => from + i);

  it("go on over the windows of a file, and name the first breaks", async () => {
    const lines = [...of("a", 1, 2), ...of("b", 7), ...of("a", 3, 6), ...of("b", 8, 8), ...of("a", ...many(7)), ...of("b", 8)];
    const file = write("counted.ndjson", lines);
    const { code, out } = await sluice(["check", counted, file, "--json"]);
    expect(code).toBe(3);
    const report = JSON.parse(out) as {
      failures: { line: number; reasons: { message: string }[] }[];
      windows: readonly unknown[];
      rules: { rule: string; failed: number; status: string; note?: string }[];
    };
    expect(report.windows.length).toBeGreaterThan(1);
    expect(report.failures.map(({ line, reasons }) => [line, reasons.map(({ message }) => message)])).toEqual([
      [7, ["id is 8, expected 9, after 8"]],
      [60_008, ["id is 8, expected 9, after 8"]],
    ]);
    expect(report.rules.find(({ rule }) => rule === "counts")).toMatchObject({
      failed: 3,
      status: "fail",
      note: "1 gap, 1 repeat: partition 0 offset 4 is 6, expected 4; partition 0 offset 6 is 8, expected 9; and in later windows",
    });
    const text = await sluice(["check", counted, file]);
    expect(text.out).toContain("partition 0 offset 4 is 6, expected 4");
  });

  it("are clean where nothing is left out", async () => {
    const { code } = await sluice(["check", counted, write("whole.ndjson", [...of("a", 5, 6, 7), ...of("b", 1), ...of("a", 8)])]);
    expect(code).toBe(0);
  });
});

describe("what check writes", () => {
  const rules = join(folder, "written.odcs.yaml");
  writeFileSync(
    rules,
    `apiVersion: v3.1.0
kind: DataContract
id: written
version: 1.0.0
status: active
schema:
  - name: things
    physicalName: things
    physicalType: topic
    logicalType: object
    properties:
      - { name: id, logicalType: integer, physicalType: bigint, required: true, logicalTypeOptions: { maximum: 59999 } }
      - { name: text, logicalType: string }
    customProperties:
      - { property: sluice, value: { window: { rows: 20000 } } }
`,
  );
  const value = (id: number): string => `{"id":${id},"text":"${"x".repeat(100 + (id % 97))}"}`;

  /** Large enough for engine threads, and for memory that is used again; lines of many lengths lie across its pieces. */
  it("is every failing row, the profile, and the rows that passed", async () => {
    const count = 60_500;
    const file = write(
      "large.ndjson",
      Array.from({ length: count }, (_, id) => value(id)),
    );
    const [failures, profile, parquet] = ["failures.ndjson", "profile.json", "passed"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const { code, out } = await sluice([
      "check",
      rules,
      file,
      "--limit",
      "0",
      "--json",
      "--failures",
      failures,
      "--profile",
      profile,
      "--parquet",
      parquet,
    ]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ records: count, passed: 60_000, failed: 500 });
    const lines = readFileSync(failures, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { file: string; line: number; reasons: { message: string }[] });
    expect(lines.map((each) => each.line)).toEqual(Array.from({ length: 500 }, (_, i) => 60_001 + i));
    expect(lines[0]).toMatchObject({ file, reasons: [{ rule: "id.range", message: "id is 60000, expected at most 59999" }] });
    const shown = JSON.parse(readFileSync(profile, "utf8")) as { rows: number; columns: { path: string; min: string; max: string }[] };
    expect(shown.rows).toBe(60_000);
    expect(shown.columns[0]).toMatchObject({ path: "id", min: "0", max: "59999" });
    const ids: number[] = [];
    const texts: string[] = [];
    for (const name of readdirSync(parquet).toSorted()) {
      const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(parquet, name)), columns: ["id", "text"], compressors });
      for (const { id, text } of rows) {
        ids.push(Number(id));
        texts.push(String(text));
      }
    }
    expect(ids).toEqual(Array.from({ length: 60_000 }, (_, id) => id));
    expect(texts.every((text, id) => text.length === 100 + (id % 97))).toBe(true);
  });

  it("is the profile of a window alone, as that of several windows is, and of none", async () => {
    const profile = join(folder, "alone.json");
    const checked = async (lines: readonly string[]): Promise<{ rows: number; columns: readonly object[] }> => {
      await sluice(["check", rules, write("alone.ndjson", lines), "--limit", "0", "--profile", profile]);
      return JSON.parse(readFileSync(profile, "utf8")) as { rows: number; columns: object[] };
    };
    const alone = await checked([value(1), value(5), value(60_001)]);
    expect(alone.rows).toBe(2);
    expect(alone.columns[0]).toMatchObject({ path: "id", count: 2, min: "1", max: "5", distinct: 2 });
    const none = await checked([value(60_001)]);
    expect(none.rows).toBe(0);
    expect(none.columns.map((column) => Object.keys(column))).toEqual(alone.columns.map((column) => Object.keys(column)));
  });
});
