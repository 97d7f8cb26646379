import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unmetRequirement } from "../../../src/adapters/iceberg/metadata-requirement.ts";
import type { Update } from "../../../src/adapters/iceberg/metadata-update.ts";
import { applyUpdates, metadataFromUpdates } from "../../../src/adapters/iceberg/metadata-update.ts";
import { RefusedUpdate } from "../../../src/adapters/iceberg/refused-update.ts";
import type { Snapshot, TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { newTableMetadata, parseTableMetadata, serializeTableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";

const fields = [
  { id: 1, name: "id", required: true, type: "long" },
  { id: 2, name: "tags", required: false, type: { type: "list", "element-id": 3, element: "string", "element-required": false } },
] as const;
const schema = { type: "struct", "schema-id": 0, fields } as const;
const table = newTableMetadata({ uuid: "u1", location: "file:///t", schema, lastColumnId: 3, properties: { a: "1" }, nowMs: 1000 });
const v3 = applyUpdates(table, [{ action: "upgrade-format-version", "format-version": 3 }]);

const snapshot = (id: bigint, sequence: bigint, more: Partial<Snapshot> = {}): Snapshot => ({
  "snapshot-id": id,
  "sequence-number": sequence,
  "timestamp-ms": 1000 + Number(sequence),
  "manifest-list": `file:///t/${id}.avro`,
  summary: { operation: "append" },
  ...more,
});
const add = (each: Snapshot): Update => ({ action: "add-snapshot", snapshot: each });
const main = (id: bigint): Update => ({ action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id });
const refused = (base: TableMetadata, ...updates: Update[]): RefusedUpdate => {
  try {
    applyUpdates(base, updates);
  } catch (fault) {
    if (fault instanceof RefusedUpdate) return fault;
    throw fault;
  }
  throw new Error("it was not refused");
};

describe("schemas, specs and orders", () => {
  const bucket = { "source-id": 1, name: "id_bucket", transform: "bucket[4]" };
  const ascending = { transform: "identity", "source-id": 1, direction: "asc", "null-order": "nulls-first" } as const;

  it("are added once: the same again has the id that it had", () => {
    const wider = { ...schema, "schema-id": 9, fields: [...fields, { id: 4, name: "y", required: false, type: "int" }] } as const;
    const next = applyUpdates(table, [
      { action: "add-schema", schema: wider },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "add-spec", spec: { fields: [bucket] } },
      { action: "set-default-spec", "spec-id": -1 },
      { action: "add-sort-order", "sort-order": { fields: [ascending] } },
      { action: "set-default-sort-order", "sort-order-id": -1 },
    ]);
    expect(next).toMatchObject({
      "current-schema-id": 1,
      "last-column-id": 4,
      "default-spec-id": 1,
      "last-partition-id": 1000,
      "default-sort-order-id": 1,
    });
    expect(next["partition-specs"][1]).toEqual({ "spec-id": 1, fields: [{ ...bucket, "field-id": 1000 }] });
    const back = applyUpdates(next, [
      { action: "add-schema", schema: { ...schema, "schema-id": 5 } },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "add-spec", spec: { fields: [{ ...bucket, "field-id": 1005 }] } },
      { action: "set-default-spec", "spec-id": -1 },
      { action: "add-sort-order", "sort-order": { fields: [] } },
      { action: "set-default-sort-order", "sort-order-id": -1 },
    ]);
    expect(back).toMatchObject({ "current-schema-id": 0, "default-spec-id": 1, "last-partition-id": 1000, "default-sort-order-id": 0 });
    expect([back.schemas.length, back["partition-specs"].length, back["sort-orders"].length]).toEqual([2, 2, 2]);
  });

  it("are removed where nothing goes by them, and refused where something does", () => {
    const two = applyUpdates(table, [
      { action: "add-schema", schema: { ...schema, fields: [fields[0]] } },
      { action: "add-spec", spec: { fields: [bucket] } },
    ]);
    const one = applyUpdates(two, [
      { action: "remove-schemas", "schema-ids": [1] },
      { action: "remove-partition-specs", "spec-ids": [1] },
    ]);
    expect([one.schemas.length, one["partition-specs"].length]).toEqual([1, 1]);
    expect(refused(two, { action: "remove-schemas", "schema-ids": [0] }).message).toMatch(/current schema/);
    expect(refused(two, { action: "remove-partition-specs", "spec-ids": [0] }).message).toMatch(/default partition spec/);
    expect(refused(two, { action: "set-current-schema", "schema-id": 7 }).message).toMatch(/unknown id 7/);
    expect(refused(two, { action: "set-default-spec", "spec-id": -1 }).message).toMatch(/no partition spec has been added/);
    const lost: Update[] = [
      { action: "add-spec", spec: { fields: [{ ...bucket, "source-id": 77 }] } },
      { action: "set-default-spec", "spec-id": -1 },
    ];
    expect(refused(table, ...lost).message).toMatch(/source column 77/);
    const nanos = { ...schema, fields: [{ id: 1, name: "t", required: true, type: "timestamp_ns" }] } as const;
    expect(refused(table, { action: "add-schema", schema: nanos }).message).toMatch(/not supported until v3/);
    expect(applyUpdates(v3, [{ action: "add-schema", schema: nanos }]).schemas.length).toBe(2);
  });
});

