import { Buffer } from "node:buffer";
import { columnKind } from "../core/column-kind.ts";
import type { ColumnProfile, DistinctSketch, Moments, QuantileSketch, TopEntry, TopValues } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { uuidText } from "../core/uuid.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import {
  denseNumbers,
  entryBytes,
  entryLengths,
  entryNumbers,
  isWideDecimal,
  joinCounted,
  sortCounted,
  wideValue,
} from "./counted-numbers.ts";
import { countError } from "./count-table.ts";
import type { DenseEntries } from "./dense-counts.ts";
import { denseEntries } from "./dense-counts.ts";
import { emptyDistinct } from "./distinct.ts";
import { emptyTop, topOf } from "./heavy-hitters.ts";
import { countedMoments, emptyMoments, mergeMoments } from "./moments.ts";
import { addCounted, emptyQuantiles, emptyStack, sketchOf } from "./quantiles.ts";
import { closeBlock, foldSamples } from "./sampler.ts";
import { isNumeric, momentsIn } from "./streaming.ts";
import { decimalText, hashValue, wordsText } from "./value-words.ts";

/** Whether a column's values are kept as texts in its state. */
export function isSpans(field: Field): boolean {
  const { kind } = field.type;
  return kind === "string" || kind === "binary" || kind === "uuid" || kind === "json" || isWideDecimal(field);
}

/** The profile of a leaf field without cells. */
export function emptyColumnProfile(field: Field): ColumnProfile {
  const kind = columnKind(field);
  const numeric = kind === "number" || kind === "time";
  return {
    path: field.path,
    kind,
    count: 0,
    nulls: 0,
    missing: 0,
    min: null,
    max: null,
    moments: numeric ? emptyMoments : null,
    quantiles: numeric ? emptyQuantiles : null,
    distinct: emptyDistinct(),
    top: kind === "json" ? null : emptyTop,
    lengths: kind === "text" || kind === "binary" ? emptyMoments : null,
    nan: 0,
  };
}

/** The profile of what a column's state has seen, `settleDense` included. The state can't be added to afterwards, only reset. */
export function finishColumn(state: ColumnState, field: Field): ColumnProfile {
  const { head } = state;
  const at = (place: number): number => head[place] as number;
  const empty = emptyColumnProfile(field);
  const dense = denseEntries(state);
  const numbers = isNumeric(field) ? finishNumbers(state, field, dense) : null;
  const ordered = at(Head.ordered) === 1;
  const distinct: DistinctSketch = { kind: "distinct", registers: state.registers.slice() };
  return {
    ...empty,
    count: at(Head.values) + at(Head.nan) + at(Head.nulls) + at(Head.missing),
    nulls: at(Head.nulls),
    missing: at(Head.missing),
    min: ordered ? extremeText(state, field, Head.least) : null,
    max: ordered ? extremeText(state, field, Head.most) : null,
    moments: numbers?.moments ?? null,
    quantiles: numbers?.quantiles ?? null,
    distinct,
    top: empty.top === null ? null : finishTop(state, field, dense),
    lengths: empty.lengths === null ? null : finishLengths(state),
    nan: at(Head.nan),
  };
}

interface Numbers {
  readonly moments: Moments;
  readonly quantiles: QuantileSketch;
}

function finishNumbers(state: ColumnState, field: Field, entries: DenseEntries): Numbers {
  const dense = denseNumbers(field, entries);
  if (state.head[Head.streaming] === 1) {
    foldSamples(state);
    closeBlock(state);
    addCounted(state.quantiles, dense.values, dense.counts);
    return { moments: mergeMoments(countedMoments(dense), momentsIn(state)), quantiles: sketchOf(state.quantiles) };
  }
  const others = entryNumbers(state, field);
  const sorted = others.values.length === 0 ? dense : sortCounted(joinCounted(dense, others));
  const stack = emptyStack();
  addCounted(stack, sorted.values, sorted.counts);
  return { moments: mergeMoments(countedMoments(dense), countedMoments(others)), quantiles: sketchOf(stack) };
}

function finishTop(state: ColumnState, field: Field, dense: DenseEntries): TopValues {
  const { head } = state;
  const size = dense.counts.length;
  const counts = new Uint32Array(size + (head[Head.size] as number));
  counts.set(dense.counts);
  counts.set(state.counts.subarray(0, head[Head.size]), size);
  return topOf(counts, head[Head.values] as number, countError(head), (at) =>
    at < size ? describeWords(field, dense.words, at) : describeEntry(state, field, at - size),
  );
}

function finishLengths(state: ColumnState): Moments {
  if (state.head[Head.streaming] === 1) return momentsIn(state);
  return countedMoments(entryLengths(state));
}

function extremeText(state: ColumnState, field: Field, place: typeof Head.least | typeof Head.most): string {
  const { head } = state;
  if (!isSpans(field)) return wordsText(field, head[place] as number, head[place + 1] as number);
  const [bytes, length] = place === Head.least ? [state.least, Head.leastLength] : [state.most, Head.mostLength];
  return spanText(field, bytes.subarray(0, head[length]));
}

function spanText(field: Field, bytes: Uint8Array): string {
  const { type } = field;
  if (type.kind === "decimal") return decimalText(wideValue(bytes), type.scale);
  if (type.kind === "uuid") return uuidText(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(type.kind === "binary" ? "hex" : "utf8");
}

const hash = new Uint32Array(4);

function describeEntry(state: ColumnState, field: Field, entry: number): Omit<TopEntry, "count"> {
  if (!isSpans(field)) return describeWords(field, state.keys, entry);
  const [hashLow, hashHigh] = [state.hashes[2 * entry] as number, state.hashes[2 * entry + 1] as number];
  return { hashHigh, hashLow, value: spanText(field, entryBytes(state, entry)) };
}

function describeWords(field: Field, words: Uint32Array, at: number): Omit<TopEntry, "count"> {
  const [low, high] = [words[2 * at] as number, words[2 * at + 1] as number];
  hashValue(field.type, low, high, hash);
  return { hashHigh: hash[1] as number, hashLow: hash[0] as number, value: wordsText(field, low, high) };
}
