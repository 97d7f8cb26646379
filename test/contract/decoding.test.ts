import { describe, expect, test } from "vitest";
import { loadContract } from "../../src/contract/load-contract.ts";
import { diagnosticsOf, documentOf, errorsOf, load } from "./contract-text.ts";

const orders = documentOf(`    properties:
      - { name: id, logicalType: integer }
      - { name: buyer, logicalType: object, properties: [{ name: name, logicalType: string }] }
    customProperties:
      - property: sluice
        value:
          decoding: { DECODING }
`);
const withDecoding = (decoding: string): string => orders.replace("DECODING", decoding);

const buyer = JSON.stringify({ type: "record", name: "Buyer", namespace: "shop", fields: [{ name: "name", type: "string" }] });
const order = JSON.stringify({
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "buyer", type: "Buyer" },
  ],
});
const orderProto = `syntax = "proto3"; package shop; import "shop/buyer.proto"; message Order { int64 id = 1; Buyer buyer = 2; } message Other {}`;
const buyerProto = `syntax = "proto3"; package shop; message Buyer { string name = 1; }`;

describe("decoding", () => {
  test("Avro: a schema file beside the contract, with the types that it refers to", async () => {
    const files = { "c/order.avsc": order, "c/types/buyer.avsc": buyer };
    const { contract, diagnostics } = await load(withDecoding("format: avro, schema: order.avsc, references: [types/buyer.avsc]"), files);
    expect(diagnostics).toEqual([]);
    expect(contract.format).toMatchObject({ format: "avro", text: order, schema: { type: "record", name: "shop.Order" } });
    const changed = await load(withDecoding("format: avro, schema: order.avsc, references: [types/buyer.avsc]"), {
      ...files,
      "c/types/buyer.avsc": `${buyer} `,
    });
    expect(changed.contract.hash).not.toBe(contract.hash);
    expect(contract.references?.map(({ path }) => path)).toEqual(["c/order.avsc", "c/types/buyer.avsc"]);
  });

  test("Protobuf: a file, its imports by the ends of their paths, and a message", async () => {
    const { contract, diagnostics } = await load(
      withDecoding("format: protobuf, schema: p/order.proto, references: [p/shop/buyer.proto], message: shop.Order"),
      { "c/p/order.proto": orderProto, "c/p/shop/buyer.proto": buyerProto },
    );
    expect(diagnostics).toEqual([]);
    expect(contract.format).toMatchObject({ format: "protobuf", message: { name: "shop.Order" } });
  });

  test("Protobuf: bytes that are no descriptor set", async () => {
    const text = withDecoding("format: protobuf, schema: order.binpb, message: shop.Order");
    const files: Readonly<Record<string, string | Uint8Array>> = {
      "c/contract.yaml": text,
      "c/order.binpb": Uint8Array.of(0xff, 0x80, 0x01),
    };
    await expect(loadContract("c/contract.yaml", (path) => Promise.resolve(files[path] as string))).rejects.toThrow(
      /order\.binpb can't be read/,
    );
  });

  test("columns that the schema does not have are named, nested ones too", async () => {
    const { diagnostics } = await load(withDecoding("format: avro, schema: order.avsc"), {
      "c/order.avsc": JSON.stringify({
        type: "record",
        name: "Order",
        fields: [{ name: "buyer", type: ["null", { type: "record", name: "B", fields: [{ name: "nam", type: "string" }] }] }],
      }),
    });
    expect(diagnostics.map(({ code, message, hint }) => [code, message, hint])).toEqual([
      ["column-not-in-schema", "Order has no field id, so id is always missing", null],
      ["column-not-in-schema", "B has no field name, so buyer.name is always missing", 'did you mean "nam"?'],
    ]);
  });

  test.each([
    ["format: avro", {}, ["15:21 schema-missing"]],
    ["format: avro, schema: gone.avsc", {}, ["15:45 file-not-found"]],
    ["format: avro, schema: bad.avsc", { "c/bad.avsc": `{"type":"record"}` }, ["15:37 schema-invalid"]],
    [
      "format: protobuf, schema: o.proto",
      { "c/o.proto": orderProto.replace(/import[^;]*;/, "").replace("Buyer", "string") },
      ["15:21 message-missing"],
    ],
    ["format: protobuf, schema: o.proto, message: shop.Ordr", { "c/o.proto": buyerProto }, ["15:58 message-unknown"]],
    ["format: protobuf, schema: o.proto", { "c/o.proto": orderProto }, ["15:41 schema-invalid"]],
    ["format: xml", {}, ["15:31 unknown-value"]],
  ])("%s", async (decoding, files, errors) => {
    expect(await errorsOf(withDecoding(decoding), files)).toEqual(errors);
  });

  test("Avro with a registry: the contract's schema is what the writers' are resolved to", async () => {
    const { contract, diagnostics } = await load(withDecoding("format: avro, framing: registry, schema: o.avsc, references: [b.avsc]"), {
      "c/o.avsc": order,
      "c/b.avsc": buyer,
    });
    expect(diagnostics.filter(({ severity }) => severity !== "info")).toEqual([]);
    expect(contract.record?.value).toMatchObject({ format: "registered", type: "avro", reader: { type: "record", name: "shop.Order" } });
    expect(await errorsOf(withDecoding("format: protobuf, framing: registry, schema: o.proto"), { "c/o.proto": orderProto })).toEqual([
      "15:60 schema-unused",
    ]);
  });

  test("an unknown message comes with the nearest name", async () => {
    const found = await diagnosticsOf(withDecoding("format: protobuf, schema: o.proto, message: shop.Buyr"), { "c/o.proto": buyerProto });
    expect(found.map(({ hint }) => hint)).toEqual(['did you mean "shop.Buyer"?']);
  });

  test("without the schemas, for those who only describe", async () => {
    const text = withDecoding("format: avro, schema: order.avsc");
    const nothing = (path: string): Promise<string> => Promise.resolve(path === "c/contract.yaml" ? text : "{}");
    const { contract } = await loadContract("c/contract.yaml", nothing, { withoutDecoding: true });
    expect(contract.fields.map(({ name }) => name)).toEqual(["id", "buyer"]);
    await expect(loadContract("c/contract.yaml", nothing)).rejects.toThrow(/is no Avro schema/);
  });
});
