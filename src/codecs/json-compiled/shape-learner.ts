import type { Policies } from "../../core/contract.ts";
import type { ColumnPlace } from "./column-records.ts";
import { layoutsMax } from "./decoder-memory.ts";
import { learnShape, sameShape, type ObjectShape } from "./record-shape.ts";

/** Records, or bytes of them, that must be at hand before a shape is learned. */
const sampleMin = 32;
const sampleBytesMax = 1 << 17;
const sampleMax = 64;
/** A chunk in which more than this share of the records had none of the shapes calls for learning. */
const missShareMax = 1 / 8;
/** Hits that a new shape begins with, so that it is not the next to go. */
const headStart = 1 << 20;
/** Chunks between two attempts at most. */
const waitMax = 512;

/** Learns how producers write their records, and learns again when they change. */
export class ShapeLearner {
  #shapes: ObjectShape[] = [];
  /** Records that each shape took, older ones counting less. */
  #hits: number[] = [];
  #sample: Uint8Array[] = [];
  #sampleBytes = 0;
  /** Chunks to wait before the next attempt, and what that wait began at: attempts that don't pay become rare. */
  #left = 0;
  #wait = 1;
  readonly #root: ColumnPlace;
  readonly #options: { readonly unknownFields: Policies["unknownFields"]; readonly keyed: string | null };

  constructor(root: ColumnPlace, options: { readonly unknownFields: Policies["unknownFields"]; readonly keyed: string | null }) {
    this.#root = root;
    this.#options = options;
  }

  get shapes(): readonly ObjectShape[] {
    return this.#shapes;
  }

  /** Whether nothing has been learned or tried yet. */
  get fresh(): boolean {
    return this.#shapes.length === 0 && this.#wait === 1;
  }

  /** Takes values of records into the sample; copies where they won't last. */
  sample(values: Iterable<Uint8Array>): void {
    for (const value of values) {
      if (this.#sample.length === sampleMax || this.#sampleBytes >= sampleBytesMax) return;
      this.#sample.push(value.slice());
      this.#sampleBytes += value.length;
    }
  }

  /** Takes what a chunk of `rows` decoded records came to; answers whether misses should be sampled. */
  observe(rows: number, misses: number, hits: readonly number[]): boolean {
    this.#hits = this.#hits.map((before, i) => before / 2 + (hits[i] ?? 0));
    if (this.#left > 0) this.#left--;
    if (misses > rows * missShareMax) return true;
    this.#forgetSample();
    if (rows > 0) this.#wait = Math.max(1, this.#wait / 2);
    return false;
  }

  #forgetSample(): void {
    this.#sample = [];
    this.#sampleBytes = 0;
  }

  /** Learns from the sample, if it is large enough and it is time; answers whether the shapes are others now. */
  learn(): boolean {
    if (this.#left > 0 || (this.#sample.length < sampleMin && this.#sampleBytes < sampleBytesMax)) return false;
    const shape = learnShape(this.#sample, this.#root, this.#options);
    this.#forgetSample();
    this.#wait = Math.min(waitMax, this.#wait * 2);
    this.#left = this.#wait;
    // A shape that is known already: its records failed for another reason.
    if (shape === null || this.#shapes.some((each) => sameShape(each, shape))) return false;
    if (this.#shapes.length < layoutsMax) this.#shapes.push(shape);
    else this.#shapes[this.#hits.indexOf(Math.min(...this.#hits))] = shape;
    this.#hits = this.#shapes.map((each, i) => (each === shape ? headStart : (this.#hits[i] ?? 0)));
    return true;
  }
}
