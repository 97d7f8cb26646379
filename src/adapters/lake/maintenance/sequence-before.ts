import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { isOwnCommit } from "../refs/version-line.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { LedgerEntry } from "./ledger.ts";
import { ledgerSegments, readSegment } from "./ledger.ts";

/** The sequence number after which at least so many decided commits stand; 0 where there are no more than these. See `Lake.sequenceBefore`. */
export async function sequenceBefore(context: LakeContext, dataset: string, commits: number): Promise<bigint> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const decided = (each: LedgerEntry): boolean => isOwnCommit(each) && each.summary[summaryKeys.decisionHash] !== undefined;
  let found = metadata.snapshots.filter(decided).map((each) => each["sequence-number"]);
  for (const segment of ledgerSegments(metadata).toSorted((a, b) => (a.to > b.to ? -1 : 1))) {
    if (found.length > commits) break;
    found = [...found, ...(await readSegment(context.content, segment)).filter(decided).map((each) => each["sequence-number"])];
  }
  return found.toSorted((a, b) => (a < b ? -1 : 1)).at(-commits - 1) ?? 0n;
}
