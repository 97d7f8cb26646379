/** Where the batch hashes of this folder write: 64 bits a value, as two words. */
export interface HashWords {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/** Murmur3's 32-bit finaliser: a bijection in which every input bit reaches every output bit. */
export function mixWord(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/**
 * Hashes `count` 64-bit values, given as pairs of words (low, high), into `out`. A bijection of 64 bits (a Feistel chain of
 * `mixWord`): different values never collide.
 */
export function hashPairs(words: Uint32Array, count: number, out: HashWords): void {
  const { high, low } = out;
  for (let i = 0; i < count; i++) {
    const a = mixWord((words[2 * i] as number) ^ 0x51ed270b);
    const b = mixWord((words[2 * i + 1] as number) + Math.imul(a, 0x9e3779b1));
    high[i] = mixWord(a ^ Math.imul(b, 0x27d4eb2f));
    low[i] = b;
  }
}

/** Hashes value `count` spans of four words (128-bit decimals) into `out`; collisions have the chance of a 64-bit hash. */
export function hashQuads(words: Uint32Array, count: number, out: HashWords): void {
  const { high, low } = out;
  for (let i = 0; i < count; i++) {
    let a = 0x51ed270b;
    let b = 0x2545f491;
    for (let word = 4 * i; word < 4 * i + 4; word++) {
      a = mixWord(a ^ (words[word] as number));
      b = mixWord(b + Math.imul(a, 0x9e3779b1) + (words[word] as number));
    }
    high[i] = mixWord(a ^ Math.imul(b, 0x27d4eb2f));
    low[i] = b;
  }
}

/** Hashes one span of bytes into `out[at]`: two multiply-rotate lanes over 4-byte words, finished by `mixWord`. Answers its length in UTF-8 code points. */
export function hashSpan(bytes: Uint8Array, start: number, length: number, out: HashWords, at: number): number {
  let a = 0x51ed270b ^ length;
  let b = 0x2545f491 + length;
  let continuations = 0;
  const end = start + length;
  const wordsEnd = end - 3;
  let i = start;
  for (; i < wordsEnd; i += 4) {
    const word =
      (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul((b << 13) | (b >>> 19), 0x1b873593) + Math.imul(word, 0x9e3779b1);
    b ^= a;
    // A continuation byte is 10xxxxxx: bit 7 set, bit 6 clear.
    if ((word & 0x80808080) !== 0) continuations += Math.imul((word >>> 7) & ~(word >>> 6) & 0x01010101, 0x01010101) >>> 24;
  }
  if (i < end) {
    let word = 0;
    for (let shift = 0; i < end; i++, shift += 8) {
      const byte = bytes[i] as number;
      word |= byte << shift;
      if ((byte & 0xc0) === 0x80) continuations++;
    }
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul((b << 13) | (b >>> 19), 0x1b873593) + Math.imul(word, 0x9e3779b1);
    b ^= a;
  }
  const first = mixWord(a + Math.imul(b, 0x85ebca6b));
  const second = mixWord(b ^ Math.imul(first, 0xc2b2ae35));
  out.high[at] = mixWord(first ^ Math.imul(second, 0x27d4eb2f));
  out.low[at] = second;
  return length - continuations;
}