describe("snapshots and refs", () => {
  it("logs where main stood, with the time that it moved, and not what it passed through", () => {
    const two = applyUpdates(table, [add(snapshot(1n, 1n)), main(1n), add(snapshot(2n, 2n)), main(2n)]);
    expect(two["snapshot-log"]).toEqual([{ "timestamp-ms": 1002, "snapshot-id": 2n }]);
    const back = applyUpdates(two, [main(1n)], 5000);
    expect(back["snapshot-log"].at(-1)).toEqual({ "timestamp-ms": 5000, "snapshot-id": 1n });
    expect(back).toMatchObject({ "current-snapshot-id": 1n, "last-updated-ms": 5000 });
    expect(applyUpdates(back, [main(1n)], 6000)["snapshot-log"]).toEqual(back["snapshot-log"]);
    const empty = applyUpdates(back, [{ action: "remove-snapshot-ref", "ref-name": "main" }]);
    expect(empty).toMatchObject({ "current-snapshot-id": -1n, refs: {} });
  });

  it("tells changes that came too late from wrong ones", () => {
    const one = applyUpdates(table, [add(snapshot(1n, 5n)), main(1n)]);
    expect(refused(one, add(snapshot(2n, 5n, { "parent-snapshot-id": 1n }))).stale).toBe(true);
    // Replacing a table begins its history anew, wherever its numbers stood.
    expect(applyUpdates(one, [add(snapshot(2n, 3n))])["last-sequence-number"]).toBe(5n);
    expect(refused(table, add(snapshot(2n, 0n))).stale).toBe(true);
    expect(refused(one, add(snapshot(1n, 6n)))).toMatchObject({ stale: false, message: expect.stringMatching(/already exists/) as string });
    const late = snapshot(2n, 6n, { "timestamp-ms": one["last-updated-ms"] - 60_001 });
    expect(refused(one, add(late)).message).toMatch(/more than a minute/);
    expect(applyUpdates(one, [add({ ...late, "timestamp-ms": late["timestamp-ms"] + 1 })])["last-updated-ms"]).toBe(one["last-updated-ms"]);
    expect(refused(one, { action: "set-snapshot-ref", "ref-name": "main", type: "tag", "snapshot-id": 1n }).message).toMatch(/branch/);
    expect(refused(one, { action: "remove-snapshots", "snapshot-ids": [1n] }).message).toMatch(/ref main holds/);
  });

  it("hands out row ids of v3 tables once", () => {
    const one = applyUpdates(v3, [add(snapshot(1n, 1n, { "first-row-id": 0n, "added-rows": 10n }))]);
    expect(one["next-row-id"]).toBe(10n);
    expect(refused(one, add(snapshot(2n, 2n, { "first-row-id": 9n, "added-rows": 1n }))).stale).toBe(true);
    expect(refused(one, add(snapshot(2n, 2n))).message).toMatch(/first-row-id is null/);
    expect(applyUpdates(one, [add(snapshot(2n, 2n, { "first-row-id": 12n, "added-rows": 2n ** 60n }))])["next-row-id"]).toBe(
      2n ** 60n + 12n,
    );
  });

  it("drops what was said of snapshots that are removed", () => {
    const statistics = { "snapshot-id": 1n, "statistics-path": "p", "blob-metadata": [] };
    const two = applyUpdates(table, [
      add(snapshot(1n, 1n)),
      main(1n),
      { action: "set-statistics", statistics: { ...statistics, "statistics-path": "old" } },
      { action: "set-statistics", statistics },
      { action: "set-partition-statistics", "partition-statistics": { "snapshot-id": 1n, "statistics-path": "q" } },
      add(snapshot(2n, 2n)),
    ]);
    const moved = applyUpdates(two, [main(2n)]);
    expect(moved.statistics).toEqual([statistics]);
    const gone = applyUpdates(moved, [{ action: "remove-snapshots", "snapshot-ids": [1n] }]);
    expect(gone).toMatchObject({ statistics: [], "partition-statistics": [], "snapshot-log": [{ "snapshot-id": 2n }] });
    const less = applyUpdates(moved, [
      { action: "remove-statistics", "snapshot-id": 1n },
      { action: "remove-partition-statistics", "snapshot-id": 1n },
    ]);
    expect(less).toMatchObject({ statistics: [], "partition-statistics": [] });
  });
});

