import { Buffer } from "node:buffer";
import type { ColumnProfile, DistinctSketch, Moments, QuantileSketch, TopEntry } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import { entryBytes, entryLengths, entryNumbers, isWideDecimal, sortCounted, wideValue } from "./counted-numbers.ts";
import { emptyDistinct } from "./distinct.ts";
import { emptyTop, topOf } from "./heavy-hitters.ts";
import { countedMoments, emptyMoments } from "./moments.ts";
import { addCounted, emptyQuantiles, emptyStack, sketchOf } from "./quantiles.ts";
import { closeBlock, foldSamples } from "./sampler.ts";
import { isNumeric, momentsIn } from "./streaming.ts";
import { decimalText, hashValue, wordsText } from "./value-words.ts";

/** What a leaf field's profile is of. */
function profileKind(field: Field): ColumnProfile["kind"] {
  switch (field.type.kind) {
    case "boolean":
    case "binary":
    case "json":
      return field.type.kind;
    case "string":
      return "text";
    case "date":
    case "time":
    case "timestamp":
      return "time";
    default:
      return "number";
  }
}

/** Whether a column's values are kept as texts in its state. */
export function isSpans(field: Field): boolean {
  const { kind } = field.type;
  return kind === "string" || kind === "binary" || kind === "json" || isWideDecimal(field);
}

/** The profile of a leaf field without cells. */
export function emptyColumnProfile(field: Field): ColumnProfile {
  const kind = profileKind(field);
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

/** The profile of what a column's state has seen. The state can't be added to afterwards, only reset. */
export function finishColumn(state: ColumnState, field: Field): ColumnProfile {
  const { head } = state;
  const at = (place: number): number => head[place] as number;
  const empty = emptyColumnProfile(field);
  const numbers = isNumeric(field) ? finishNumbers(state, field) : null;
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
    top:
      empty.top === null
        ? null
        : topOf(state.counts.subarray(0, at(Head.size)), at(Head.values), at(Head.error), (entry) => describeEntry(state, field, entry)),
    lengths: empty.lengths === null ? null : finishLengths(state),
    nan: at(Head.nan),
  };
}

function finishNumbers(state: ColumnState, field: Field): { readonly moments: Moments; readonly quantiles: QuantileSketch } {
  if (state.head[Head.streaming] === 1) {
    foldSamples(state);
    closeBlock(state);
    return { moments: momentsIn(state), quantiles: sketchOf(state.quantiles) };
  }
  const counted = entryNumbers(state, field);
  const sorted = sortCounted(counted);
  const stack = emptyStack();
  addCounted(stack, sorted.values, sorted.counts);
  return { moments: countedMoments(counted.values, counted.counts), quantiles: sketchOf(stack) };
}

function finishLengths(state: ColumnState): Moments {
  if (state.head[Head.streaming] === 1) return momentsIn(state);
  const { values, counts } = entryLengths(state);
  return countedMoments(values, counts);
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
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(type.kind === "binary" ? "hex" : "utf8");
}

const hash = new Uint32Array(4);

function describeEntry(state: ColumnState, field: Field, entry: number): Omit<TopEntry, "count"> {
  const words = isSpans(field) ? state.hashes : state.keys;
  const [low, high] = [words[2 * entry] as number, words[2 * entry + 1] as number];
  if (isSpans(field)) return { hashHigh: high, hashLow: low, value: spanText(field, entryBytes(state, entry)) };
  hashValue(field.type, low, high, hash);
  return { hashHigh: hash[1] as number, hashLow: hash[0] as number, value: wordsText(field, low, high) };
}
