/**
 * Hashes a span of bytes to 64 bits, two words in `out`, for a table of one window: two multiply-rotate lanes of 32 bits over 8 bytes at a time, each
 * fed by the other. Murmur3 would cost twice as much, and only new values need it.
 */
export function hashText(bytes: Uint8Array, start: number, length: number, out: Uint32Array): void {
  let a = 0x51ed270b ^ length;
  let b = 0x2545f491 + length;
  const end = start + length;
  for (let i = start; i < end; i += 8) {
    a = Math.imul(a ^ wordAt(bytes, i, end), 0xcc9e2d51);
    a = ((a << 15) | (a >>> 17)) + b;
    b = Math.imul(b ^ wordAt(bytes, i + 4, end), 0x1b873593);
    b = ((b << 13) | (b >>> 19)) + a;
  }
  a ^= b;
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  out[0] = a;
  out[1] = b;
}

/** Four bytes, little endian, zeros from `end` on. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  }
  let word = 0;
  for (let i = at, shift = 0; i < end; i++, shift += 8) word |= (bytes[i] as number) << shift;
  return word;
}
