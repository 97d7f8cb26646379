/**
 * Tells a span of bytes by 64 bits, two words in `out`, within one window. Up to 7 bytes it is the bytes themselves, with their number above; more are
 * hashed to 56 bits: two multiply-rotate lanes over 8 bytes at a time, each fed by the other. Murmur3 would cost twice as much, and only new
 * values need it.
 */
export function hashText(bytes: Uint8Array, start: number, length: number, out: Uint32Array): void {
  const end = start + length;
  if (length < 8) {
    out[0] = wordAt(bytes, start, end);
    out[1] = wordAt(bytes, start + 4, end) | (length << 24);
    return;
  }
  let a = 0x51ed270b ^ length;
  let b = 0x2545f491 + length;
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
  out[1] = b | 0xff000000;
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
