import type { DistinctSketch, Moments, QuantileSketch, TopEntry, TopValues } from "../core/profile.ts";
import type { ByteReader } from "./byte-reader.ts";
import { corrupt } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { rankMax, registerCount } from "./distinct.ts";
import { topEntriesMax } from "./heavy-hitters.ts";
import { quantileLevelsMax } from "./quantiles.ts";

const countMax = Number.MAX_SAFE_INTEGER;
/** Longest text of one value: 64 code points of 4 bytes. */
const valueBytesMax = 256;
const levelItemsMax = 4096;
/** Whole numbers up to here are written as differences; a difference then still is a safe integer. */
const wholeMax = 2 ** 51;
const noItems = new Float64Array(0);

/** Count, then (if there are any) mean, m2, min and max as doubles. */
export function writeMoments(out: ByteWriter, moments: Moments): void {
  out.varint(moments.count);
  if (moments.count === 0) return;
  for (const value of [moments.mean, moments.m2, moments.min, moments.max]) out.double(value);
}

/** The inverse of `writeMoments`; throws PROFILE_CORRUPT. */
export function readMoments(from: ByteReader): Moments {
  const count = from.varint(countMax);
  if (count === 0) return { count, mean: 0, m2: 0, min: Infinity, max: -Infinity };
  const [mean, m2, min, max] = [from.double(), from.double(), from.double(), from.double()];
  if (Number.isNaN(mean) || !(m2 >= 0) || !(min <= max)) throw corrupt("moments contradict themselves");
  return { count, mean, m2, min, max };
}

/** Sparse (gap and rank of each register in use) where that is shorter, else 6 bits a register. */
export function writeDistinct(out: ByteWriter, sketch: DistinctSketch): void {
  let used = 0;
  for (const rank of sketch.registers) if (rank > 0) used++;
  const dense = 3 * used > (registerCount * 6) / 8;
  out.byte(dense ? 1 : 0);
  if (dense) out.bytes(packRegisters(sketch.registers));
  else {
    out.varint(used);
    out.bytes(listRegisters(sketch.registers, used));
  }
}

/** The gap before each register in use, as a varint, and its rank. */
function listRegisters(registers: Uint8Array, used: number): Uint8Array {
  const listed = new Uint8Array(3 * used);
  let at = 0;
  let previous = -1;
  for (let i = 0; i < registerCount; i++) {
    if (registers[i] === 0) continue;
    const gap = i - previous - 1;
    if (gap >= 128) listed[at++] = (gap & 127) | 128;
    listed[at++] = gap >= 128 ? gap >> 7 : gap;
    listed[at++] = registers[i] as number;
    previous = i;
  }
  return listed.subarray(0, at);
}

function packRegisters(registers: Uint8Array): Uint8Array {
  const packed = new Uint8Array((registerCount * 6) / 8);
  for (let i = 0, at = 0; i < registerCount; i += 4) {
    const four =
      ((registers[i] as number) << 18) |
      ((registers[i + 1] as number) << 12) |
      ((registers[i + 2] as number) << 6) |
      (registers[i + 3] as number);
    packed[at++] = four >> 16;
    packed[at++] = four >> 8;
    packed[at++] = four;
  }
  return packed;
}

/** The inverse of `writeDistinct`; throws PROFILE_CORRUPT. */
export function readDistinct(from: ByteReader): DistinctSketch {
  if (from.varint(1) === 1) {
    // Every packing is valid. Few ask for the registers: their bytes are copied, as they would keep those of the whole profile.
    const packed = from.bytes((registerCount * 6) / 8).slice();
    let registers: Uint8Array | null = null;
    return {
      kind: "distinct",
      get registers() {
        registers ??= unpackRegisters(packed);
        return registers;
      },
    };
  }
  const registers = new Uint8Array(registerCount);
  const used = from.varint(registerCount);
  for (let i = 0, at = -1; i < used; i++) {
    at += from.varint(registerCount) + 1;
    if (at >= registerCount) throw corrupt("a register is out of range");
    const rank = from.byte();
    if (rank === 0) throw corrupt("a register in use is empty");
    // Those of the packed form have 6 bits, and can't be too high.
    if (rank > rankMax) throw corrupt("a register's rank is out of range");
    registers[at] = rank;
  }
  return { kind: "distinct", registers };
}

