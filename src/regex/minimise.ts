/** A complete deterministic automaton: `next` at `state * width + symbol`. */
export interface Automaton {
  readonly states: number;
  readonly width: number;
  readonly next: Int32Array;
  readonly accepting: Uint8Array;
  readonly start: number;
}

/** The number of blocks of states that one more symbol tells apart, written to `blocks`. */
function refine({ states, width, next }: Automaton, blocks: Int32Array): number {
  const numbers = new Map<number, number[]>();
  const refined = new Int32Array(states);
  let count = 0;
  const same = (a: number, b: number): boolean => {
    if (blocks[a] !== blocks[b]) return false;
    for (let c = 0; c < width; c++) if (blocks[next[a * width + c] as number] !== blocks[next[b * width + c] as number]) return false;
    return true;
  };
  for (let state = 0; state < states; state++) {
    let hash = blocks[state] as number;
    for (let c = 0; c < width; c++) hash = (Math.imul(hash, 0x01000193) ^ (blocks[next[state * width + c] as number] as number)) | 0;
    const bucket = numbers.get(hash);
    const twin = bucket?.find((other) => same(other, state));
    if (twin !== undefined) refined[state] = refined[twin] as number;
    else {
      refined[state] = count++;
      if (bucket === undefined) numbers.set(hash, [state]);
      else bucket.push(state);
    }
  }
  blocks.set(refined);
  return count;
}

/** The smallest automaton of the same language (Moore's partition refinement); its states are numbered by their first old one. */
export function minimise(automaton: Automaton): Automaton {
  const { states, width, next, accepting, start } = automaton;
  const blocks = Int32Array.from(accepting);
  let count = new Set(blocks).size;
  for (;;) {
    const refined = refine(automaton, blocks);
    if (refined === count) break;
    count = refined;
  }
  const small = new Int32Array(count * width);
  const accepts = new Uint8Array(count);
  for (let state = 0; state < states; state++) {
    const block = blocks[state] as number;
    accepts[block] = accepting[state] as number;
    for (let c = 0; c < width; c++) small[block * width + c] = blocks[next[state * width + c] as number] as number;
  }
  return { states: count, width, next: small, accepting: accepts, start: blocks[start] as number };
}
