import type { FileHandle } from "node:fs/promises";
import { SluiceError } from "../../core/errors.ts";

const magic = Buffer.from("ARROW1");
const continuation = Buffer.of(255, 255, 255, 255);
const edgeBytes = 8;

/**
 * Rejects with FILE_UNREADABLE an Arrow IPC file or stream of which the end is missing, given its first and last bytes (at most eight) and its size: the reader would take
 * some such ends for the end of the rows. A stream that ends between two messages is whole: Arrow's format leaves the end mark to its writer.
 */
function requireEnd(name: string, first: Buffer, last: Buffer, size: number): void {
  const isFile = first.subarray(0, magic.length).equals(magic);
  if (isFile ? last.subarray(-magic.length).equals(magic) && size >= 2 * edgeBytes : endsBetweenMessages(last, size)) return;
  const lacks = isFile ? "is cut short: an Arrow file ends in ARROW1, as it begins" : "is no whole Arrow stream: it ends inside a message";
  throw new SluiceError("FILE_UNREADABLE", `${name} ${lacks}`);
}

/** Messages are padded to eight bytes, and the end mark of old writers has four; four bytes that begin an end mark of today are not the end. */
function endsBetweenMessages(last: Buffer, size: number): boolean {
  return size % 8 === 0 || (size % 8 === 4 && !last.subarray(-4).equals(continuation));
}

/** Rejects with FILE_UNREADABLE a file of Arrow IPC of which the end is missing. */
export async function requireEndOfFile(handle: FileHandle, name: string): Promise<void> {
  const { size } = await handle.stat();
  const first = await handle.read(Buffer.alloc(edgeBytes), 0, edgeBytes, 0);
  const last = await handle.read(Buffer.alloc(edgeBytes), 0, edgeBytes, Math.max(0, size - edgeBytes));
  requireEnd(name, first.buffer.subarray(0, first.bytesRead), last.buffer.subarray(0, last.bytesRead), size);
}

/** The same chunks; rejects with FILE_UNREADABLE behind the last one if the end of what they hold is missing. */
export async function* withRequiredEnd(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let first = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of chunks) {
    if (first.length < edgeBytes) first = Buffer.concat([first, chunk.subarray(0, edgeBytes - first.length)]);
    last = Buffer.concat([last, chunk.subarray(-edgeBytes)]).subarray(-edgeBytes);
    size += chunk.length;
    yield chunk;
  }
  requireEnd(name, first, last, size);
}