function unpackRegisters(packed: Uint8Array): Uint8Array {
  const registers = new Uint8Array(registerCount);
  for (let i = 0, at = 0; i < registerCount; i += 4, at += 3) {
    const four = ((packed[at] as number) << 16) | ((packed[at + 1] as number) << 8) | (packed[at + 2] as number);
    registers[i] = four >> 18;
    registers[i + 1] = (four >> 12) & 63;
    registers[i + 2] = (four >> 6) & 63;
    registers[i + 3] = four & 63;
  }
  return registers;
}

/** Levels from the lowest: whole numbers as a first value and differences, others as doubles. */
export function writeQuantiles(out: ByteWriter, sketch: QuantileSketch): void {
  out.varint(sketch.count);
  out.varint(sketch.compactions);
  out.varint(sketch.levels.length);
  for (const items of sketch.levels) {
    out.varint(items.length);
    const whole = items.every((item) => Number.isInteger(item) && Math.abs(item) <= wholeMax);
    out.byte(whole ? 1 : 0);
    let previous = -wholeMax;
    for (const item of items) {
      if (whole) out.varint(item - previous);
      else out.double(item);
      previous = item;
    }
  }
}

/** The inverse of `writeQuantiles`; throws PROFILE_CORRUPT. */
export function readQuantiles(from: ByteReader): QuantileSketch {
  const count = from.varint(countMax);
  const compactions = from.varint(countMax);
  const levels: Float64Array[] = [];
  const levelCount = from.varint(quantileLevelsMax);
  let weight = 0;
  for (let level = 0; level < levelCount; level++) {
    const length = from.varint(levelItemsMax);
    const whole = from.varint(1) === 1;
    const items = length === 0 ? noItems : whole ? readWhole(from, length) : from.doubles(length);
    // No comparison with what is no number is true; were one infinite, an end would be.
    let isAscending = length === 0 || (Number.isFinite(items[0]) && Number.isFinite(items[length - 1]));
    for (let i = 1; i < length && isAscending; i++) isAscending = (items[i - 1] as number) <= (items[i] as number);
    if (!isAscending) throw corrupt("quantile items are out of order");
    levels.push(items);
    weight += length * 2 ** level;
  }
  if (weight !== count) throw corrupt("quantile weights do not add up");
  return { kind: "quantiles", count, levels, compactions };
}

function readWhole(from: ByteReader, length: number): Float64Array {
  const items = new Float64Array(length);
  let previous = -wholeMax;
  for (let i = 0; i < length; i++) {
    previous += from.varint(2 * wholeMax);
    items[i] = previous;
  }
  return items;
}

/** Total, error, then each entry's hash, count and text. */
export function writeTop(out: ByteWriter, top: TopValues): void {
  out.varint(top.total);
  out.varint(top.error);
  out.varint(top.entries.length);
  for (const entry of top.entries) {
    out.word(entry.hashHigh);
    out.word(entry.hashLow);
    out.varint(entry.count);
    out.text(entry.value);
  }
}

/** The inverse of `writeTop`; throws PROFILE_CORRUPT. */
export function readTop(from: ByteReader): TopValues {
  const total = from.varint(countMax);
  const error = from.varint(total);
  const length = from.varint(topEntriesMax);
  const entries: TopEntry[] = [];
  let counted = 0;
  let previous = -1;
  for (let i = 0; i < length; i++) {
    const hashHigh = from.word();
    const hashLow = from.word();
    const count = from.varint(total);
    const order = hashHigh * 2 ** 21 + (hashLow >>> 11);
    if (order < previous) throw corrupt("frequent values are out of order");
    previous = order;
    counted += count;
    entries.push({ hashHigh, hashLow, count, value: from.text(4 * valueBytesMax) });
  }
  if (counted > total) throw corrupt("frequent values do not add up");
  return { kind: "top", total, error, entries };
}
