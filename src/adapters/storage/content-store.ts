import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { SluiceError } from "../../core/errors.ts";
import type { ContentKind, ContentStore, Storage } from "../../core/storage.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Smaller contents gain less than a disk block. */
const compressedBytesMin = 4096;
const contentBytesMax = 256 * 1024 * 1024;

/** Contents under `<folder>/<kind>/<first two digits>/<hash>`, with `.zst` where compression pays; verified on every read. */
export function createContentStore(storage: Storage, folder: string): ContentStore {
  const stem = (kind: ContentKind, hash: string): string => `${folder}/${kind}/${hash.slice(0, 2)}/${hash}`;

  async function get(kind: ContentKind, hash: string): Promise<Uint8Array> {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new SluiceError("NOT_FOUND", `${JSON.stringify(hash)} is no content hash`);
    const path = stem(kind, hash);
    const packed = await readIfThere(storage, `${path}.zst`);
    const bytes = packed === null ? await storage.read(path) : await unpack(packed, path);
    if (sha256(bytes) !== hash) throw corrupt(path, "its bytes have another hash");
    return bytes;
  }

  async function put(kind: ContentKind, bytes: Uint8Array): Promise<string> {
    if (bytes.length > contentBytesMax) throw new RangeError(`a ${kind} of ${bytes.length} bytes is over the limit of ${contentBytesMax}`);
    const hash = sha256(bytes);
    const path = stem(kind, hash);
    const packed = bytes.length < compressedBytesMin ? bytes : await compress(bytes);
    const pays = packed.length < bytes.length * 0.9;
    try {
      await storage.write(pays ? `${path}.zst` : path, pays ? packed : bytes);
    } catch (fault) {
      if (!(fault instanceof SluiceError) || fault.code !== "FILE_EXISTS") throw fault;
      await get(kind, hash);
    }
    return hash;
  }

  return { put, get };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readIfThere(storage: Storage, path: string): Promise<Uint8Array | null> {
  try {
    return await storage.read(path);
  } catch (fault) {
    if (fault instanceof SluiceError && fault.code === "NOT_FOUND") return null;
    throw fault;
  }
}

async function unpack(packed: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    return await decompress(packed, { maxOutputLength: contentBytesMax });
  } catch (cause) {
    throw corrupt(path, (cause as Error).message);
  }
}

function corrupt(path: string, why: string): SluiceError {
  return new SluiceError("CONTENT_CORRUPT", `${path} is damaged: ${why}`, { details: { path } });
}
