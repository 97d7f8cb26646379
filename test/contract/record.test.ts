import { describe, expect, test } from "vitest";
import { lintContract } from "../../src/contract/lint-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import { diagnosticsOf, documentOf, load } from "./contract-text.ts";

const document = documentOf(`    properties:
      - { name: id, logicalType: integer }
      - { name: city, logicalType: string, physicalName: town }
      - { name: op, logicalType: string }
      - { name: at, logicalType: timestamp }
      - { name: inner, logicalType: object, properties: [{ name: x, logicalType: string }] }
    customProperties: [{ property: sluice, value: { SETTINGS } }]
`);
const server = (format: string): string => `servers: [{ server: s, type: kafka, host: h, format: ${format} }]\n`;
const withSettings = (settings: string, rest = ""): string => document.replace("SETTINGS", settings) + rest;
const planOf = async (settings: string, rest = ""): Promise<Pick<Contract, "format" | "record">> => {
  const { format, record } = (await load(withSettings(settings, rest))).contract;
  return { ...(format !== undefined && { format }), ...(record !== undefined && { record }) };
};
const codesOf = async (settings: string, rest = ""): Promise<string[]> =>
  (await diagnosticsOf(withSettings(settings, rest))).map(({ code }) => code);
const registered = (type: string): object => ({ format: "registered", type, validate: false });

