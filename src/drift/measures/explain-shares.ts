import type { ColumnProfile } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import { distributionOf, quantileOf } from "../../sketches/quantiles.ts";
import { secondsText } from "../../sketches/value-text.ts";
import type { BinLabel, ShareBin, ShareBins } from "./share-bins.ts";

/** A share for people: `12.1%`, more digits for small ones. Shares are smoothed, so that none is ever quite zero. */
export function percentText(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.01) return "under 0.01%";
  return `${percent >= 1 || percent === 0 ? percent.toFixed(1) : percent.toPrecision(2)}%`;
}

/** A second bin is worth naming if it moved at least this part of what the first did. */
const secondMovePart = 0.3;

/** The bin that moved most and, where one bin took most of what it lost or gave most of what it won, that one too; and the medians of numbers. */
export function explainShares(shares: ShareBins, baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (isMasked(field)) return "the distribution of its values changed (values withheld: the column is classified)";
  return `${explainBins(shares, (label) => labelText(label, field))}${medianText(baseline, sample, field)}`;
}

/** `share of WN rose from 12.1% to 31.0%, of AA fell from 20.0% to 5.0%`: the bins that moved, by what they are called. */
export function explainBins(shares: ShareBins, call: (label: BinLabel) => string): string {
  const move = (bin: ShareBin): number => bin.sample - bin.baseline;
  const risen = shares.bins.reduce((best, bin) => (move(bin) > move(best) ? bin : best));
  const fallen = shares.bins.reduce((best, bin) => (move(bin) < move(best) ? bin : best));
  const [first, second] = move(risen) >= -move(fallen) - 1e-9 ? [risen, fallen] : [fallen, risen];
  const named = Math.abs(move(second)) >= secondMovePart * Math.abs(move(first)) && second !== first ? [first, second] : [first];
  const changes = named.map((bin) => {
    const verb = move(bin) >= 0 ? "rose" : "fell";
    return `${call(bin.label)} ${verb} from ${percentText(bin.baseline)} to ${percentText(bin.sample)}`;
  });
  return `share of ${changes.join(", of ")}`;
}

function labelText(label: BinLabel, field: Field): string {
  switch (label.kind) {
    case "value":
      return label.value === "" ? "empty text" : label.value;
    case "other":
      return label.newcomer === null ? "all other values" : `values that were rare or new (the most frequent is ${label.newcomer})`;
    case "range":
      if (label.from === null && label.to === null) return "values in the usual range";
      if (label.from === null) return `values up to ${numberText(label.to as number, field)}`;
      if (label.to === null) return `values above ${numberText(label.from, field)}`;
      return `values above ${numberText(label.from, field)} up to ${numberText(label.to, field)}`;
    default:
      return "values outside the baseline's range";
  }
}

/** `; the median went from 3 to 5`; nothing where it stayed. */
export function medianText(baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (baseline.quantiles === null || sample.quantiles === null) return "";
  const before = quantileOf(distributionOf(baseline.quantiles), 0.5);
  const now = quantileOf(distributionOf(sample.quantiles), 0.5);
  return before === now ? "" : `; the median went from ${numberText(before, field)} to ${numberText(now, field)}`;
}

/** A number, or the time that it stands for. */
export function numberText(value: number, field: Field): string {
  const kind = field.type.kind;
  if (kind === "date" || kind === "time" || kind === "timestamp") return secondsText(field.type, value);
  return String(Number(value.toPrecision(6)));
}
