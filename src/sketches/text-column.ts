import type { BytesColumn, DecimalColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { FieldType } from "../core/schema.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import { drawEntry, insertEntry, purge, seekEntry, slotOf, sought } from "./count-table.ts";
import { addHash } from "./distinct.ts";
import { hashBytes } from "./murmur3.ts";
import { countCell, loseEntry } from "./number-column.ts";
import { addMoments, addStreamed, startStreaming } from "./streaming.ts";
import { countPoints, cutAt } from "./text-points.ts";
import { hashText } from "./text-hash.ts";

const key = new Uint32Array(2);
const hash = new Uint32Array(4);
let lengths = new Float64Array(4096);

/** Adds the cells of the given rows to the statistics of a column of text, binary or JSON, or of decimals of more than 18 digits by their 16 bytes. */
export function addSpans(state: ColumnState, column: BytesColumn | DecimalColumn, rows: Uint32Array): void {
  const { head, slots, counts, points } = state;
  const { type } = column.field;
  const { shape } = state;
  const bytes =
    column.kind === "bytes" ? column.bytes : new Uint8Array(column.unscaled.buffer, column.unscaled.byteOffset, column.unscaled.byteLength);
  if (lengths.length < rows.length) lengths = new Float64Array(rows.length);
  let streamedFrom = head[Head.streaming] === 1 ? 0 : rows.length;
  let streamed = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const cell = column.state[row];
    if (cell !== Cell.value) {
      countCell(head, cell);
      continue;
    }
    const start = column.kind === "bytes" ? (column.starts[row] as number) : 16 * row;
    const length = column.kind === "bytes" ? (column.lengths[row] as number) : 16;
    head[Head.values] = (head[Head.values] as number) + 1;
    hashText(bytes, start, length, key);
    const [low, high] = [key[0] as number, key[1] as number];
    const firstSlot = slotOf(low, high, slots.length);
    const entry = seekEntry(state, low, high, firstSlot);
    if (entry >= 0) {
      counts[entry] = (counts[entry] as number) + 1;
      if (streamedFrom <= i) lengths[streamed++] = points[entry] as number;
      continue;
    }
    const kept = keptLength(type, bytes, start, length);
    const measured = type.kind === "string" ? countPoints(bytes, start, length) : length;
    hashSpan(type, bytes, start, length, hash);
    addHash(state.registers, hash);
    if (type.kind !== "json") keepExtremes(state, type, bytes, start, kept);
    const full = head[Head.size] === shape.entriesMax || (head[Head.stored] as number) + kept > shape.storeBytes;
    if (head[Head.streaming] === 0) {
      if (full || sought.slot < 0) {
        startStreaming(state, column.field);
        streamedFrom = i;
        seekEntry(state, low, high, firstSlot);
      }
      if (streamedFrom <= i) lengths[streamed++] = measured;
    } else {
      lengths[streamed++] = measured;
      if (!drawEntry(head)) continue;
      if (full) {
        purge(state);
        seekEntry(state, low, high, firstSlot);
      }
    }
    if (sought.slot >= 0) addEntry(state, bytes, start, kept, measured);
    else loseEntry(head);
  }
  if (streamedFrom === rows.length) return;
  if (column.kind === "decimal") addStreamed(state, column, rows, streamedFrom);
  else addMoments(state, lengths, streamed);
}

function addEntry(state: ColumnState, bytes: Uint8Array, start: number, kept: number, measured: number): void {
  const { head } = state;
  const entry = insertEntry(state, key[0] as number, key[1] as number, sought.slot);
  const stored = head[Head.stored] as number;
  state.hashes[2 * entry] = hash[0] as number;
  state.hashes[2 * entry + 1] = hash[1] as number;
  state.points[entry] = measured;
  state.spans[entry] = stored * 65_536 + kept;
  for (let i = 0; i < kept; i++) state.store[stored + i] = bytes[start + i] as number;
  head[Head.stored] = stored + kept;
}

/** How many bytes of a value a profile keeps: 64 code points of text, 64 bytes of binary, none of JSON. */
function keptLength(type: FieldType, bytes: Uint8Array, start: number, length: number): number {
  if (type.kind === "json") return 0;
  if (type.kind === "string") return cutAt(bytes, start, start + length) - start;
  return Math.min(length, 64);
}

const shortest = new Uint8Array(16);

/** The hash that a profile has of a value, into `out`: of text its bytes, of a decimal the fewest bytes of its unscaled value, big endian. */
export function hashSpan(type: FieldType, bytes: Uint8Array, start: number, length: number, out: Uint32Array): void {
  if (type.kind !== "decimal") return hashBytes(bytes, start, length, out);
  const sign = (bytes[start + 15] as number) >> 7 === 1 ? 255 : 0;
  let size = 16;
  while (size > 1 && bytes[start + size - 1] === sign && (bytes[start + size - 2] as number) >> 7 === sign >> 7) size--;
  for (let i = 0; i < size; i++) shortest[i] = bytes[start + size - 1 - i] as number;
  hashBytes(shortest, 0, size, out);
}

function keepExtremes(state: ColumnState, type: FieldType, bytes: Uint8Array, start: number, kept: number): void {
  const { head } = state;
  const first = head[Head.ordered] === 0;
  head[Head.ordered] = 1;
  if (first || compareWith(type, bytes, start, kept, state.least, head[Head.leastLength] as number) < 0) {
    head[Head.leastLength] = kept;
    keep(head, Head.least, state.least, bytes, start, kept);
  }
  if (first || compareWith(type, bytes, start, kept, state.most, head[Head.mostLength] as number) > 0) {
    head[Head.mostLength] = kept;
    keep(head, Head.most, state.most, bytes, start, kept);
  }
}

/** Keeps a text, and its first 8 bytes as a number that orders as they do: the compiled profile compares those first. */
function keep(head: Uint32Array, place: number, into: Uint8Array, bytes: Uint8Array, start: number, kept: number): void {
  for (let i = 0; i < kept; i++) into[i] = bytes[start + i] as number;
  for (const from of [0, 4]) {
    let word = 0;
    for (let i = from; i < from + 4; i++) word = (word << 8) | (i < kept ? (into[i] as number) : 0);
    head[place + (from === 0 ? 1 : 0)] = word;
  }
}

/** Text by its kept bytes: UTF-8's order is the order of code points. Decimals as numbers. */
function compareWith(type: FieldType, bytes: Uint8Array, start: number, kept: number, other: Uint8Array, otherLength: number): number {
  if (type.kind === "decimal") {
    const signs = ((bytes[start + 15] as number) ^ 0x80) - ((other[15] as number) ^ 0x80);
    if (signs !== 0) return signs;
    for (let i = 14; i >= 0; i--) {
      const difference = (bytes[start + i] as number) - (other[i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
  const shared = Math.min(kept, otherLength);
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[start + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return kept - otherLength;
}
