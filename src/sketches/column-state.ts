import type { QuantileStack } from "./quantiles.ts";
import { emptyStack } from "./quantiles.ts";
import { registerCount } from "./distinct.ts";

/** Where the parts of one column's running statistics stand, in bytes from its start; -1 where it has no such part. Every part is a multiple of 16 long. */
export interface StateShape {
  /** Most values that are counted at a time, and places of the table that finds them (a power of two). */
  readonly entriesMax: number;
  readonly slotCount: number;
  /** Most values that a purge leaves. */
  readonly entriesKept: number;
  /** HyperLogLog, a byte a register. */
  readonly registers: number;
  /** u16 a slot: an entry's number, from 1; 0: free. */
  readonly slots: number;
  /** u32 an entry. */
  readonly counts: number;
  /** Two u32 an entry, low word first: a number's own bits, or a text's hash. */
  readonly keys: number;
  /** Texts: the first 64 bits of its Murmur3 hash, as two u32 an entry. */
  readonly hashes: number;
  /** Texts: u32 an entry, the length in code points (bytes for binary). */
  readonly points: number;
  /** Texts: u32 an entry: where its kept bytes begin in `store`, times 65,536, plus their number. */
  readonly spans: number;
  /** Texts: the least and the greatest, 256 bytes each. */
  readonly least: number;
  readonly most: number;
  /** Texts: the first 64 code points of each entry. */
  readonly store: number;
  readonly storeBytes: number;
  /** Whole numbers: u32 each for `denseRange` neighbours, which need no search. */
  readonly dense: number;
  /** Numbers: sampled doubles that wait to be sorted. */
  readonly samples: number;
  readonly bytes: number;
}

/** Neighbouring whole numbers that are counted each in its own place. */
export const denseRange = 4096;
/** Sampled numbers that are sorted at a time. */
export const samplesMax = 512;
const headBytes = 256;

interface ShapeParts {
  readonly storeBytes?: number;
  readonly dense?: boolean;
  readonly numeric?: boolean;
}

function shapeOf(
  entriesMax: number,
  slotCount: number,
  entriesKept: number,
  { storeBytes = 0, dense: hasDense = false, numeric = false }: ShapeParts,
): StateShape {
  let end = headBytes;
  const take = (bytes: number): number => {
    if (bytes === 0) return -1;
    end += bytes;
    return end - bytes;
  };
  const text = storeBytes > 0 ? 1 : 0;
  const registers = take(registerCount);
  const slots = take(slotCount * 2);
  const counts = take(entriesMax * 4);
  const keys = take(entriesMax * 8);
  const hashes = take(entriesMax * 8 * text);
  const points = take(entriesMax * 4 * text);
  const spans = take(entriesMax * 4 * text);
  const least = take(256 * text);
  const most = take(256 * text);
  const store = take(storeBytes);
  const dense = take(hasDense ? denseRange * 4 : 0);
  const samples = take(numeric ? samplesMax * 8 : 0);
  const parts = { registers, slots, counts, keys, hashes, points, spans, least, most, store, storeBytes, dense, samples };
  return { entriesMax, slotCount, entriesKept, ...parts, bytes: end };
}

/** Floats and booleans: 34.3 KiB. */
export const floatShape = shapeOf(1536, 4096, 512, { numeric: true });
/** Whole numbers of at most 8 bytes, decimals of at most 18 digits among them: 38.8 KiB. */
export const wholeShape = shapeOf(896, 2048, 256, { dense: true, numeric: true });
/** Texts: 38.3 KiB. */
export const textShape = shapeOf(640, 2048, 256, { storeBytes: 12_288 });
/** Decimals of more than 18 digits: their 16 bytes as text, and as numbers: 42.3 KiB. */
export const wideShape = shapeOf(640, 2048, 256, { storeBytes: 12_288, numeric: true });

