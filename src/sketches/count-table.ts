import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";

/** Slots that a search looks at: what is not found in them counts as absent, so that no choice of values makes it slow. */
export const probesMax = 32;
/** Counts above this are not told apart when a purge looks for its cut. */
export const cutMax = 255;

/** Where a search of the table ended; `slot` is free, or -1: all probed slots were taken. Valid until the next search. */
export const sought = { slot: -1 };

/** Of the values that a full table does not hold, one of 2^3 gets an entry; the others only count as distinct. */
export const drawBits = 3;

/** The slot where the search for a key begins. */
export function slotOf(low: number, high: number, slotCount: number): number {
  return Math.imul(low ^ high, 0x9e3779b1) >>> (1 + Math.clz32(slotCount));
}

/** Whether the next value that a full table does not hold gets an entry: drawn, so that no order of values can escape it. */
export function drawEntry(head: Uint32Array): boolean {
  const seed = (Math.imul(head[Head.seed] as number, 1_664_525) + 1_013_904_223) | 0;
  head[Head.seed] = seed;
  return seed >>> (32 - drawBits) === 0;
}

/**
 * By how much a count of the table can be short of the truth, but for one value of a thousand: what purges took, and what came before a value was
 * drawn. That is a geometric number of mean 8 for the first time and after each purge, and their sum is below 8 (7 + 2 purges).
 */
export function countError(head: Uint32Array): number {
  const drawn = head[Head.streaming] === 1 ? 2 ** drawBits * (7 + 2 * (head[Head.purges] as number)) : 0;
  return (head[Head.error] as number) + drawn;
}

/** The entry of a key, from 0; -1: none, and `sought` says where it would stand. */
export function seekEntry(state: ColumnState, low: number, high: number, firstSlot: number): number {
  const { slots, keys } = state;
  const mask = slots.length - 1;
  let slot = firstSlot;
  for (let probe = 0; probe < probesMax; probe++) {
    const number = slots[slot] as number;
    if (number === 0) {
      sought.slot = slot;
      return -1;
    }
    if (keys[2 * number - 2] === low && keys[2 * number - 1] === high) return number - 1;
    slot = (slot + 1) & mask;
  }
  sought.slot = -1;
  return -1;
}

/** Appends an entry with count 1 in a free slot; answers it. The caller fills its other parts. */
export function insertEntry(state: ColumnState, low: number, high: number, slot: number): number {
  const entry = state.head[Head.size] as number;
  state.head[Head.size] = entry + 1;
  state.slots[slot] = entry + 1;
  state.keys[2 * entry] = low;
  state.keys[2 * entry + 1] = high;
  state.counts[entry] = 1;
  return entry;
}

/**
 * Makes room, as Misra and Gries do in bulk (Agarwal et al., "Mergeable summaries", 2012): subtracts from all counts one that more than the kept
 * number of entries reach, which `error` adds up, and drops what is then nothing. Texts also leave at least half of their store.
 */
export function purge(state: ColumnState): void {
  const { head, shape } = state;
  head[Head.purges] = (head[Head.purges] as number) + 1;
  const target = Math.min(shape.entriesKept, (head[Head.size] as number) >>> 1);
  do {
    const size = head[Head.size] as number;
    const cut = cutOf(state.counts, size, Math.min(target, size >>> 1));
    head[Head.error] = (head[Head.error] as number) + cut;
    dropEntries(state, cut);
  } while ((head[Head.size] as number) > target || (head[Head.stored] as number) > shape.storeBytes >>> 1);
  rebuildSlots(state);
}

const tally = new Uint16Array(cutMax + 1);

/** The largest count up to `cutMax` that more than `kept` of the counts reach. */
function cutOf(counts: Uint32Array, size: number, kept: number): number {
  tally.fill(0);
  for (let entry = 0; entry < size; entry++) {
    const at = Math.min(counts[entry] as number, cutMax);
    tally[at] = (tally[at] as number) + 1;
  }
  let reached = 0;
  for (let cut = cutMax; cut > 1; cut--) {
    reached += tally[cut] as number;
    if (reached > kept) return cut;
  }
  return 1;
}

/** Keeps the entries whose count is above `cut`, in their order, lessened by it. */
function dropEntries(state: ColumnState, cut: number): void {
  const { head, counts, keys, hashes, points, spans, store } = state;
  const size = head[Head.size] as number;
  let kept = 0;
  let stored = 0;
  for (let entry = 0; entry < size; entry++) {
    const count = counts[entry] as number;
    if (count <= cut) continue;
    counts[kept] = count - cut;
    keys[2 * kept] = keys[2 * entry] as number;
    keys[2 * kept + 1] = keys[2 * entry + 1] as number;
    if (store.length > 0) {
      hashes[2 * kept] = hashes[2 * entry] as number;
      hashes[2 * kept + 1] = hashes[2 * entry + 1] as number;
      points[kept] = points[entry] as number;
      const start = (spans[entry] as number) >>> 16;
      const length = (spans[entry] as number) & 0xffff;
      store.copyWithin(stored, start, start + length);
      spans[kept] = stored * 65_536 + length;
      stored += length;
    }
    kept++;
  }
  head[Head.size] = kept;
  head[Head.stored] = stored;
}

/** Entries keep their order, so that each is found after no more probes than before. */
function rebuildSlots(state: ColumnState): void {
  const { slots, keys, head } = state;
  slots.fill(0);
  const mask = slots.length - 1;
  const size = head[Head.size] as number;
  for (let entry = 0; entry < size; entry++) {
    let slot = slotOf(keys[2 * entry] as number, keys[2 * entry + 1] as number, slots.length);
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry + 1;
  }
}
