import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileAvroDecoder } from "../../../src/codecs/avro-compiled/compile-avro-decoder.ts";
import { avroCodec } from "../../../src/codecs/avro/avro.ts";
import type { Contract } from "../../../src/core/contract.ts";
import { makeContract, type FieldSketch } from "../../fixtures/contract.ts";
import { compareCompiled } from "../compare-compiled.ts";
import { schemaOf } from "./avro-decode.ts";
import { avscType, recordShape, type Shape } from "./avro-shapes.ts";

function contractOf(shape: Shape, reader: unknown): Contract {
  const contract = makeContract(shape.sketch.of as Readonly<Record<string, FieldSketch>>);
  const format = {
    format: "avro",
    schema: schemaOf(shape.writer),
    text: "",
    ...(reader === undefined ? {} : { reader: schemaOf(reader) }),
  } as const;
  return { ...contract, format };
}

const compare = (contract: Contract, values: readonly (Uint8Array | null)[]): boolean =>
  compareCompiled({ compile: compileAvroDecoder, codec: avroCodec }, contract, values);

const values = (shape: Shape): fc.Arbitrary<readonly [Shape, unknown[]]> =>
  fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 1, maxLength: 6 }));

test("compiled is the reference: random schemas and values", () => {
  let compiled = 0;
  fc.assert(
    fc.property(recordShape(false).chain(values), ([shape, all]) => {
      const type = avscType(shape.writer);
      if (
        compare(
          contractOf(shape, undefined),
          all.map((value) => type.toBuffer(value)),
        )
      )
        compiled++;
    }),
    { numRuns: 250 },
  );
  expect(compiled).toBeGreaterThan(100);
});

test("compiled is the reference: schemas that evolved", () => {
  fc.assert(
    fc.property(recordShape(true).chain(values), ([shape, all]) => {
      const type = avscType(shape.writer);
      compare(
        contractOf(shape, shape.reader),
        all.map((value) => type.toBuffer(value)),
      );
    }),
    { numRuns: 250 },
  );
});

test("compiled is the reference: damaged records among good ones", () => {
  const edit = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom("set", "cut", "insert") });
  fc.assert(
    fc.property(
      recordShape(true).chain((shape) => fc.tuple(fc.constant(shape), shape.value)),
      fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      ([shape, value], damages) => {
        const good = avscType(shape.writer).toBuffer(value);
        const all: (Uint8Array | null)[] = [good, null];
        for (const edits of damages) {
          let bad = Buffer.from(good);
          for (const { at, byte, kind } of edits) {
            const p = bad.length === 0 ? 0 : at % bad.length;
            if (kind === "cut") bad = bad.subarray(0, p);
            else if (kind === "insert") bad = Buffer.concat([bad.subarray(0, p), Buffer.from([byte]), bad.subarray(p)]);
            else if (bad.length > 0) bad[p] = byte;
          }
          all.push(bad, good);
        }
        compare(contractOf(shape, shape.reader), all);
      },
    ),
    { numRuns: 250 },
  );
});
