/**
 * A deterministic automaton over the bytes of a text: whether a pattern is found in it. Bytes that are no UTF-8 count as U+FFFD, as
 * the WHATWG's decoder has it.
 */
export interface Dfa {
  /** Bytes that no transition tells apart have the same class. */
  readonly classes: Uint8Array;
  readonly classCount: number;
  readonly stateCount: number;
  /** The next state, at `state * classCount + class`. State 0 never accepts and state 1 always does, whatever follows. */
  readonly table: Uint16Array;
  readonly start: number;
  /** By state: 1 where a text that ends there is accepted. */
  readonly accepting: Uint8Array;
}

/** A state that no byte leaves: nothing that follows can be accepted. */
export const deadState = 0;
/** A state that no byte leaves: the pattern has been found. */
export const foundState = 1;

/** Whether the automaton accepts `length` bytes from `start`; time is linear in the length, and ends with the first byte that decides. */
export function matchDfa(dfa: Dfa, bytes: Uint8Array, start: number, length: number): boolean {
  const { classes, classCount, table } = dfa;
  const end = start + length;
  let state = dfa.start;
  for (let p = start; p < end; p++) {
    state = table[state * classCount + (classes[bytes[p] as number] as number)] as number;
    if (state <= foundState) return state === foundState;
  }
  return dfa.accepting[state] === 1;
}