describe("whole tables", () => {
  it("are made from a commit that creates them, or it says what lacks", () => {
    const updates: Update[] = [
      { action: "assign-uuid", uuid: "u9" },
      { action: "upgrade-format-version", "format-version": 3 },
      { action: "add-schema", schema },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "add-spec", spec: { fields: [] } },
      { action: "set-default-spec", "spec-id": -1 },
      { action: "add-sort-order", "sort-order": { fields: [] } },
      { action: "set-default-sort-order", "sort-order-id": -1 },
      { action: "set-location", location: "file:///t/" },
      { action: "add-encryption-key", "encryption-key": { "key-id": "k" } },
      { action: "set-properties", updates: { b: "2" } },
    ];
    const made = metadataFromUpdates(updates, 77);
    expect(made).toMatchObject({
      "format-version": 3,
      "table-uuid": "u9",
      location: "file:///t",
      "last-updated-ms": 77,
      "next-row-id": 0n,
    });
    expect(parseTableMetadata(serializeTableMetadata(made))).toEqual(made);
    expect(applyUpdates(made, [{ action: "remove-encryption-key", "key-id": "k" }])["encryption-keys"]).toEqual([]);
    for (const index of [0, 3, 5, 7, 8]) expect(() => metadataFromUpdates(updates.toSpliced(index, 1), 77)).toThrow(RefusedUpdate);
    expect(refused(made, { action: "assign-uuid", uuid: "u8" }).message).toMatch(/reassign/);
    expect(applyUpdates(made, [{ action: "assign-uuid", uuid: "U9" }])["table-uuid"]).toBe("u9");
  });

  it("never lose a snapshot or a key that no change speaks of", () => {
    const updates = fc.array(
      fc.oneof(
        fc.record({ action: fc.constant("set-properties" as const), updates: fc.dictionary(fc.string(), fc.string()) }),
        fc.record({ action: fc.constant("remove-properties" as const), removals: fc.array(fc.string()) }),
        fc
          .bigInt({ min: 1n, max: 9n })
          .map((id): Update => ({ action: "set-snapshot-ref", "ref-name": `t${id}`, type: "tag", "snapshot-id": id })),
        fc.bigInt({ min: 1n, max: 9n }).map(main),
      ),
    );
    const base = {
      ...applyUpdates(
        table,
        Array.from({ length: 9 }, (_, i) => add(snapshot(BigInt(i + 1), BigInt(i + 1)))),
      ),
      unknown: { x: [2n ** 60n] },
    };
    fc.assert(
      fc.property(updates, fc.integer({ min: 0, max: 10_000 }), (some, nowMs) => {
        const next = applyUpdates(base, some, nowMs);
        expect(next).toMatchObject({
          unknown: { x: [2n ** 60n] },
          snapshots: base.snapshots,
          schemas: base.schemas,
          location: base.location,
        });
        expect(parseTableMetadata(serializeTableMetadata(next))).toEqual(next);
        const log = next["snapshot-log"].map((entry) => entry["timestamp-ms"]);
        expect(log).toEqual(log.toSorted((a, b) => a - b));
        expect(next["last-updated-ms"]).toBeGreaterThanOrEqual(base["last-updated-ms"]);
      }),
    );
  });
});

it("judges every requirement of the specification", () => {
  const holds = [
    { type: "assert-table-uuid", uuid: "U1" },
    { type: "assert-ref-snapshot-id", ref: "nowhere", "snapshot-id": null },
    { type: "assert-last-assigned-field-id", "last-assigned-field-id": 3 },
    { type: "assert-current-schema-id", "current-schema-id": 0 },
    { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": 999 },
    { type: "assert-default-spec-id", "default-spec-id": 0 },
    { type: "assert-default-sort-order-id", "default-sort-order-id": 0 },
  ] as const;
  expect(unmetRequirement(table, holds)).toBeNull();
  expect(unmetRequirement(table, [...holds, { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000 }])).toMatch(
    /partition id/,
  );
  expect(unmetRequirement(table, [{ type: "assert-default-spec-id", "default-spec-id": 1 }])).toMatch(/default partition spec/);
  expect(unmetRequirement(table, [{ type: "assert-default-sort-order-id", "default-sort-order-id": 1 }])).toMatch(/sort order/);
  expect(unmetRequirement(table, [{ type: "assert-ref-snapshot-id", ref: "x", "snapshot-id": 1n }])).toMatch(/branch or tag x is missing/);
  for (const requirement of holds) expect(unmetRequirement(null, [requirement])).toMatch(/does not exist/);
});
