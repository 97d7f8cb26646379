const slotCount = 16_384;
/** Values longer than this are judged each time. */
const bytesMax = 32;

/** FNV-1a with a last mix. */
export function hashSpan(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let p = start; p < end; p++) hash = Math.imul(hash ^ (bytes[p] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** Remembers what an expensive check of a short text said: fixed memory, the newest value of a slot stays. The check must be pure. */
export class VerdictCache {
  readonly #keys = new Uint8Array(slotCount * bytesMax);
  readonly #lengths = new Int16Array(slotCount).fill(-1);
  readonly #verdicts = new Uint8Array(slotCount);
  readonly #check: (bytes: Uint8Array, start: number, end: number) => boolean;

  constructor(check: (bytes: Uint8Array, start: number, end: number) => boolean) {
    this.#check = check;
  }

  test(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length > bytesMax) return this.#check(bytes, start, end);
    const slot = hashSpan(bytes, start, end) & (slotCount - 1);
    const keys = this.#keys;
    const at = slot * bytesMax;
    if (this.#lengths[slot] === length) {
      let i = 0;
      while (i < length && keys[at + i] === bytes[start + i]) i++;
      if (i === length) return this.#verdicts[slot] === 1;
    }
    const verdict = this.#check(bytes, start, end);
    for (let i = 0; i < length; i++) keys[at + i] = bytes[start + i] as number;
    this.#lengths[slot] = length;
    this.#verdicts[slot] = verdict ? 1 : 0;
    return verdict;
  }
}
