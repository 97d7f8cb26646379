import type { Arrival, JointMoments, WatchedParts } from "../../core/profile.ts";
import type { ByteReader } from "../byte-reader.ts";
import { corrupt } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { readMoments, readQuantiles, readTop, writeMoments, writeQuantiles, writeTop } from "../sketch-format.ts";
import { arrivalSpansMax } from "./arrivals.ts";
import { readFieldCounts, writeFieldCounts } from "./field-counts.ts";
import { jointColumnsMax } from "./joint-columns.ts";

/** One bit each. */
const Watched = { patterns: 1, lag: 2, arrival: 4, joint: 8, fields: 16 } as const;
const countMax = Number.MAX_SAFE_INTEGER;
const pathBytesMax = 65_536;

/** Which parts there are, one bit each: 1 patterns, 2 lag, 4 arrival, 8 joint, 16 fields. */
export function watchedMask({ patterns, lag, arrival, joint, fields }: WatchedParts): number {
  return (
    (patterns === undefined ? 0 : Watched.patterns) |
    (lag === undefined ? 0 : Watched.lag) |
    (arrival === undefined ? 0 : Watched.arrival) |
    (joint === undefined ? 0 : Watched.joint) |
    (fields === undefined ? 0 : Watched.fields)
  );
}

/** The mask, then the parts in its order. */
export function writeWatched(out: ByteWriter, parts: WatchedParts): void {
  const { patterns, lag, arrival, joint, fields } = parts;
  out.byte(watchedMask(parts));
  if (patterns !== undefined) writeTop(out, patterns);
  if (lag !== undefined) {
    writeMoments(out, lag.moments);
    writeQuantiles(out, lag.quantiles);
  }
  if (arrival !== undefined) writeArrival(out, arrival);
  if (joint !== undefined) writeJoint(out, joint);
  if (fields !== undefined) writeFieldCounts(out, fields);
}

/** The inverse of `writeWatched`; throws PROFILE_CORRUPT. */
export function readWatched(from: ByteReader): WatchedParts {
  const mask = from.byte();
  if (mask === 0 || mask > 31) throw corrupt("a column has unknown watched parts");
  return {
    ...((mask & Watched.patterns) !== 0 && { patterns: readTop(from) }),
    ...((mask & Watched.lag) !== 0 && { lag: { moments: readMoments(from), quantiles: readQuantiles(from) } }),
    ...((mask & Watched.arrival) !== 0 && { arrival: readArrival(from) }),
    ...((mask & Watched.joint) !== 0 && { joint: readJoint(from) }),
    ...((mask & Watched.fields) !== 0 && { fields: readFieldCounts(from) }),
  };
}

/** Values, number of spans, then each end as its distance from the one before. */
function writeArrival(out: ByteWriter, { values, spansMs }: Arrival): void {
  out.varint(values);
  out.varint(spansMs.length / 2);
  let previous = 0;
  for (const end of spansMs) {
    out.varint(end - previous);
    previous = end;
  }
}

function readArrival(from: ByteReader): Arrival {
  const values = from.varint(countMax);
  const spansMs: number[] = [];
  const ends = 2 * from.varint(arrivalSpansMax);
  let previous = 0;
  for (let i = 0; i < ends; i++) {
    previous += from.varint(countMax);
    if (previous > countMax) throw corrupt("an arrival is out of range");
    spansMs.push(previous);
  }
  return { values, spansMs };
}

/** Number of columns, their paths, the count, then means and products as doubles. */
function writeJoint(out: ByteWriter, { columns, count, means, products }: JointMoments): void {
  out.varint(columns.length);
  for (const path of columns) out.text(path);
  out.varint(count);
  for (const value of [...means, ...products]) out.double(value);
}

function readJoint(from: ByteReader): JointMoments {
  const size = from.varint(jointColumnsMax);
  const columns = Array.from({ length: size }, () => from.text(pathBytesMax));
  const count = from.varint(countMax);
  const means = Array.from({ length: size }, () => from.double());
  const products = Array.from({ length: (size * (size + 1)) / 2 }, () => from.double());
  if (means.some(Number.isNaN) || products.some(Number.isNaN)) throw corrupt("joint moments are not numbers");
  return { columns, count, means, products };
}
