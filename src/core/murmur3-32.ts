/** MurmurHash3 x86 32 bits of some bytes, with seed 0, as a signed integer: Iceberg's bucket hash (spec, appendix B). */
export function murmur3Of(bytes: Uint8Array): number {
  let hash = 0;
  const whole = bytes.length & ~3;
  const byte = (at: number): number => bytes[at] as number;
  for (let i = 0; i < whole; i += 4) {
    hash ^= mix(byte(i) | (byte(i + 1) << 8) | (byte(i + 2) << 16) | (byte(i + 3) << 24));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | byte(i);
  if (whole < bytes.length) hash ^= mix(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
