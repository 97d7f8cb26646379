import type { Batch } from "../../../src/core/batch.ts";
import type { Column } from "../../../src/core/column.ts";

type Numbers = ArrayLike<number> | ArrayLike<bigint>;

/** The first place where two arrays of `count` numbers differ, bit for bit; -1 where they don't. */
function differing(a: Numbers, b: Numbers, count: number): number {
  for (let i = 0; i < count; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}

function compareArrays(what: string, a: Numbers, b: Numbers, count: number): string | null {
  const at = differing(a, b, count);
  return at < 0 ? null : `${what}[${at}]: ${String(a[at])} instead of ${String(b[at])}`;
}

function compareText(path: string, a: Column & { kind: "bytes" }, b: Column & { kind: "bytes" }): string | null {
  const lengths = compareArrays(`${path}.lengths`, a.lengths, b.lengths, b.length);
  if (lengths !== null) return lengths;
  for (let row = 0; row < b.length; row++) {
    const length = b.lengths[row] as number;
    const from = a.starts[row] as number;
    const other = b.starts[row] as number;
    for (let i = 0; i < length; i++)
      if (a.bytes[from + i] !== b.bytes[other + i]) {
        const text = (column: typeof a, start: number): string =>
          JSON.stringify(Buffer.from(column.bytes.subarray(start, start + length)).toString());
        return `${path}[${row}]: ${text(a, from)} instead of ${text(b, other)}`;
      }
  }
  return null;
}

function compareInvalid(path: string, a: Column, b: Column): string | null {
  const one = a.invalid ?? null;
  const two = b.invalid ?? null;
  if (one === null || two === null) return one === two ? null : `${path}.invalid: ${one === null ? "none" : "some"}`;
  if (one.rows.length !== two.rows.length) return `${path}.invalid: ${one.rows.length} cells instead of ${two.rows.length}`;
  for (const part of ["rows", "starts", "lengths", "causes"] as const) {
    const found = compareArrays(`${path}.invalid.${part}`, one[part], two[part], two.rows.length);
    if (found !== null) return found;
  }
  return null;
}

/** What differs between two columns, every array and every text of them; null where nothing does. */
function compareColumns(a: Column, b: Column, path: string): string | null {
  if (a.kind !== b.kind || a.length !== b.length) return `${path}: ${a.kind} of ${a.length} instead of ${b.kind} of ${b.length}`;
  const plain = compareArrays(`${path}.state`, a.state, b.state, b.length) ?? compareInvalid(path, a, b);
  if (plain !== null) return plain;
  if (a.kind === "bytes" && b.kind === "bytes") return compareText(path, a, b);
  if ((a.kind === "boolean" && b.kind === "boolean") || (a.kind === "float" && b.kind === "float"))
    return compareArrays(`${path}.values`, a.values, b.values, b.length);
  if (a.kind === "integer" && b.kind === "integer")
    return compareArrays(`${path}.exact`, a.exact, b.exact, b.length) ?? compareArrays(`${path}.values`, a.values, b.values, b.length);
  if (a.kind === "decimal" && b.kind === "decimal")
    return (
      compareArrays(`${path}.unscaled`, a.unscaled, b.unscaled, b.length * 4) ??
      compareArrays(`${path}.values`, a.values, b.values, b.length)
    );
  if (a.kind === "struct" && b.kind === "struct") {
    for (const [i, child] of b.children.entries()) {
      const found = compareColumns(a.children[i] as Column, child, `${path}.${child.field.name}`);
      if (found !== null) return found;
    }
    return null;
  }
  if (a.kind !== "list" || b.kind !== "list") return `${path}: unknown kind`;
  const offsets = compareArrays(`${path}.offsets`, a.offsets, b.offsets, b.length + 1);
  if (offsets !== null) return offsets;
  if (a.keys !== null && b.keys !== null) {
    const keys = compareColumns(a.keys, b.keys, `${path}.keys`);
    if (keys !== null) return keys;
  } else if (a.keys !== b.keys) return `${path}.keys`;
  return compareColumns(a.element, b.element, `${path}[]`);
}

/** What differs between two batches of the same records: cells, invalid cells, faults, skipped and kept fields; null where nothing does. */
export function compareBatches(a: Batch, b: Batch): string | null {
  if (a.rows !== b.rows) return `${a.rows} rows instead of ${b.rows}`;
  const faults = JSON.stringify(a.faults);
  if (faults !== JSON.stringify(b.faults)) {
    const at = b.faults.findIndex((fault, i) => JSON.stringify(fault) !== JSON.stringify(a.faults[i]));
    const i = at < 0 ? b.faults.length : at;
    return `faults[${i}]: ${JSON.stringify(a.faults[i])} instead of ${JSON.stringify(b.faults[i])}`;
  }
  if (JSON.stringify(a.skipped) !== JSON.stringify(b.skipped)) return "skipped";
  const undecoded = compareArrays("undecoded", a.undecoded, b.undecoded, b.rows);
  if (undecoded !== null) return undecoded;
  for (const [i, column] of b.columns.entries()) {
    const found = compareColumns(a.columns[i] as Column, column, column.field.name);
    if (found !== null) return found;
  }
  if (a.unknown === null || b.unknown === null) return a.unknown === b.unknown ? null : "unknown";
  return compareColumns(a.unknown, b.unknown, "unknown");
}
