import { fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFaults } from "../../../src/codecs/faults.ts";
import { protobufCodec } from "../../../src/codecs/protobuf/protobuf.ts";
import type { Batch } from "../../../src/core/batch.ts";
import { protoMessage } from "../../../src/core/protobuf/read-descriptor-set.ts";
import { cellValue } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { protoShape, type ProtoShape } from "./proto-shapes.ts";

function decode(shape: ProtoShape, values: readonly Uint8Array[], unknownFields: "ignore" | "keep" = "ignore"): Batch {
  const contract = {
    ...makeContract(shape.fields, { policies: { unknownFields } }),
    format: { format: "protobuf", message: protoMessage(shape.desc) } as const,
  };
  return protobufCodec.compile(contract)(makeRecords(values));
}

const rowOf = (batch: Batch, row: number): unknown =>
  Object.fromEntries(batch.columns.map((column) => [column.field.name, cellValue(column, row)]));

test("random messages, encoded by protobuf-es: every cell is protobuf-es'", () => {
  fc.assert(
    fc.property(
      protoShape.chain((shape) => fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 1, maxLength: 4 }))),
      ([shape, messages]) => {
        const encoded = messages.map((message) => toBinary(shape.desc, message));
        const batch = decode(shape, encoded);
        expect(batch.faults).toEqual([]);
        encoded.forEach((bytes, row) => expect(rowOf(batch, row)).toEqual(shape.row(fromBinary(shape.desc, bytes))));
      },
    ),
    { numRuns: 500 },
  );
});

test("encodings one behind the other merge as protobuf-es merges them", () => {
  fc.assert(
    fc.property(
      protoShape.chain((shape) => fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 2, maxLength: 4 }))),
      ([shape, messages]) => {
        const bytes = Buffer.concat(messages.map((message) => toBinary(shape.desc, message)));
        const batch = decode(shape, [bytes]);
        expect(batch.faults).toEqual([]);
        expect(rowOf(batch, 0)).toEqual(shape.row(fromBinary(shape.desc, bytes)));
      },
    ),
    { numRuns: 500 },
  );
});

test("mutated bytes end in a row or a fault of the list, and leave the rows beside them alone", () => {
  fc.assert(
    fc.property(
      protoShape.chain((shape) => fc.tuple(fc.constant(shape), shape.value)),
      fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom("set", "cut", "insert") }), {
        minLength: 1,
        maxLength: 6,
      }),
      ([shape, message], edits) => {
        const good = toBinary(shape.desc, message);
        let bad = Buffer.from(good);
        for (const { at, byte, kind } of edits) {
          const p = bad.length === 0 ? 0 : at % bad.length;
          if (kind === "cut") bad = bad.subarray(0, p);
          else if (kind === "insert") bad = Buffer.concat([bad.subarray(0, p), Buffer.from([byte]), bad.subarray(p)]);
          else if (bad.length > 0) bad[p] = byte;
        }
        const batch = decode(shape, [good, bad, good], "keep");
        for (const fault of batch.faults) {
          expect(fault.row).toBe(1);
          expect(Object.keys(decodeFaults)).toContain(fault.code);
        }
        const alone = rowOf(decode(shape, [good]), 0);
        expect(rowOf(batch, 0)).toEqual(alone);
        expect(rowOf(batch, 2)).toEqual(alone);
        const { unknown } = batch;
        if (unknown !== null && unknown.state[1] === 0) expect(typeof JSON.parse(cellValue(unknown, 1) as string)).toBe("object");
      },
    ),
    { numRuns: 1000 },
  );
});
