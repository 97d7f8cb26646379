/** The exponents of ten that a double's decimal text of up to 19 digits can need. */
export const powerMin = -342;
export const powerMax = 308;
/** Up to this power of five the reciprocal times 2^64 is no exact guess, so that it is rounded up. */
const roundedUpFrom = -27;

let made: BigUint64Array | null = null;

/**
 * For each power 5^q the first 128 bits of its binary expansion, high word first, rounded as the algorithm's proof wants: up where -27 <= q < 0,
 * else down (D. Lemire, "Number parsing at a gigabyte per second", 2021, section 6; N. Mushtak and D. Lemire, "Fast number parsing without
 * fallback", 2023).
 */
export function powersOfFive(): BigUint64Array {
  if (made !== null) return made;
  const words = new BigUint64Array((powerMax - powerMin + 1) * 2);
  for (let q = powerMin; q <= powerMax; q++) {
    const bits = q < 0 ? reciprocalBits(5n ** BigInt(-q)) + (q >= roundedUpFrom ? 1n : 0n) : leadingBits(5n ** BigInt(q));
    words[(q - powerMin) * 2] = bits >> 64n;
    words[(q - powerMin) * 2 + 1] = bits & 0xffff_ffff_ffff_ffffn;
  }
  made = words;
  return words;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** The top 128 bits, padded with zeros below. */
function leadingBits(value: bigint): bigint {
  const shift = bitLength(value) - 128;
  return shift > 0 ? value >> BigInt(shift) : value << BigInt(-shift);
}

/** The top 128 bits of 1 / value. */
function reciprocalBits(value: bigint): bigint {
  return (1n << BigInt(bitLength(value) + 127)) / value;
}

/** 10^0 to 10^19, each an unsigned 64-bit integer. */
export function integerPowers(): BigUint64Array {
  return BigUint64Array.from({ length: 20 }, (_, i) => 10n ** BigInt(i));
}

/** 10^0 to 10^22: the powers that a double holds exactly. */
export function exactPowers(): Float64Array {
  return Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
}
