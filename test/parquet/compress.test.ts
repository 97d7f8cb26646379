import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { compressPage } from "../../src/parquet/compress.ts";
import { sequence } from "./written.ts";

const params = { [constants.ZSTD_c_compressionLevel]: 1 };
const sizes = [0, 1, 7, 4096, 65_536, 131_071, 131_072, 131_073, 600_000, 3_000_000];

/** From what zstd can't make smaller at all to what it makes a hundredth of. */
function pageOf(bytes: number, kinds: number): Uint8Array {
  const random = sequence(bytes + kinds);
  return Uint8Array.from({ length: bytes }, () => random() % kinds);
}

test.each([256, 12, 1])("pages of any size are the frames that zstd makes of them, bytes of %i kinds", (kinds) => {
  for (const size of sizes) {
    const page = pageOf(size, kinds);
    const frame = compressPage(page);
    expect(Buffer.compare(frame, zstdCompressSync(page, { params }))).toBe(0);
    expect(Buffer.compare(zstdDecompressSync(frame), page)).toBe(0);
    // It holds hardly more memory than itself, for a row group keeps it.
    expect(frame.buffer.byteLength).toBeLessThanOrEqual(2 * frame.byteLength + 64);
  }
});
