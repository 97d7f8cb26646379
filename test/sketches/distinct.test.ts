import { describe, expect, test } from "vitest";
import { addHash, distinctStandardError, emptyDistinct, estimateDistinct, mergeDistinct } from "../../src/sketches/distinct.ts";
import { hashBytes, hashWords } from "../../src/sketches/murmur3.ts";
import { countPoints } from "../../src/sketches/text-points.ts";

const hash = new Uint32Array(4);

/** Whole numbers from `from` on, as pairs of words. */
function addNumbers(registers: Uint8Array, from: number, count: number, word: (i: number) => [number, number]): void {
  for (let i = from; i < from + count; i++) {
    hashWords(...word(i), 8, hash);
    addHash(registers, hash);
  }
}

describe("distinct counts", () => {
  test("the relative error over many sets has the stated standard deviation, for whole numbers and for doubles", () => {
    const double = new Float64Array(1);
    const doubleWords = new Uint32Array(double.buffer);
    const kinds: ((i: number) => [number, number])[] = [
      (i) => [i, 0],
      (i) => {
        double[0] = i;
        return [doubleWords[0]!, doubleWords[1]!];
      },
    ];
    for (const word of kinds) {
      for (const size of [100, 5000, 50_000]) {
        const errors: number[] = [];
        for (let set = 0; set < 40; set++) {
          const sketch = emptyDistinct();
          addNumbers(sketch.registers, set * 1_000_000, size, word);
          errors.push(estimateDistinct(sketch) / size - 1);
        }
        const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
        expect(deviation).toBeLessThan(1.35 * distinctStandardError);
        expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / errors.length)).toBeLessThan(0.6 * distinctStandardError);
      }
    }
  });

  test("texts that differ in one character, and prefixes of each other, count apart", () => {
    const sketch = emptyDistinct();
    const size = 30_000;
    for (let i = 0; i < size; i++) {
      const bytes = Buffer.from(i % 2 === 0 ? `user-${i}` : "x".repeat(i % 300) + String(i));
      hashBytes(bytes, 0, bytes.length, hash);
      addHash(sketch.registers, hash);
    }
    expect(Math.abs(estimateDistinct(sketch) / size - 1)).toBeLessThan(4 * distinctStandardError);
  });

  test("a million values, merged from overlapping parts, is exactly the sketch of all", () => {
    const [a, b, all] = [emptyDistinct(), emptyDistinct(), emptyDistinct()];
    addNumbers(a.registers, 0, 600_000, (i) => [i, 7]);
    addNumbers(b.registers, 400_000, 600_000, (i) => [i, 7]);
    addNumbers(all.registers, 0, 1_000_000, (i) => [i, 7]);
    expect(mergeDistinct(a, b)).toEqual(all);
    expect(Math.abs(estimateDistinct(all) / 1e6 - 1)).toBeLessThan(4 * distinctStandardError);
  });

  test("nothing is 0, one value is 1", () => {
    const sketch = emptyDistinct();
    expect(estimateDistinct(sketch)).toBe(0);
    addNumbers(sketch.registers, 5, 1, (i) => [i, 0]);
    expect(Math.round(estimateDistinct(sketch))).toBe(1);
  });

  test("code points are counted in every alignment", () => {
    for (const text of ["", "a", "äöü", "日本語テキスト", "a😀b😀c", "aé日😀".repeat(9)]) {
      for (const prefix of ["", "x", "xy", "xyz"]) {
        const bytes = Buffer.from(prefix + text);
        expect(countPoints(bytes, prefix.length, bytes.length - prefix.length)).toBe(Array.from(text).length);
      }
    }
  });
});
