import type { ColumnState } from "./column-state.ts";
import { Head, samplesMax } from "./column-state.ts";
import { mixWord } from "./mix-word.ts";
import { addCounted, addSorted, compress } from "./quantiles.ts";

/**
 * Every number counts up to the 2^13th; of the next 2^13 one of 2 is taken, of the next 2^14 one of 4, and so on (the sampler of Karnin, Lang and
 * Liberty): a sketch costs next to nothing however long its window is. Which one of a block is taken follows from its position.
 */
export const unsampledBits = 13;

/** The level of the block that begins after `start` numbers: it has 2^level of them. */
function blockLevel(start: number): number {
  return Math.max(0, 32 - unsampledBits - Math.clz32(start));
}

/** Opens the block that begins after `start` numbers. */
export function openBlock(state: ColumnState, start: number): void {
  const { head } = state;
  const level = blockLevel(start);
  head[Head.blockStart] = start;
  head[Head.blockEnd] = start + 2 ** level;
  head[Head.pickAt] = start + (level === 0 ? 0 : mixWord(start) >>> (32 - level));
  head[Head.level] = level;
}

/** Takes its share of the first `count` of `numbers`. */
export function sampleNumbers(state: ColumnState, numbers: Float64Array, count: number): void {
  const { head, doubles } = state;
  const from = head[Head.seen] as number;
  const to = from + count;
  for (;;) {
    const start = head[Head.blockStart] as number;
    const end = head[Head.blockEnd] as number;
    const pick = head[Head.pickAt] as number;
    if (start >= to) break;
    if (pick >= from && pick < to) doubles[Head.pending] = numbers[pick - from] as number;
    // Until its own is seen, the block's first stands for it: a window may end within a block.
    else if (start >= from) doubles[Head.pending] = numbers[start - from] as number;
    if (end > to) break;
    const waiting = head[Head.samples] as number;
    state.samples[waiting] = doubles[Head.pending] as number;
    head[Head.samples] = waiting + 1;
    if (waiting + 1 === samplesMax || blockLevel(end) !== head[Head.level]) foldSamples(state);
    openBlock(state, end);
  }
  head[Head.seen] = to;
}

/** Moves the waiting samples into the sketch. */
export function foldSamples(state: ColumnState): void {
  const { head, quantiles } = state;
  const waiting = head[Head.samples] as number;
  const level = head[Head.level] as number;
  const samples = state.samples.slice(0, waiting);
  if (waiting > 0) addSorted(quantiles, level, isAscending(samples) ? samples : samples.sort());
  // One of several values was left out, which makes the sketch inexact as a compaction does.
  if (level > 0) quantiles.compactions++;
  compress(quantiles);
  head[Head.samples] = 0;
}

function isAscending(samples: Float64Array): boolean {
  for (let i = 1; i < samples.length; i++) if ((samples[i] as number) < (samples[i - 1] as number)) return false;
  return true;
}

/** Puts the open block's numbers, as many as were seen of it, into the sketch by its sample. */
export function closeBlock(state: ColumnState): void {
  const { head, doubles, quantiles } = state;
  const seen = (head[Head.seen] as number) - (head[Head.blockStart] as number);
  if (seen > 0) addCounted(quantiles, Float64Array.of(doubles[Head.pending] as number), Uint32Array.of(seen));
  if (seen > 1) quantiles.compactions++;
}
