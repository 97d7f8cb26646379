import { toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileProtobufDecoder } from "../../../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { protobufCodec } from "../../../src/codecs/protobuf/protobuf.ts";
import type { Contract } from "../../../src/core/contract.ts";
import { protoMessage } from "../../../src/core/protobuf/read-descriptor-set.ts";
import { makeContract } from "../../fixtures/contract.ts";
import { compareCompiled } from "../compare-compiled.ts";
import { protoShape, type ProtoShape } from "./proto-shapes.ts";

function contractOf(shape: ProtoShape): Contract {
  return { ...makeContract(shape.fields), format: { format: "protobuf", message: protoMessage(shape.desc) } };
}

const compare = (contract: Contract, values: readonly (Uint8Array | null)[]): boolean =>
  compareCompiled({ compile: compileProtobufDecoder, codec: protobufCodec }, contract, values);

const values = protoShape.chain((shape) => fc.tuple(fc.constant(shape), fc.array(shape.value, { minLength: 1, maxLength: 6 })));

test("compiled is the reference: random messages", () => {
  let compiled = 0;
  fc.assert(
    fc.property(values, ([shape, messages]) => {
      if (
        compare(
          contractOf(shape),
          messages.map((message) => toBinary(shape.desc, message)),
        )
      )
        compiled++;
    }),
    { numRuns: 250 },
  );
  expect(compiled).toBeGreaterThan(100);
});

test("compiled is the reference: encodings one behind the other, and fields that the message doesn't have", () => {
  // Fields 5 (varint), 6 (length), 1000000 (32 bits) and a group 8; none is one of the shapes'.
  const unknown = [
    [0x28, 0x96, 0x01],
    [0x32, 0x02, 0x61, 0x62],
    [0x85, 0xa4, 0xe8, 0x03, 1, 2, 3, 4],
    [0x43, 0x08, 0x01, 0x44],
  ].map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(values, fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }), ([shape, messages], picks) => {
      const encoded = messages.map((message) => toBinary(shape.desc, message));
      const parts = picks.map((pick) => (pick < 4 ? (unknown[pick] as Uint8Array) : (encoded[pick % encoded.length] as Uint8Array)));
      compare(contractOf(shape), [...encoded, Buffer.concat(parts), ...encoded]);
    }),
    { numRuns: 250 },
  );
});

test("compiled is the reference: damaged records among good ones", () => {
  const edit = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom("set", "cut", "insert") });
  fc.assert(
    fc.property(
      values,
      fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      ([shape, [message]], damages) => {
        const good = toBinary(shape.desc, message!);
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
        compare(contractOf(shape), all);
      },
    ),
    { numRuns: 250 },
  );
});
