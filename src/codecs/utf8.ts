import { utf8Sequence } from "./json-reader.ts";

/** Whether a span is well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end;) {
    const size = (bytes[p] as number) < 0x80 ? 1 : utf8Sequence(bytes, p, end);
    if (size === 0) return false;
    p += size;
  }
  return true;
}
