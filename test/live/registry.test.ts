import avro from "avsc";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ended, sluice, start } from "../cli/sluice.ts";
import { framed } from "../codecs/records/record-fixture.ts";
import { catalogTables } from "../conservation/iceberg-files.ts";
import { produce } from "./harness/produce.ts";
import { pythonHere, pythonReaders, runPython } from "./harness/python-readers.ts";
import { kafkaHere, sharedBroker } from "./harness/shared-broker.ts";
import { registryHere, testRegistry } from "./harness/test-registry.ts";
import type { TestRegistry } from "./harness/test-registry.ts";
import { createTopic, uniqueTopic } from "./harness/topics.ts";

const contractOf = (dataset: string, topic: string, format: string, properties: string, settings: string): string => `apiVersion: v3.2.0
kind: DataContract
id: ${dataset}
version: 1.0.0
status: active
servers: [{ server: here, type: kafka, host: localhost, format: ${format} }]
schema:
  - name: ${dataset}
    physicalName: ${topic}
    physicalType: topic
    properties: [${properties}]
    customProperties:
      - property: sluice
        value: { window: { seconds: 1 }, ${settings} }
`;

const property = (name: string, type: string, more = ""): string => `{ name: ${name}, logicalType: ${type}${more} }`;

const orderV1 = {
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: "string" },
  ],
};
const orderV2 = {
  type: "record",
  name: "Order",
  fields: [
    { name: "placed", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "id", type: "int" },
    { name: "note", type: ["null", "string"] },
    {
      name: "lines",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Line",
          fields: [
            { name: "sku", type: "string" },
            { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
          ],
        },
      },
    },
  ],
};
const orderV3 = {
  type: "record",
  name: "Order",
  fields: [
    { name: "note", type: "string" },
    { name: "id", type: "long" },
  ],
};
/** Bytes of a value of a schema, without logical types: avsc writes what stands for them. */
const bytesOf = (schema: object, value: unknown): Buffer => avro.Type.forSchema(schema as never).toBuffer(value);

const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};

/** The rows of the table's current files; PyIceberg's own reader makes an empty list of a null one of structs, so PyArrow reads what it plans. */
const readTable = `
import json, sys
import pyarrow.parquet as parquet
from pyiceberg.table import StaticTable
files = [task.file.file_path for task in StaticTable.from_metadata(sys.argv[1]).scan().plan_files()]
rows = [row for path in files for row in parquet.read_table(path.removeprefix("file://")).to_pylist()]
print(json.dumps([{k: v for k, v in row.items() if not k.startswith("_sluice")} for row in rows], default=str))
`;

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 150_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out: not within 150 s: ${what}`);
    await sleep(100);
  }
}

/** What one try of the test has to itself, so that a second one meets nothing of the first: registry, topics, lake and configuration. */
interface Stand {
  readonly folder: string;
  readonly config: string;
  readonly topics: Readonly<Record<"orders" | "payments" | "events" | "customers", string>>;
  readonly registry: TestRegistry;
  readonly brokers: string;
}

function contractsOf(topics: Stand["topics"]): Readonly<Record<string, string>> {
  const line =
    "{ name: lines, logicalType: array, items: { logicalType: object, properties: [{ name: sku, logicalType: string }, { name: price, logicalType: number, physicalType: 'decimal(9,2)' }] } }";
  return {
    orders: contractOf(
      "orders",
      topics.orders,
      "avro",
      [
        property("id", "integer", ", required: true"),
        property("note", "string"),
        property("placed", "timestamp"),
        line,
        property("shop", "integer"),
      ].join(", "),
      "key: { format: avro, framing: registry, column: shop }",
    ),
    payments: contractOf(
      "payments",
      topics.payments,
      "protobuf",
      [property("id", "integer"), property("note", "string"), property("account", "integer")].join(", "),
      "key: { format: long, column: account }",
    ),
    events: contractOf(
      "events",
      topics.events,
      "json",
      [property("event", "string"), property("seen", "timestamp"), property("id", "integer")].join(", "),
      "decoding: { framing: registry, validate: true }, envelope: { type: cloudevents, mode: binary, columns: [{ column: event, from: id }, { column: seen, from: time }] }",
    ),
    customers: contractOf(
      "customers",
      topics.customers,
      "json",
      [property("id", "integer"), property("email", "string"), property("op", "string"), property("lsn", "integer")].join(", "),
      "tombstones: skip, envelope: { type: debezium, deletes: before, columns: [{ column: op, from: op }, { column: lsn, from: source.lsn }] }",
    ),
  };
}

async function makeStand(): Promise<Stand> {
  const [{ bootstrap: brokers }, registry] = await Promise.all([sharedBroker(), testRegistry()]);
  const folder = mkdtempSync(join(tmpdir(), "sluice-registry-"));
  const config = join(folder, "sluice.yaml");
  const topics = {
    orders: uniqueTopic("orders"),
    payments: uniqueTopic("payments"),
    events: uniqueTopic("events"),
    customers: uniqueTopic("customers"),
  };
  for (const topic of Object.values(topics)) await createTopic(brokers, topic);
  const contracts = contractsOf(topics);
  for (const [name, text] of Object.entries(contracts)) writeFileSync(join(folder, `${name}.odcs.yaml`), text);
  writeFileSync(
    config,
    `source: { kind: kafka, brokers: ["${brokers}"], group: ${topics.orders}, sessionTimeoutMs: 6000 }
