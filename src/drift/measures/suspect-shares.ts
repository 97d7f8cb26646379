import type { DriftSuspect } from "../../core/drift.ts";
import type { ColumnProfile, TopEntry, TopValues } from "../../core/profile.ts";
import type { DriftSkip } from "../drift-test.ts";
import type { BinLabel, ShareBin, ShareBins } from "./share-bins.ts";

/** The cells of the bin whose share rose most. */
export function suspectShares(shares: ShareBins | DriftSkip, baseline: ColumnProfile, sample: ColumnProfile): DriftSuspect | null {
  if ("skipped" in shares) return null;
  const label = risen(shares);
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

/** The cells of the form whose share rose most. */
export function suspectPattern(shares: ShareBins, patterns: TopValues): DriftSuspect | null {
  const label = risen(shares);
  const text = label.kind === "value" ? label.value : label.kind === "other" ? label.newcomer : null;
  const found = entriesOf(text, patterns);
  return found.length === 0 ? null : { kind: "patterns", patterns: found };
}

function risen({ bins }: ShareBins): BinLabel {
  const move = (bin: ShareBin): number => bin.sample - bin.baseline;
  return bins.reduce((best, bin) => (move(bin) > move(best) ? bin : best)).label;
}

/** Bins know values by their texts, which are cut. */
function entriesOf(text: string | null, top: TopValues | null): readonly TopEntry[] {
  return (top?.entries ?? []).filter(({ value }) => value === text);
}

function suspectValue(text: string | null, top: TopValues | null): DriftSuspect | null {
  const values = entriesOf(text, top);
  return values.length === 0 ? null : { kind: "values", values };
}
