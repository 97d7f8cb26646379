import type { SkippedRow } from "../core/batch.ts";
import type { DecodeFault } from "../core/column.ts";
import type { Policies } from "../core/contract.ts";
import { decodeFaults, type DecodeFaultCode } from "./faults.ts";

/** What decoding says of rows without cells. */
export interface UndecodedRows {
  readonly faults: DecodeFault[];
  readonly skipped: SkippedRow[];
}

/** Whether the contract has a value of `length` bytes (-1: a tombstone) decoded; where not, notes why, and the row has no cells. */
export function isDecoded(policies: Pick<Policies, "tombstone" | "oversized">, row: number, length: number, noted: UndecodedRows): boolean {
  const bytesMax = policies.oversized.bytes;
  if (length >= 0 && length <= bytesMax) return true;
  if (length < 0 && policies.tombstone === "skip") {
    noted.skipped.push({ row, policy: "tombstone" });
    return false;
  }
  const code: DecodeFaultCode = length < 0 ? "record.tombstone" : "record.oversized";
  const detail = length < 0 ? "" : `: ${length} bytes, ${bytesMax} allowed`;
  noted.faults.push({ row, code, message: decodeFaults[code] + detail, at: null });
  return false;
}
