import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFaults } from "../../../src/codecs/faults.ts";
import { decodeAvro, rowOf } from "./avro-decode.ts";
import { avscType, recordShape } from "./avro-shapes.ts";

test("random schemas and values, encoded by avsc: every cell is avsc's", () => {
  fc.assert(
    fc.property(
      recordShape(false).chain((shape) => fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 1, maxLength: 4 }))),
      ([shape, values]) => {
        const type = avscType(shape.writer);
        const encoded = values.map((value) => type.toBuffer(value));
        const batch = decodeAvro(encoded, { writer: shape.writer, fields: shape.sketch.of as never });
        expect(batch.faults).toEqual([]);
        encoded.forEach((each, row) => expect(rowOf(batch, row)).toEqual(shape.cell(type.fromBuffer(each))));
      },
    ),
    { numRuns: 600 },
  );
});

test("random schemas that evolved: every cell is what avsc's resolver reads", () => {
  fc.assert(
    fc.property(
      recordShape(true).chain((shape) => fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 1, maxLength: 4 }))),
      ([shape, values]) => {
        const type = avscType(shape.writer);
        const reader = avscType(shape.reader);
        const resolver = reader.createResolver(type);
        const encoded = values.map((value) => type.toBuffer(value));
        const batch = decodeAvro(encoded, { writer: shape.writer, reader: shape.reader, fields: shape.sketch.of as never });
        expect(batch.faults).toEqual([]);
        encoded.forEach((each, row) => expect(rowOf(batch, row)).toEqual(shape.cell(reader.fromBuffer(each, resolver))));
      },
    ),
    { numRuns: 600 },
  );
});

test("mutated bytes end in a row or a fault of the list, and leave the rows beside them alone", () => {
  fc.assert(
    fc.property(
      recordShape(false).chain((shape) => fc.tuple(fc.constant(shape), shape.value)),
      fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom("set", "cut", "insert") }), {
        minLength: 1,
        maxLength: 6,
      }),
      ([shape, value], edits) => {
        const good = avscType(shape.writer).toBuffer(value);
        let bad = Buffer.from(good);
        for (const { at, byte, kind } of edits) {
          const p = bad.length === 0 ? 0 : at % bad.length;
          if (kind === "cut") bad = bad.subarray(0, p);
          else if (kind === "insert") bad = Buffer.concat([bad.subarray(0, p), Buffer.from([byte]), bad.subarray(p)]);
          else if (bad.length > 0) bad[p] = byte;
        }
        const decoding = { writer: shape.writer, fields: shape.sketch.of as never, unknownFields: "keep" } as const;
        const batch = decodeAvro([good, bad, good], decoding);
        for (const fault of batch.faults) {
          expect(fault.row).toBe(1);
          expect(Object.keys(decodeFaults)).toContain(fault.code);
        }
        const alone = rowOf(decodeAvro([good], decoding), 0);
        expect(rowOf(batch, 0)).toEqual(alone);
        expect(rowOf(batch, 2)).toEqual(alone);
        if (batch.faults.length > 0) expect(Object.values(rowOf(batch, 1)).every((each) => each === undefined)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
