/** Murmur3's 32-bit finaliser: a bijection in which every input bit reaches every output bit. */
export function mixWord(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
