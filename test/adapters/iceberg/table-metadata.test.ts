import { describe, expect, it } from "vitest";
import { parseLosslessJson, writeLosslessJson } from "../../../src/adapters/iceberg/lossless-json.ts";
import { unmetRequirement } from "../../../src/adapters/iceberg/metadata-requirement.ts";
import type { Update } from "../../../src/adapters/iceberg/metadata-update.ts";
import { applyUpdates } from "../../../src/adapters/iceberg/metadata-update.ts";
import { quarantineLastColumnId, quarantineSchema } from "../../../src/adapters/iceberg/quarantine-schema.ts";
import type { Snapshot } from "../../../src/adapters/iceberg/table-metadata.ts";
import {
  ancestorsOf,
  newTableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
  snapshotOfRef,
} from "../../../src/adapters/iceberg/table-metadata.ts";

const table = newTableMetadata({
  uuid: "3f9c",
  location: "file:///t",
  schema: quarantineSchema,
  lastColumnId: quarantineLastColumnId,
  properties: { "a.b": "c" },
  nowMs: 1000,
});

function snapshot(id: bigint, sequence: bigint, parent?: bigint): Snapshot {
  return {
    "snapshot-id": id,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": sequence,
    "timestamp-ms": 1000 + Number(sequence),
    summary: { operation: "append" },
    "manifest-list": "file:///t/l.avro",
    "schema-id": 0,
  };
}

const add = (each: Snapshot): Update => ({ action: "add-snapshot", snapshot: each });
const move = (ref: string, id: bigint): Update => ({ action: "set-snapshot-ref", "ref-name": ref, type: "branch", "snapshot-id": id });
const big = 2n ** 62n + 1n;

describe("JSON without rounding", () => {
  it("keeps ids whatever their size, big integers anywhere, and ordinary numbers as numbers", () => {
    const text =
      '{"snapshot-id":5,"last-sequence-number":4611686018427387905,"x":12345678901234567890,"n":1.5,"s":"12345678901234567890","z":0}';
    const value = parseLosslessJson(text);
    expect(value).toEqual({
      "snapshot-id": 5n,
      "last-sequence-number": big,
      x: 12345678901234567890n,
      n: 1.5,
      s: "12345678901234567890",
      z: 0,
    });
    expect(writeLosslessJson(value)).toBe(text);
  });
});

describe("table metadata", () => {
  const two = applyUpdates(table, [add(snapshot(big, 1n)), move("main", big), add(snapshot(7n, 2n, big)), move("held/w1", 7n)]);

  it("is the same after a round trip through its text", () => {
    expect(parseTableMetadata(serializeTableMetadata(two))).toEqual(two);
    expect(serializeTableMetadata(two)).toBe(writeLosslessJson(two));
    expect(serializeTableMetadata(two)).toContain(`"snapshot-id":${big}`);
  });

  it("keeps what it does not know, and refuses format versions that it does not know", () => {
    const text = serializeTableMetadata(table).replace('"location"', '"statistics":[{"snapshot-id":9007199254740993}],"location"');
    expect(serializeTableMetadata(parseTableMetadata(text))).toBe(text);
    const other = serializeTableMetadata(table).replace('"format-version":2', '"format-version":4');
    expect(() => parseTableMetadata(other)).toThrow(expect.objectContaining({ code: "TABLE_UNSUPPORTED" }));
  });

  it("follows updates and leaves its base alone", () => {
    expect(table.snapshots).toEqual([]);
    expect(two).toMatchObject({ "current-snapshot-id": big, "last-sequence-number": 2n, "last-updated-ms": 1002 });
    expect(two["snapshot-log"]).toEqual([{ "timestamp-ms": 1001, "snapshot-id": big }]);
    expect(snapshotOfRef(two, "held/w1")?.["snapshot-id"]).toBe(7n);
    expect(ancestorsOf(two, snapshotOfRef(two, "held/w1")).map((each) => each["snapshot-id"])).toEqual([7n, big]);
    const next = applyUpdates(two, [
      { action: "remove-snapshot-ref", "ref-name": "held/w1" },
      { action: "remove-properties", removals: ["a.b"] },
      { action: "set-properties", updates: { d: "e" } },
      { action: "add-schema", schema: { ...quarantineSchema, fields: quarantineSchema.fields.slice(1) }, "last-column-id": 40 },
      { action: "set-current-schema", "schema-id": -1 },
    ]);
    expect(next.refs).toEqual({ main: { type: "branch", "snapshot-id": big } });
    expect(next.properties).toEqual({ d: "e" });
    expect(next).toMatchObject({ "current-schema-id": 1, "last-column-id": 40 });
    expect(next.schemas.map((each) => each["schema-id"])).toEqual([0, 1]);
    expect(() => applyUpdates(two, [add(snapshot(8n, 2n, 7n))])).toThrow(/sequence number must grow/);
    expect(() => applyUpdates(two, [move("main", 99n)])).toThrow(/does not have/);
  });

  it("says which requirement it does not meet", () => {
    const uuid = { type: "assert-table-uuid", uuid: "3f9c" } as const;
    const main = (id: bigint | null) => ({ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": id }) as const;
    expect(unmetRequirement(two, [uuid, main(big)])).toBeNull();
    expect(unmetRequirement(table, [main(null)])).toBeNull();
    expect(unmetRequirement(null, [{ type: "assert-create" }])).toBeNull();
    expect(unmetRequirement(two, [uuid, main(7n)])).toMatch(/branch main has changed: expected id 7 != 4611686018427387905/);
    expect(unmetRequirement(two, [main(null)])).toMatch(/main/);
    expect(unmetRequirement(two, [{ type: "assert-create" }])).toMatch(/exists/);
    expect(unmetRequirement(null, [uuid])).toMatch(/does not exist/);
    expect(unmetRequirement(two, [{ type: "assert-table-uuid", uuid: "x" }])).toMatch(/3f9c/);
    expect(unmetRequirement(two, [{ type: "assert-current-schema-id", "current-schema-id": 1 }])).toMatch(/schema/);
    expect(unmetRequirement(two, [{ type: "assert-last-assigned-field-id", "last-assigned-field-id": 1 }])).toMatch(/field id/);
  });
});
