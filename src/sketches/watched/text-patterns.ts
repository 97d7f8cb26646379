import { Buffer } from "node:buffer";
import type { BytesColumn } from "../../core/column.ts";
import { Cell } from "../../core/column.ts";
import type { TopValues } from "../../core/profile.ts";
import { topOf } from "../heavy-hitters.ts";
import { hashBytes } from "../murmur3.ts";
import { textPointsMax } from "../text-points.ts";

/** What stands for a character beyond ASCII, for a control character, and at the end of a pattern that was cut. */
const [beyondAscii, control, cut] = [0xe9, 0xbf, 0xb7];

/** The class of each byte as a Latin-1 character; 0: it continues a character. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return (byte & 0xc0) === 0x80 ? 0 : beyondAscii;
  if (byte < 0x20 || byte === 0x7f) return control;
  if (byte >= 0x30 && byte <= 0x39) return 0x39;
  if (byte >= 0x41 && byte <= 0x5a) return 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return 0x61;
  return byte;
});

/** The pattern that was read last, as Latin-1. */
const scratch = new Uint8Array(textPointsMax + 1);

/** Reads a text's pattern into `scratch`; answers its length. */
function readPattern(bytes: Uint8Array, start: number, length: number): number {
  let points = 0;
  for (let i = start; i < start + length && points <= textPointsMax; i++) {
    const kind = classes[bytes[i] as number] as number;
    if (kind === 0) continue;
    scratch[points] = points === textPointsMax ? cut : kind;
    points++;
  }
  return points;
}

function patternText(points: number): string {
  return Buffer.from(scratch.buffer, 0, points).toString("latin1");
}

/** Different patterns that are counted at a time. */
const patternsMax = 2048;
const patternsKept = 512;

interface Counted {
  readonly pattern: string;
  count: number;
}

/**
 * Counts the patterns of texts: `A` for a capital letter of ASCII, `a` for a small one, `9` for a digit, `é` for any character beyond ASCII, `¿` for a control character, and all others as
 * they are; the first 64 characters, and `·` where there are more. With more than 2,048 different ones it is a Misra-Gries summary.
 */
export class TextPatterns {
  readonly #counts = new Map<number, Counted>();
  #total = 0;
  #error = 0;

  reset(): void {
    this.#counts.clear();
    this.#total = 0;
    this.#error = 0;
  }

  add(column: BytesColumn, rows: Uint32Array): void {
    const { state, bytes, starts, lengths } = column;
    for (const row of rows) {
      if (state[row] !== Cell.value) continue;
      this.#total++;
      this.#count(bytes, starts[row] as number, lengths[row] as number);
    }
  }

  #count(bytes: Uint8Array, start: number, length: number): void {
    const points = readPattern(bytes, start, length);
    let [a, b] = [0x51ed270b, 0x2545f491];
    for (let i = 0; i < points; i++) {
      const kind = scratch[i] as number;
      a = Math.imul(a ^ kind, 0xcc9e2d51);
      b = Math.imul(b ^ kind, 0x1b873593) + (a >>> 15);
      a = (a << 13) | (a >>> 19);
    }
    const key = (a >>> 0) * 2 ** 21 + (b >>> 11);
    const found = this.#counts.get(key);
    if (found !== undefined) found.count++;
    else {
      if (this.#counts.size === patternsMax) this.#purge();
      this.#counts.set(key, { pattern: patternText(points), count: 1 });
    }
  }

  /** Takes from all counts what leaves at most `patternsKept`. */
  #purge(): void {
    const ascending = Float64Array.from(this.#counts.values(), ({ count }) => count).sort();
    const least = ascending[ascending.length - patternsKept - 1] as number;
    this.#error += least;
    for (const [key, counted] of this.#counts) {
      counted.count -= least;
      if (counted.count <= 0) this.#counts.delete(key);
    }
  }

  finish(): TopValues {
    const counted = [...this.#counts.values()];
    return topOf(
      Uint32Array.from(counted, ({ count }) => count),
      this.#total,
      this.#error,
      (entry) => describePattern((counted[entry] as Counted).pattern),
    );
  }
}

const hash = new Uint32Array(4);

function hashText(pattern: string, out: Uint32Array): void {
  const bytes = Buffer.from(pattern, "utf8");
  hashBytes(bytes, 0, bytes.length, out);
}

/** The hash by which a profile tells the pattern of a text, its low word first, into `out`. */
export function hashPattern(bytes: Uint8Array, start: number, length: number, out: Uint32Array): void {
  hashText(patternText(readPattern(bytes, start, length)), out);
}

function describePattern(pattern: string): { readonly hashHigh: number; readonly hashLow: number; readonly value: string } {
  hashText(pattern, hash);
  return { hashHigh: hash[1] as number, hashLow: hash[0] as number, value: pattern };
}