/** Places in a state's head: of u32 where not said. */
export const Head = {
  /** Entries in the table. */
  size: 0,
  /** 1 once the table had to drop a value: moments and quantiles are then kept beside it. */
  streaming: 1,
  /** Values other than NaN. */
  values: 2,
  nulls: 3,
  missing: 4,
  nan: 5,
  /** By how much a count can be short, at most. */
  error: 6,
  /** Bytes of `store` in use. */
  stored: 7,
  /** 1 once there are a least and a greatest value. */
  ordered: 8,
  leastLength: 9,
  mostLength: 10,
  /** Sampler: numbers seen, the open block's start and end, and which of it is taken; samples waiting, and their level. */
  seen: 12,
  blockStart: 13,
  blockEnd: 14,
  pickAt: 15,
  samples: 16,
  level: 17,
  /** Two u32 each: the least and greatest number's own bits; of texts the first 8 bytes, as a number that orders as they do. */
  least: 18,
  most: 20,
  /** 1 once `block`, two u32, says where the dense numbers are: the least of them and `denseBelow`. */
  based: 34,
  block: 36,
  /** Purges so far, and the state of the draw that says which values get an entry. */
  purges: 35,
  seed: 38,
  /** Places of f64: the open block's sample; moments. */
  pending: 11,
  count: 12,
  mean: 13,
  m2: 14,
  min: 15,
  max: 16,
} as const;

/** Runs of a state's memory in the types of its parts. */
export class ColumnState {
  readonly shape: StateShape;
  readonly address: number;
  head!: Uint32Array;
  doubles!: Float64Array;
  registers!: Uint8Array;
  slots!: Uint16Array;
  counts!: Uint32Array;
  keys!: Uint32Array;
  hashes!: Uint32Array;
  points!: Uint32Array;
  spans!: Uint32Array;
  least!: Uint8Array;
  most!: Uint8Array;
  store!: Uint8Array;
  dense!: Uint32Array;
  samples!: Float64Array;
  /** The quantile sketch of the samples that were sorted so far. */
  quantiles: QuantileStack = emptyStack();

  /** `address` is a multiple of 16 in `buffer`, with `shape.bytes` behind it. */
  constructor(shape: StateShape, buffer: ArrayBuffer = new ArrayBuffer(shape.bytes), address = 0) {
    this.shape = shape;
    this.address = address;
    this.attach(buffer);
  }

  /** Makes the views anew: a memory that grows has another buffer. */
  attach(buffer: ArrayBuffer): void {
    if (this.head?.buffer === buffer) return;
    const { shape, address } = this;
    const entries = shape.entriesMax;
    const words = (at: number, length: number): Uint32Array =>
      at < 0 ? new Uint32Array(0) : new Uint32Array(buffer, address + at, length);
    const bytes = (at: number, length: number): Uint8Array => (at < 0 ? new Uint8Array(0) : new Uint8Array(buffer, address + at, length));
    this.head = words(0, headBytes / 4);
    this.doubles = new Float64Array(buffer, address, headBytes / 8);
    this.registers = bytes(shape.registers, registerCount);
    this.slots = new Uint16Array(buffer, address + shape.slots, shape.slotCount);
    this.counts = words(shape.counts, entries);
    this.keys = words(shape.keys, 2 * entries);
    this.hashes = words(shape.hashes, 2 * entries);
    this.points = words(shape.points, entries);
    this.spans = words(shape.spans, entries);
    this.least = bytes(shape.least, 256);
    this.most = bytes(shape.most, 256);
    this.store = bytes(shape.store, shape.storeBytes);
    this.dense = words(shape.dense, denseRange);
    this.samples = shape.samples < 0 ? new Float64Array(0) : new Float64Array(buffer, address + shape.samples, samplesMax);
  }

  /** Forgets everything. */
  reset(): void {
    this.head.fill(0);
    this.registers.fill(0);
    this.slots.fill(0);
    this.dense.fill(0);
    this.quantiles = emptyStack();
  }
}
