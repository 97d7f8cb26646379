/**
 * MurmurHash3_x64_128 (Austin Appleby, public domain) with Apache DataSketches' default seed, in 32-bit arithmetic: 64-bit numbers are pairs of
 * words. `out` takes the first 64 bits as words 0 (low) and 1 (high), the second as words 2 and 3.
 */
export type Hash128 = Uint32Array;

/** The seed of Apache DataSketches' update functions. */
export const hashSeed = 9001;

// Products are left here, as signed words: a pair can't be returned without an object, and unsigned words would be objects too.
let low = 0;
let high = 0;

/** low, high = a * b mod 2^64. */
function multiply(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const t = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0;
  const u = (Math.imul(a0, b1) + (t & 0xffff)) | 0;
  high = (Math.imul(a1, b1) + (t >>> 16) + (u >>> 16) + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
  low = Math.imul(aLow, bLow);
}

function rotate(bits: number): void {
  // bits is 27, 31 or 33.
  const l = bits > 32 ? high : low;
  const h = bits > 32 ? low : high;
  const by = bits & 31;
  low = (l << by) | (h >>> (32 - by));
  high = (h << by) | (l >>> (32 - by));
}

function addTo(aLow: number, aHigh: number): void {
  low = (low + aLow) | 0;
  high = (high + aHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0;
}

function timesFive(): void {
  const l = low;
  const h = high;
  high = (high << 2) | (low >>> 30);
  low <<= 2;
  addTo(l, h);
}

/** low, high = k1's share of h1. */
function mixFirst(kLow: number, kHigh: number): void {
  multiply(kLow, kHigh, 0x114253d5, 0x87c37b91);
  rotate(31);
  multiply(low, high, 0x2745937f, 0x4cf5ad43);
}

/** low, high = k2's share of h2. */
function mixSecond(kLow: number, kHigh: number): void {
  multiply(kLow, kHigh, 0x2745937f, 0x4cf5ad43);
  rotate(33);
  multiply(low, high, 0x114253d5, 0x87c37b91);
}

/** The 64-bit finaliser of low, high, in place. */
function finalize(): void {
  low ^= high >>> 1;
  multiply(low, high, 0xed558ccd, 0xff51afd7);
  low ^= high >>> 1;
  multiply(low, high, 0x1a85ec53, 0xc4ceb9fe);
  low ^= high >>> 1;
}

function finish(h1Low: number, h1High: number, h2Low: number, h2High: number, length: number, out: Hash128): void {
  low = h1Low ^ length;
  high = h1High;
  const secondLow = h2Low ^ length;
  addTo(secondLow, h2High);
  const firstLow = low;
  const firstHigh = high;
  addTo(secondLow, h2High);
  finalize();
  const mixedLow = low;
  const mixedHigh = high;
  low = firstLow;
  high = firstHigh;
  finalize();
  addTo(mixedLow, mixedHigh);
  out[0] = low;
  out[1] = high;
  addTo(mixedLow, mixedHigh);
  out[2] = low;
  out[3] = high;
}

/** Hashes the first `length` bytes (at most 8) of a little-endian pair of words; bytes beyond must be zero. */
export function hashWords(wordLow: number, wordHigh: number, length: number, out: Hash128): void {
  mixFirst(wordLow, wordHigh);
  finish(low ^ hashSeed, high, hashSeed, 0, length, out);
}

function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  }
  let word = 0;
  for (let i = Math.min(at + 3, end - 1); i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

/** Hashes a span of bytes. */
export function hashBytes(bytes: Uint8Array, start: number, length: number, out: Hash128): void {
  let h1Low = hashSeed;
  let h1High = 0;
  let h2Low = hashSeed;
  let h2High = 0;
  const end = start + length;
  const blocksEnd = start + (length & ~15);
  let at = start;
  for (; at < blocksEnd; at += 16) {
    mixFirst(wordAt(bytes, at, end), wordAt(bytes, at + 4, end));
    low ^= h1Low;
    high ^= h1High;
    rotate(27);
    addTo(h2Low, h2High);
    timesFive();
    addTo(0x52dce729, 0);
    h1Low = low;
    h1High = high;
    mixSecond(wordAt(bytes, at + 8, end), wordAt(bytes, at + 12, end));
    low ^= h2Low;
    high ^= h2High;
    rotate(31);
    addTo(h1Low, h1High);
    timesFive();
    addTo(0x38495ab5, 0);
    h2Low = low;
    h2High = high;
  }
  if (end - at > 8) {
    mixSecond(wordAt(bytes, at + 8, end), wordAt(bytes, at + 12, end));
    h2Low ^= low;
    h2High ^= high;
  }
  if (end > at) {
    mixFirst(wordAt(bytes, at, end), wordAt(bytes, at + 4, end));
    h1Low ^= low;
    h1High ^= high;
  }
  finish(h1Low, h1High, h2Low, h2High, length, out);
}
