/** Longest text that a profile keeps of one value, in code points (binary: bytes). */
export const textPointsMax = 64;

/** Where the 65th code point of a span begins, or its end; at most 256 bytes on, even in bytes that are no UTF-8. */
export function cutAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= textPointsMax) return end;
  const last = Math.min(end, start + 4 * textPointsMax);
  let points = 0;
  for (let i = start; i < last; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80 && ++points > textPointsMax) return i;
  }
  return last;
}

/** The number of code points of a span of UTF-8: bytes that do not continue one. */
export function countPoints(bytes: Uint8Array, start: number, length: number): number {
  let points = 0;
  for (let i = start; i < start + length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) points++;
  return points;
}
