import fc from "fast-check";
import { expect, it } from "vitest";
import { cutKnownSnapshots, textOfSnapshot } from "../../../src/adapters/iceberg/snapshot-text.ts";
import type { Snapshot, TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { completeMetadata, parseTableMetadata, serializeTableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";

const empty = completeMetadata({
  "format-version": 2,
  "table-uuid": "t",
  location: "file:///t",
  "last-sequence-number": 0n,
  "last-updated-ms": 0,
  "last-column-id": 1,
  "current-schema-id": 0,
  schemas: [{ type: "struct", "schema-id": 0, fields: [] }],
  "default-spec-id": 0,
  "partition-specs": [{ "spec-id": 0, fields: [] }],
  "last-partition-id": 999,
  "default-sort-order-id": 0,
  "sort-orders": [{ "order-id": 0, fields: [] }],
});

function snapshot(number: number, note: string): Snapshot {
  return {
    // As version 1 has it, whose snapshots have none.
    "sequence-number": BigInt(number % 5),
    "snapshot-id": 2n ** 62n + BigInt(number),
    ...(number > 0 && { "parent-snapshot-id": 2n ** 62n + BigInt(number - 1) }),
    "timestamp-ms": 1000 + number,
    summary: { operation: "append", note },
    "manifest-list": `file:///t/${number}.avro`,
    "schema-id": 0,
  };
}

const withSnapshots = (snapshots: readonly Snapshot[]): TableMetadata => ({ ...empty, snapshots });
/** Texts that look like what is searched for. */
const note = fc.constantFrom("", "],", '"snapshots":[', '{"snapshot-id":4611686018427387904', "\u2028é");
const history = fc.array(note, { maxLength: 12 }).map((notes) => notes.map((each, i) => snapshot(i, each)));
const some = fc.array(fc.nat(12));

it("a version is the same, whatever earlier one its snapshots are taken from", () => {
  fc.assert(
    fc.property(history, some, some, note, (all, lostBefore, lostNow, other) => {
      const earlier = withSnapshots(
        all
          .filter((_, i) => !lostBefore.includes(i))
          // Ids that mean something else in a table made anew.
          .map((each, i) => (i === 7 ? snapshot(7, `${other}x`) : each)),
      );
      const now = withSnapshots(all.filter((_, i) => !lostNow.includes(i)));
      const text = serializeTableMetadata(now);
      const parsed = parseTableMetadata(text, earlier);
      expect(parsed).toEqual(parseTableMetadata(text));
      expect(serializeTableMetadata(parsed)).toBe(text);
      const laidOut = JSON.stringify(JSON.parse(text), null, 2);
      expect(parseTableMetadata(laidOut, earlier)).toEqual(parseTableMetadata(laidOut));
    }),
  );
});

it("those that are known are not parsed again, also after the oldest have gone", () => {
  const all = Array.from({ length: 6 }, (_, i) => snapshot(i, ""));
  const earlier = parseTableMetadata(serializeTableMetadata(withSnapshots(all.slice(0, 5))));
  const text = serializeTableMetadata(withSnapshots(all.slice(2)));
  const { rest, snapshots } = cutKnownSnapshots(text, earlier.snapshots);
  expect(snapshots).toEqual(all.slice(2, 5));
  expect(rest).toContain(`"snapshots":[${textOfSnapshot(all[5] as Snapshot)}]`);
  const parsed = parseTableMetadata(text, earlier);
  expect(parsed.snapshots.slice(0, 3).every((each, i) => each === earlier.snapshots[i + 2])).toBe(true);
});

it("a damaged text is damaged, whatever is known", () => {
  const known = withSnapshots([snapshot(0, ""), snapshot(1, "")]);
  const text = serializeTableMetadata(known);
  for (let length = 0; length < text.length; length++) {
    expect(() => parseTableMetadata(text.slice(0, length), known)).toThrow(SyntaxError);
  }
  expect(() => parseTableMetadata(text.replace("},{", "} {"), known)).toThrow(SyntaxError);
});