describe("a record's plan", () => {
  test("is JSON where nothing is said, and has no more to it", async () => {
    expect(await planOf("")).toEqual({ format: { format: "json" } });
    expect(await planOf("key: { column: city }")).toEqual({ format: { format: "json" } });
    expect((await load(withSettings("key: { column: city }"))).contract.policies.key).toEqual({ action: "column", name: "city" });
  });

  test("takes the format of the Kafka server, and a registry where that format needs a schema that nobody names", async () => {
    expect((await planOf("", server("avro"))).record?.value).toEqual(registered("avro"));
    expect((await load(withSettings("", server("avro")))).diagnostics.map(({ code }) => code)).toContain("framing-assumed");
    expect((await planOf("", server("Proto"))).record?.value).toEqual(registered("protobuf"));
    expect((await planOf("", server("MsgPack"))).record?.value).toEqual({ format: "messagepack" });
    expect(await planOf("", server("JSON"))).toEqual({ format: { format: "json" } });
    expect((await load(withSettings("", server("xml")))).contract.unenforced).toContainEqual(expect.stringContaining("xml"));
    const differing = await load(withSettings("decoding: { format: cbor }", server("json")));
    expect(differing.diagnostics.map(({ code }) => code)).toContain("format-differs");
    expect(differing.contract.record?.value).toEqual({ format: "cbor" });
    const two = "servers: [{ server: s, type: kafka, host: h, format: csv }, { server: t, type: kafka, host: h, format: cbor }]\n";
    expect(await codesOf("", two)).toEqual(["format-ambiguous"]);
  });

  test("frames", async () => {
    expect((await planOf("decoding: { framing: registry, validate: true }")).record?.value).toEqual({
      format: "registered",
      type: "json",
      validate: true,
    });
    expect((await planOf("decoding: { format: avro, framing: registry }")).record?.value).toEqual(registered("avro"));
    expect(await codesOf("decoding: { format: csv, framing: registry }")).toEqual(["framing-format"]);
    const unused = await diagnosticsOf(withSettings("decoding: { format: protobuf, framing: registry, schema: a.proto }"), {
      "c/a.proto": "",
    });
    expect(unused.map(({ code }) => code)).toEqual(["schema-unused"]);
    expect(await codesOf("decoding: { format: avro, framing: none }")).toEqual(["schema-missing"]);
    const drift = "drift: { schema: {} }";
    const fixed = withSettings(`decoding: { format: avro, framing: none, schema: a.avsc }, ${drift}`);
    const avsc = { "c/a.avsc": '{"type":"record","name":"A","fields":[{"name":"id","type":"long"}]}' };
    expect((await diagnosticsOf(fixed, avsc)).map(({ code }) => code)).toContain("drift-schema-format");
    expect((await planOf(`decoding: { format: avro, framing: registry }, ${drift}`)).record?.value).toEqual(registered("avro"));
    expect(await codesOf("decoding: { validate: true }")).toEqual(["validate-format"]);
  });

  test("CSV", async () => {
    expect((await planOf("decoding: { format: csv }, key: { column: op }")).record).toEqual({
      value: { format: "csv", columns: ["id", "town", "at", "inner"], delimiter: ",", quote: '"', nullToken: "" },
      envelope: null,
      key: { value: { format: "text" }, columns: [{ column: "op", path: [] }] },
    });
    const given = await load(
      withSettings(`decoding: { format: csv, csv: { columns: [town, extra, id], delimiter: ";", nullToken: "NULL" } }`),
    );
    expect(given.contract.record?.value).toMatchObject({ columns: ["town", "extra", "id"], delimiter: ";", nullToken: "NULL" });
    expect(given.diagnostics.map(({ message }) => message)).toContainEqual(expect.stringContaining('no cell is "op"'));
    expect(await codesOf(`decoding: { format: csv, csv: { delimiter: "''" } }`)).toEqual(["malformed-value"]);
    expect(await codesOf(`decoding: { format: csv, csv: { delimiter: "'", quote: "'" } }`)).toEqual(["csv-characters"]);
    expect(await codesOf("decoding: { csv: {} }")).toEqual(["csv-unused"]);
  });

  test("envelopes", async () => {
    expect((await planOf("envelope: cloudevents")).record?.envelope).toEqual({
      kind: "cloudevents",
      mode: "either",
      dataSchemas: null,
      columns: [],
    });
    expect(
      (
        await planOf(
          "envelope: { type: debezium, deletes: before, columns: [{ column: op, from: op }, { column: at, from: source.ts_ms }] }",
        )
      ).record?.envelope,
    ).toEqual({
      kind: "debezium",
      deletes: "before",
      columns: [
        { column: "op", path: ["op"] },
        { column: "at", path: ["source", "ts_ms"] },
      ],
    });
    expect((await planOf("envelope: { type: cloudevents, mode: binary, dataSchemas: ['urn:a'] }")).record?.envelope).toMatchObject({
      mode: "binary",
      dataSchemas: ["urn:a"],
    });
    expect(await codesOf("envelope: { type: debezium, mode: binary }")).toEqual(["envelope-setting"]);
    expect(await codesOf("envelope: { type: cloudevents, deletes: before }")).toEqual(["envelope-setting"]);
    expect(await codesOf("envelope: debezium, decoding: { format: csv }")).toEqual(["envelope-format"]);
    expect(await codesOf("envelope: cloudevents, decoding: { format: avro, framing: registry }")).toEqual(["envelope-framing"]);
    expect(await codesOf("envelope: { type: debezium, columns: [{ column: opp, from: op }] }")).toEqual(["column-unknown"]);
    expect(await codesOf("envelope: { type: debezium, columns: [{ column: op, from: a..b }] }")).toEqual(["path"]);
    const from = (a: string, b: string): string =>
      `envelope: { type: debezium, columns: [{ column: city, from: ${a} }, { column: at, from: ${b} }] }`;
    expect(await codesOf(from("source", "source.ts_ms"))).toEqual(["path-overlap"]);
    expect(await codesOf(from("source.ts_ms", "source.ts_ms"))).toEqual(["path-overlap"]);
    expect(await codesOf(from("after.x", "ts_ms"))).toEqual(["path"]);
    expect(await codesOf(from("source.db", "op"))).toEqual(["column-type"]);
    expect(await codesOf("envelope: { type: debezium, columns: [{ column: inner.x, from: op }] }")).toEqual(["column-nested"]);
    expect(await codesOf("envelope: { type: debezium, columns: [{ column: op, from: op }] }, key: { column: op }")).toEqual([
      "column-taken",
    ]);
  });

  test("deletes that nobody could tell from rows are linted", async () => {
    const lint = async (columns: string): Promise<string[]> =>
      lintContract((await load(withSettings(`envelope: { type: debezium, deletes: before${columns} }`))).contract).map(({ code }) => code);
    expect(await lint("")).toEqual(["deletes-unmarked"]);
    expect(await lint(", columns: [{ column: op, from: op }]")).toEqual([]);
  });

  test("keys", async () => {
    expect((await planOf("key: { column: id, format: long }")).record).toEqual({
      value: { format: "json" },
      envelope: null,
      key: { value: { format: "long" }, columns: [{ column: "id", path: [] }] },
    });
    expect((await planOf("key: { column: id }")).record?.key).toEqual({ value: { format: "text" }, columns: [{ column: "id", path: [] }] });
    expect(
      (await planOf("key: { format: avro, framing: registry, columns: [{ column: id, from: id }, { column: city, from: geo.city }] }"))
        .record?.key,
    ).toEqual({
      value: registered("avro"),
      columns: [
        { column: "id", path: ["id"] },
        { column: "city", path: ["geo", "city"] },
      ],
    });
    const files = { "c/key.avsc": '"long"' };
    const { contract } = await load(withSettings("key: { format: avro, schema: key.avsc, column: id }"), files);
    expect(contract.record?.key?.value).toMatchObject({ format: "avro", schema: { type: "long" } });
    expect(contract.references?.map(({ path }) => path)).toEqual(["c/key.avsc"]);
    expect(await codesOf("key: { column: city, format: long }")).toEqual(["column-type"]);
    expect(await codesOf("key: { column: inner }")).toEqual(["column-type"]);
    expect(await codesOf("key: { format: long, columns: [{ column: id, from: x }] }")).toEqual(["key-format"]);
    expect(await codesOf("key: { format: protobuf, column: id, framing: registry }")).toEqual(["key-format"]);
    expect(await codesOf("key: { format: text, column: city, framing: registry }")).toEqual(["key-setting"]);
    expect(await codesOf("key: { format: avro, column: id }")).toEqual(["schema-missing"]);
    expect(await codesOf("key: { format: json }")).toEqual(["missing-key"]);
  });
});
