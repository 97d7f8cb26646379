import type { Random } from "./random.ts";
import { randomOf } from "./random.ts";

/** Two samples of one column, that a rule is asked of. */
export interface SamplePair {
  readonly name: string;
  readonly before: readonly (number | string | null)[];
  readonly now: readonly (number | string | null)[];
}

interface Shape {
  readonly name: string;
  /** A value of a sample: `moved` of the second where something drifts. */
  readonly draw: (random: Random, moved: boolean) => number | string | null;
}

function pick(random: Random, shares: Readonly<Record<string, number>>): string {
  let rest = random.uniform();
  for (const [value, share] of Object.entries(shares)) if ((rest -= share) < 0) return value;
  return Object.keys(shares).at(-1) as string;
}

/** Of two uniform numbers and nothing else: what the packages said of these very samples is kept. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

const shapes: readonly Shape[] = [
  { name: "normal", draw: (random, moved) => normal(random) + (moved ? 0.15 : 0) },
  { name: "a whisper", draw: (random, moved) => normal(random) + (moved ? 0.05 : 0) },
  {
    name: "heavy tails (t of 2)",
    draw: (random, moved) => (normal(random) + (moved ? 0.3 : 0)) / Math.sqrt(-Math.log(1 - random.uniform())),
  },
  { name: "lognormal", draw: (random, moved) => Math.exp(normal(random) * (moved ? 1.2 : 1)) },
  { name: "whole numbers", draw: (random, moved) => Math.floor(60 * random.uniform() ** (moved ? 1.1 : 1)) },
  {
    name: "four numbers",
    draw: (random, moved) => Number(pick(random, moved ? { 1: 0.3, 2: 0.4, 3: 0.3, 4: 0 } : { 1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1 })),
  },
  { name: "two numbers", draw: (random, moved) => (random.uniform() < (moved ? 0.12 : 0.1) ? 1 : 0) },
  { name: "a fifth null", draw: (random, moved) => (random.uniform() < 0.2 ? null : normal(random) + (moved ? 0.1 : 0)) },
  { name: "two categories", draw: (random, moved) => pick(random, moved ? { a: 0.55, b: 0.45 } : { a: 0.5, b: 0.5 }) },
  {
    name: "five categories, nulls",
    draw: (random, moved) => (random.uniform() < 0.1 ? null : pick(random, { a: moved ? 0.35 : 0.4, b: 0.3, c: 0.2, d: 0.07, e: 0.03 })),
  },
  { name: "a new category", draw: (random, moved) => pick(random, moved ? { a: 0.5, b: 0.45, new: 0.05 } : { a: 0.5, b: 0.5 }) },
  { name: "150 categories", draw: (random, moved) => `v${Math.floor(150 * random.uniform() ** (moved ? 2.2 : 2))}` },
];

/** Rows before and now: on both sides of the sizes at which rules change. */
const sizes: readonly (readonly [number, number])[] = [
  [60, 45],
  [400, 400],
  [1000, 700],
  [1001, 1500],
  [6000, 2000],
  [20_000, 5000],
];

/** Pairs of every shape and size, drifting and not, the same each time. */
export function samplePairs(): readonly SamplePair[] {
  const random = randomOf(20);
  return shapes.flatMap(({ name, draw }) =>
    sizes.flatMap(([m, n]) =>
      [false, true].map((moved) => ({
        name: `${name}, ${m} and ${n}${moved ? ", moved" : ""}`,
        before: Array.from({ length: m }, () => draw(random, false)),
        now: Array.from({ length: n }, () => draw(random, moved)),
      })),
    ),
  );
}
