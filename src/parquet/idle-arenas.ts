import { Arena } from "../wasm/arena.ts";

const keptMax = 2;
const bytesMax = 32 << 20;
const idle: Arena[] = [];

/** An arena for a file without one of its own: a memory is dear to make, and freed only when the collector comes by. */
export function takeArena(): Arena {
  return idle.pop() ?? new Arena();
}

/** Keeps an arena for the next file, unless it is large or enough are kept. */
export function giveArena(arena: Arena): void {
  if (idle.length < keptMax && arena.used <= bytesMax) idle.push(arena);
}
