import { decodeDecision } from "../../../core/decision-text.ts";
import type { VersionWindow } from "../../../core/lake-refs.ts";
import type { LakeContext } from "../lake-context.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import { movedBy } from "./version-line.ts";

/** The windows among commits, with their decisions; moves of main are none. */
export async function versionWindows(context: LakeContext, commits: readonly LedgerEntry[]): Promise<VersionWindow[]> {
  const windows: VersionWindow[] = [];
  for (const each of commits) {
    const hash = each.summary[summaryKeys.decisionHash];
    if (hash === undefined || movedBy(each, "withdraw") !== null || movedBy(each, "restore") !== null) continue;
    windows.push({
      snapshotId: each["snapshot-id"].toString(),
      sequence: each["sequence-number"],
      committedAtMs: each["timestamp-ms"],
      decision: decodeDecision(await context.content.get("decision", hash)),
    });
  }
  return windows;
}
