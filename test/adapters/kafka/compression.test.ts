import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decompress } from "../../../src/adapters/kafka/compression.ts";
import { compress } from "./batch-writer.ts";

const codecs = { gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 } as const;
const names = Object.keys(codecs) as (keyof typeof codecs)[];
const wide = 2 ** 30;

function fault(codec: number, bytes: Buffer, bytesMax = wide): unknown {
  try {
    decompress(codec, bytes, bytesMax);
    return null;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe.each(names)("%s", (name) => {
  it("gives back any bytes", () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.string({ maxLength: 30 }).map((s) => Buffer.from(s.repeat(200))),
    );
    fc.assert(
      fc.property(text, (bytes) => {
        const plain = Buffer.from(bytes);
        expect(decompress(codecs[name], compress(name, plain), wide).equals(plain)).toBe(true);
      }),
    );
    const large = randomBytes(3_000_000);
    expect(decompress(codecs[name], compress(name, large), wide).equals(large)).toBe(true);
  });

  it("stops at the size limit, to the byte", () => {
    const plain = Buffer.alloc(300_000, "ab");
    const packed = compress(name, plain);
    expect(fault(codecs[name], packed, plain.length)).toBeNull();
    expect(fault(codecs[name], packed, plain.length - 1)).toBe("SOURCE_OVERSIZED");
  });

  it("refuses damaged bytes with a code, never with anything else", () => {
    const packed = compress(name, randomBytes(2000));
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (at, flip, cut) => {
        const damaged = Buffer.from(packed).subarray(0, 1 + (cut % packed.length));
        damaged[at % damaged.length] = (damaged[at % damaged.length] as number) ^ flip;
        expect([null, "SOURCE_CORRUPT", "SOURCE_OVERSIZED"]).toContain(fault(codecs[name], damaged, 1e6));
      }),
    );
    expect(decompress(codecs[name], packed, wide)).toHaveLength(2000);
  });
});

it("knows no other codec", () => {
  expect(fault(5, Buffer.from("x"))).toBe("SOURCE_UNREADABLE");
});
