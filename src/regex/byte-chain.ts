import { deadState, foundState, type Dfa } from "./dfa.ts";

/** Inclusive ranges of bytes. */
export type ByteRanges = readonly (readonly [number, number])[];

/** A language in which what a byte may be depends on its place only: `^[A-Z]{3}$`, a UUID. */
export interface ByteChain {
  /** By place: the bytes that may stand there. */
  readonly places: readonly ByteRanges[];
  /** Lengths that a text may have, ascending. */
  readonly lengths: readonly number[];
}

function rangesTo(dfa: Dfa, state: number, to: number): ByteRanges {
  const ranges: [number, number][] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (dfa.table[state * dfa.classCount + (dfa.classes[byte] as number)] !== to) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === byte - 1) last[1] = byte;
    else ranges.push([byte, byte]);
  }
  return ranges;
}

/** The chain that an automaton is, if it is one of at most `placesMax` bytes; else null. */
export function byteChain(dfa: Dfa, placesMax: number): ByteChain | null {
  const places: ByteRanges[] = [];
  const lengths: number[] = [];
  let state = dfa.start;
  for (;;) {
    if (state === foundState) return null;
    if (dfa.accepting[state] === 1) lengths.push(places.length);
    const row = dfa.table.subarray(state * dfa.classCount, (state + 1) * dfa.classCount);
    const next = new Set(row);
    next.delete(deadState);
    if (next.size === 0) return { places, lengths };
    // A state that comes again would go on for ever; two ways on depend on more than the place.
    if (next.size > 1 || places.length === placesMax) return null;
    const [to] = [...next] as [number];
    places.push(rangesTo(dfa, state, to));
    state = to;
  }
}
