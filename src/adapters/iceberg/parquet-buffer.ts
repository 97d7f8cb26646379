import { zstdDecompressSync } from "node:zlib";
import type { AsyncBuffer } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Storage } from "../../core/storage.ts";

/** A page in memory once decompressed: no page that Sluice writes is larger than its largest record and a little more. */
const pageBytesMax = 1024 * 1024 * 1024;

/** Codecs of pages. Throws RangeError where a page has another size than its header says. */
export const parquetCompressors = {
  ...compressors,
  ZSTD: (page: Uint8Array, size: number): Uint8Array => {
    const bytes = zstdDecompressSync(page, { maxOutputLength: Math.min(pageBytesMax, Math.max(1, size)) });
    if (bytes.length !== size) throw new RangeError(`a page of ${bytes.length} bytes where ${size} were announced`);
    return bytes;
  },
};

/** A file of a storage as hyparquet reads it. */
export async function asyncBuffer(storage: Storage, path: string): Promise<AsyncBuffer> {
  const byteLength = await storage.sizeBytes(path);
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = await storage.readRange(path, start, end);
      const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
      return (whole ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer;
    },
  };
}
