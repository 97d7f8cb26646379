import type { Batch } from "../core/batch.ts";
import type { Column } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { DriftQuestion, DriftSuspect, NumberSuspect } from "../core/drift.ts";
import type { PartitionKey } from "../core/position.ts";
import type { RecordSlice } from "../core/ports.ts";
import { sliceRecords } from "../core/record-chunks.ts";
import type { RecordSample } from "../core/record-sample.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import { compileSelection } from "../rules/row-selection.ts";
import { hashCell, lengthCell, numberCell } from "../sketches/leaf-cells.ts";
import type { LeafColumn } from "../sketches/leaf-columns.ts";
import { hashPattern } from "../sketches/watched/text-patterns.ts";
import type { ChunkEngine } from "./chunk-engine.ts";

/** Records that passed in one run of a window, and the schemas that they name. */
export interface PassedRun extends RecordSlice {
  readonly schemas: ResolvedSchemas;
}

/** Records named for a question. */
const samplesMax = 3;
/** Records that are decoded once more at most, and how many at a time. */
const recordsMax = 10_240;
const recordsAtOnce = 256;

/**
 * Finds the newest few records for each question, among the newest 10,240 of a window: they are decoded once more, for of its columns nothing is kept. Answers ascend by partition
 * and offset. What stands in lists is not looked into.
 */
export function findSuspects(
  contract: Contract,
  decode: ChunkEngine["decode"],
  runs: readonly PassedRun[],
  questions: readonly DriftQuestion[],
): readonly (readonly RecordSample[])[] {
  const searches = questions.map((question) => ({ suspectsIn: search(contract, question), found: [] as RecordSample[] }));
  const open = (): boolean => searches.some(({ found }) => found.length < samplesMax);
  let left = recordsMax;
  for (const { records, rows, schemas } of runs.toReversed()) {
    for (let end = rows.length; end > 0 && left > 0 && open();) {
      const to = (rows[end - 1] as number) + 1;
      const from = Math.max(0, to - Math.min(left, recordsAtOnce));
      left -= to - from;
      let begin = end;
      while (begin > 0 && (rows[begin - 1] as number) >= from) begin--;
      const newest = searches.map((): RecordSample[] => []);
      for (const { batch, passed } of decodeRows(decode, sliceRecords(records, from, to), {
        schemas,
        passed: rows.subarray(begin, end),
        from,
      })) {
        searches.forEach(({ suspectsIn }, i) => newest[i]?.push(...suspectsIn(batch, passed).map((row) => sampleOf(batch.records, row))));
      }
      searches.forEach(({ found }, i) => found.push(...(newest[i] ?? []).toReversed().slice(0, samplesMax - found.length)));
      end = begin;
    }
  }
  return searches.map(({ found }) => found.toSorted(byPosition));
}

/** Decodes records, and says which rows of each batch passed. */
function* decodeRows(
  decode: ChunkEngine["decode"],
  records: Records,
  { schemas, passed, from }: { readonly schemas: ResolvedSchemas; readonly passed: Uint32Array; readonly from: number },
): Generator<{ readonly batch: Batch; readonly passed: Uint32Array }> {
  for (let at = 0; at < records.count;) {
    const batch = decode(records, at, schemas);
    const [begin, end] = [from + at, from + at + batch.rows];
    at += batch.rows;
    yield { batch, passed: passed.filter((row) => row >= begin && row < end).map((row) => row - begin) };
  }
}

/** How the rows that a question asks for are told. */
function search(contract: Contract, { path, where, suspect }: DriftQuestion): (batch: Batch, passed: Uint32Array) => number[] {
  const select = where === null ? null : compileSelection(contract, where);
  return (batch, passed) => {
    const leaf = leafAt(batch.columns, path);
    if (leaf === null) return [];
    const rows = select === null ? passed : select(batch, passed);
    return Array.from(rows).filter(testOf(leaf, suspect));
  };
}

/** The leaf column with a path that stands once in a row. */
function leafAt(columns: readonly Column[], path: string): LeafColumn | null {
  for (const column of columns) {
    if (column.kind === "struct") {
      const inner = leafAt(column.children, path);
      if (inner !== null) return inner;
    } else if (column.kind !== "list" && column.field.path === path) return column;
  }
  return null;
}

function testOf(leaf: LeafColumn, suspect: DriftSuspect): (row: number) => boolean {
  const { state } = leaf;
  switch (suspect.kind) {
    case "null":
      return (row) => state[row] === Cell.null || state[row] === Cell.missing;
    case "missing":
      return (row) => state[row] === Cell.missing;
    case "values": {
      const hash = new Uint32Array(4);
      return (row) => {
        if (state[row] !== Cell.value) return false;
        hashCell(leaf, row, hash);
        return suspect.values.some(({ hashHigh, hashLow }) => hashLow === hash[0] && hashHigh === hash[1]);
      };
    }
    case "patterns": {
      const hash = new Uint32Array(4);
      return (row) => {
        if (state[row] !== Cell.value || leaf.kind !== "bytes") return false;
        hashPattern(leaf.bytes, leaf.starts[row] as number, leaf.lengths[row] as number, hash);
        return suspect.patterns.some(({ hashHigh, hashLow }) => hashLow === hash[0] && hashHigh === hash[1]);
      };
    }
    case "length": {
      const test = numberTest(suspect.length);
      return (row) => state[row] === Cell.value && leaf.kind === "bytes" && test(lengthCell(leaf, row));
    }
    default: {
      const test = numberTest(suspect);
      return (row) => test(numberCell(leaf, row));
    }
  }
}

function numberTest(suspect: NumberSuspect): (value: number) => boolean {
  const { kind, least, most } = suspect;
  if (kind === "outside") return (value) => Number.isFinite(value) && (value < least || value > most);
  const { above } = suspect;
  return (value) => value >= least && value <= most && (above === null || value > above);
}

function sampleOf(records: Records, row: number): RecordSample {
  const { topic, topicId, partition } = records.partitions[records.partition[row] as number] as PartitionKey;
  return { topic, topicId, partition, offset: (records.offsets[row] as bigint).toString() };
}

function byPosition(a: RecordSample, b: RecordSample): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition || (BigInt(a.offset) < BigInt(b.offset) ? -1 : 1);
}
