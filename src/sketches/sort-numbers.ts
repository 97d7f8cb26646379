/** Widest range of whole numbers that is sorted by counting. */
const rangeMax = 16_384;
const tally = new Uint32Array(rangeMax);

/** Sorts the first `count` of `values` in place, all finite and between `min` and `max`: by counting where they are whole and close together. */
export function sortNumbers(values: Float64Array, count: number, min: number, max: number): void {
  const range = max - min + 1;
  if (!(range <= rangeMax) || !Number.isSafeInteger(min) || !tallyWhole(values, count, min, range)) {
    values.subarray(0, count).sort();
    return;
  }
  let at = 0;
  for (let offset = 0; offset < range; offset++) {
    const end = at + (tally[offset] as number);
    const value = min + offset;
    while (at < end) values[at++] = value;
  }
}

/** False, and nothing lost, at the first value that is not whole. */
function tallyWhole(values: Float64Array, count: number, min: number, range: number): boolean {
  tally.fill(0, 0, range);
  for (let i = 0; i < count; i++) {
    const offset = (values[i] as number) - min;
    const index = offset | 0;
    if (index !== offset) return false;
    tally[index] = (tally[index] as number) + 1;
  }
  return true;
}

/** Fills `values` with each distinct number as often as its count says, ascending. */
export function expandCounts(distinct: Float64Array, counts: Float64Array, values: Float64Array): void {
  const order = Uint32Array.from(distinct, (_, i) => i).sort((a, b) => (distinct[a] as number) - (distinct[b] as number));
  let at = 0;
  for (const i of order) {
    const end = at + (counts[i] as number);
    values.fill(distinct[i] as number, at, end);
    at = end;
  }
}
