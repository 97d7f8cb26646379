import type { DriftSuspect } from "../../core/drift.ts";
import type { ColumnProfile, TopValues } from "../../core/profile.ts";
import type { DriftSkip } from "../drift-test.ts";
import type { ShareBin, ShareBins } from "./share-bins.ts";

/** The cells of the bin whose share rose most. */
export function suspectShares(shares: ShareBins | DriftSkip, baseline: ColumnProfile, sample: ColumnProfile): DriftSuspect | null {
  if ("skipped" in shares) return null;
  const move = (bin: ShareBin): number => bin.sample - bin.baseline;
  const { label } = shares.bins.reduce((best, bin) => (move(bin) > move(best) ? bin : best));
  const { moments, top } = { moments: baseline.moments, top: sample.top };
  switch (label.kind) {
    case "value":
      return suspectValue(label.value, top);
    case "other":
      return suspectValue(label.newcomer, top);
    case "range":
      return moments === null ? null : { kind: "within", least: moments.min, above: label.from, most: label.to ?? moments.max };
    default:
      return moments === null ? null : { kind: "outside", least: moments.min, most: moments.max };
  }
}

/** Bins know values by their texts, which are cut. */
function suspectValue(text: string | null, top: TopValues | null): DriftSuspect | null {
  const values = (top?.entries ?? []).filter(({ value }) => value === text);
  return values.length === 0 ? null : { kind: "values", values };
}