datasets: [${Object.keys(contracts)
      .map((name) => `{ contract: ${name}.odcs.yaml }`)
      .join(", ")}]
registry: { url: "${registry.url}", timeoutMs: 2000 }
engine: { threads: 1 }
http: { port: 0 }
log: { format: json }
`,
  );
  return { folder, config, topics, registry, brokers };
}

describe.skipIf(!kafkaHere.available || !registryHere || !pythonHere)("a worker with a schema registry", () => {
  const stands: Stand[] = [];
  const stand = async (): Promise<Stand> => {
    const made = await makeStand();
    stands.push(made);
    return made;
  };
  afterEach(async () => {
    for (const { registry, folder } of stands.splice(0)) {
      await registry.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const rowsOf = async ({ folder }: Stand, dataset: string): Promise<Record<string, unknown>[]> => {
    const location = catalogTables(join(folder, "sluice-lake/catalog.db")).get(`sluice.${dataset}`) as string;
    return JSON.parse(await runPython((await pythonReaders()) as string, readTable, [location])) as Record<string, unknown>[];
  };
  const reasonsOf = async ({ config }: Stand, dataset: string): Promise<string[]> => {
    const { out } = await sluice(["quarantine", "list", "--config", config, "--dataset", dataset, "--json"]);
    const { records } = JSON.parse(out) as { records: { offset: string; reasons: { message: string }[] }[] };
    return records
      .toSorted((a, b) => Number(a.offset) - Number(b.offset))
      .map(({ offset, reasons }) => `${offset}: ${reasons.map(({ message }) => message).join("; ")}`);
  };

  it(
    "judges mixed schemas by each record's own, waits while the registry is down, and quarantines only what the registry does not know",
    { timeout: 600_000 },
    async () => {
      const here = await stand();
      const { config, topics, registry, brokers } = here;
      const v1 = await registry.register("orders-value", orderV1);
      const v2 = await registry.register("orders-v2", orderV2);
      const v3 = await registry.register("orders-v3", orderV3);
      const key = await registry.register("orders-key", JSON.stringify("long"));
      const proto = await registry.register(
        "payments-value",
        'syntax = "proto3"; message Other { int32 x = 1; } message Payment { message Inner { int64 id = 1; string note = 2; } }',
        { type: "PROTOBUF" },
      );
      const json = await registry.register(
        "events-value",
        { type: "object", required: ["id"], properties: { id: { type: "integer", maximum: 100 } } },
        { type: "JSON" },
      );
      const shop = framed(key, bytesOf({ type: "long" }, 9));
      await produce(brokers, topics.orders, [
        { key: shop, value: framed(v1, bytesOf(orderV1, { id: 1, note: "a" })) },
        {
          key: shop,
          value: framed(
            v2,
            bytesOf(orderV2, { placed: 1_700_000_000_123, id: 2, note: null, lines: [{ sku: "x", price: Buffer.of(0x04, 0xd2) }] }),
          ),
        },
        { key: null, value: framed(v1, bytesOf(orderV1, { id: 3, note: "" })) },
        { key: shop, value: framed(424_242, "?") },
        { key: shop, value: '{"id":4}' },
        { key: framed(v1, "x"), value: framed(v1, bytesOf(orderV1, { id: 5, note: "bad key" })) },
      ]);
      await produce(brokers, topics.payments, [
        { key: long(-7n), value: framed(proto, Buffer.of(0x08, 0x05, 0x12, 0x01, 0x61), [4, 2, 0]) },
        { key: long(8n), value: framed(proto, Buffer.of(0x08, 0x05), [2, 14]) },
        { key: "short", value: framed(proto, Buffer.of(0x08, 0x06), [4, 2, 0]) },
      ]);
      const event = (id: string, value: string, more: readonly (readonly [string, string])[] = []) => ({
        value: framed(json, value),
        headers: [
          ["ce_specversion", "1.0"],
          ["ce_id", id],
          ["ce_source", "/s"],
          ["ce_type", "t"],
          ["ce_time", "2024-01-01T00:00:00Z"],
          ...more,
        ] as const,
      });
      await produce(brokers, topics.events, [event("e1", '{"id":5}'), event("e2", '{"id":500}'), { value: framed(json, "{}") }]);
      const change = (op: string, before: object | null, after: object | null) => ({
        value: JSON.stringify({ payload: { op, before, after, source: { lsn: 5 } }, schema: {} }),
      });
      const row = { id: 1, email: "a@example.org" };
      await produce(brokers, topics.customers, [change("c", null, row), change("d", row, null), { value: null }, change("x", row, row)]);

      const worker = start(["run", "--config", config, "--json"]);
      let log = "";
      const seen = new Map<string, number>();
      let out = "";
      worker.stdout?.on("data", (chunk: Buffer) => {
        const lines = (out + chunk.toString()).split("\n");
        out = lines.pop() ?? "";
        for (const line of lines.filter(Boolean)) {
          const { dataset, counts } = JSON.parse(line) as { dataset: string; counts: { records: number } };
          seen.set(dataset, (seen.get(dataset) ?? 0) + counts.records);
        }
      });
      worker.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const over = ended(worker);
      const health = async (): Promise<string> => (await fetch(`${/"url":"([^"]+)"/.exec(log)?.[1] ?? ""}/health`)).text();
      try {
        await until(
          "all first records are judged",
          () => seen.get("orders") === 6 && seen.get("payments") === 3 && seen.get("events") === 3 && seen.get("customers") === 4,
        );
        await registry.stop();
        // Schemas that are known need no registry; the one that is not waits, and what is behind it too.
        await produce(brokers, topics.orders, [{ key: shop, value: framed(v1, bytesOf(orderV1, { id: 6, note: "known" })) }]);
        await until("a known schema is judged without the registry", () => seen.get("orders") === 7);
        await produce(brokers, topics.orders, [
          { key: shop, value: framed(v3, bytesOf(orderV3, { id: 7, note: "new" })) },
          { key: shop, value: framed(v1, bytesOf(orderV1, { id: 8, note: "behind" })) },
        ]);
        await until("the lane shows its trouble", async () => (await health()).includes("REGISTRY_UNAVAILABLE"));
        await sleep(2000);
        expect(seen.get("orders")).toBe(7);
        await registry.start();
        await until("what waited is judged", () => seen.get("orders") === 9);
        await until("the trouble is over", async () => !(await health()).includes("REGISTRY_UNAVAILABLE"));
      } catch (error) {
        throw new Error(`${String(error)}\n${log.slice(-3000)}`, { cause: error });
      } finally {
        worker.kill("SIGTERM");
      }
      expect((await over).code).toBe(0);

      const none = { placed: null, lines: null };
      const orders = await rowsOf(here, "orders");
      expect(orders.toSorted((a, b) => Number(a["id"]) - Number(b["id"]))).toEqual([
        { id: 1, note: "a", ...none, shop: 9 },
        { id: 2, note: null, placed: "2023-11-14 22:13:20.123000+00:00", lines: [{ sku: "x", price: "12.34" }], shop: 9 },
        { id: 3, note: "", ...none, shop: null },
        { id: 6, note: "known", ...none, shop: 9 },
        { id: 7, note: "new", ...none, shop: 9 },
        { id: 8, note: "behind", ...none, shop: 9 },
      ]);
      expect(await reasonsOf(here, "orders")).toEqual([
        expect.stringMatching(/^3: .*has no schema 424242/) as string,
        expect.stringMatching(/^4: .*not framed/) as string,
        expect.stringMatching(/^5: .*the record's key can't be read/) as string,
      ]);
      expect(await rowsOf(here, "payments")).toEqual([{ id: 5, note: "a", account: -7 }]);
      expect(await reasonsOf(here, "payments")).toEqual([
        expect.stringMatching(/^1: .*message/) as string,
        expect.stringMatching(/^2: .*8 expected/) as string,
      ]);
      expect(await rowsOf(here, "events")).toEqual([{ event: "e1", seen: "2024-01-01 00:00:00+00:00", id: 5 }]);
      expect(await reasonsOf(here, "events")).toEqual([
        expect.stringMatching(/^1: .*\/id must be <= 100/) as string,
        expect.stringMatching(/^2: .*no CloudEvent/) as string,
      ]);
      expect((await rowsOf(here, "customers")).toSorted((a, b) => String(a["op"]).localeCompare(String(b["op"])))).toEqual([
        { id: 1, email: "a@example.org", op: "c", lsn: 5 },
        { id: 1, email: "a@example.org", op: "d", lsn: 5 },
      ]);
      expect(await reasonsOf(here, "customers")).toEqual([expect.stringMatching(/^3: .*no Debezium change event/) as string]);
    },
  );
});
