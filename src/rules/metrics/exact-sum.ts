/** Words of 32 bits that hold any sum of doubles as a multiple of 2^-1074, with room for carries. */
const wordCount = 68;
/** After so many additions carries are spread, so that no word leaves the integers that a double holds exactly. */
const spreadEvery = 1 << 19;
/** Sums are whole multiples of 2^-1074, the smallest double. */
export const doubleUnitBits = 1074;

const bitsOf = new Float64Array(1);
const words = new Uint32Array(bitsOf.buffer);

/** The exact sum of finite doubles, whatever their order (a superaccumulator: Neal 2015, "Fast exact summation using small and large superaccumulators"). */
export class ExactSum {
  readonly #words = new Float64Array(wordCount);
  #pending = 0;

  add(value: number): void {
    bitsOf[0] = value;
    const high = words[1] as number;
    const exponent = (high >>> 20) & 0x7ff;
    const top = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
    const low = words[0] as number;
    if (top === 0 && low === 0) return;
    const position = exponent === 0 ? 0 : exponent - 1;
    const at = position >>> 5;
    const shift = position & 31;
    const sign = high >>> 31 === 0 ? 1 : -1;
    const sum = this.#words;
    sum[at] = (sum[at] as number) + sign * ((low << shift) >>> 0);
    const carried = shift === 0 ? 0 : low >>> (32 - shift);
    sum[at + 1] = (sum[at + 1] as number) + sign * (carried + ((top << shift) >>> 0));
    if (shift > 11) sum[at + 2] = (sum[at + 2] as number) + sign * (top >>> (32 - shift));
    if (++this.#pending === spreadEvery) this.#spread();
  }

  #spread(): void {
    const sum = this.#words;
    this.#pending = 0;
    for (let i = 0; i < wordCount - 1; i++) {
      const carry = Math.floor((sum[i] as number) / 4294967296);
      sum[i] = (sum[i] as number) - carry * 4294967296;
      sum[i + 1] = (sum[i + 1] as number) + carry;
    }
  }

  /** The sum in units of 2^-1074. */
  total(): bigint {
    let total = 0n;
    for (let i = wordCount - 1; i >= 0; i--) total = (total << 32n) + BigInt(this.#words[i] as number);
    return total;
  }
}
