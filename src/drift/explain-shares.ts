import type { ColumnProfile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { isMasked } from "../core/schema.ts";
import { distributionOf, quantileOf } from "../sketches/quantiles.ts";
import { secondsText } from "../sketches/value-text.ts";
import type { BinLabel, ShareBin, ShareBins } from "./share-bins.ts";

/** A share for people: `12.1%`, more digits for small ones. */
export function percentText(share: number): string {
  const percent = 100 * share;
  return `${percent >= 1 || percent === 0 ? percent.toFixed(1) : percent.toPrecision(2)}%`;
}

/** The bin that moved most, in plain words, and the medians of numbers. */
export function explainShares(shares: ShareBins, baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (isMasked(field)) return "the distribution of its values changed (values withheld: the column is classified)";
  const change = (bin: ShareBin): number => (bin.sample - bin.baseline) * Math.log(bin.sample / bin.baseline);
  const most = shares.bins.reduce((best, bin) => (change(bin) > change(best) ? bin : best));
  const verb = most.sample > most.baseline ? "rose" : "fell";
  const text = `share of ${labelText(most.label, field)} ${verb} from ${percentText(most.baseline)} to ${percentText(most.sample)}`;
  return `${text}${medianText(baseline, sample, field)}`;
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

function medianText(baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (baseline.quantiles === null || sample.quantiles === null) return "";
  const before = quantileOf(distributionOf(baseline.quantiles), 0.5);
  const now = quantileOf(distributionOf(sample.quantiles), 0.5);
  return before === now ? "" : `; the median went from ${numberText(before, field)} to ${numberText(now, field)}`;
}

function numberText(value: number, field: Field): string {
  const kind = field.type.kind;
  if (kind === "date" || kind === "time" || kind === "timestamp") return secondsText(field.type, value);
  return String(Number(value.toPrecision(6)));
}
