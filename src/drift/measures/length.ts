import type { ColumnProfile, Moments } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import { standardDeviation } from "../../sketches/moments.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { shiftOf } from "./means.ts";
import { suspectShift } from "./suspect-shift.ts";

/** The least scale of lengths: codes of one length have no deviation, and half a character is a change of them. */
const scaleLeast = 0.5;
/** Variance that lengths at least have by chance. */
const varianceLeast = 1 / 12;

function lengthCount(column: ColumnProfile): number {
  return column.lengths?.count ?? 0;
}

/** The difference of the mean lengths (code points of text, bytes of binary) in the baseline's standard deviations of them, or in half characters where that is more. */
export const length: DriftTest = {
  name: "length",
  reads: [],
  limitDefault: 0.3,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("length", baseline, sample, lengthCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.lengths as Moments, sample.lengths as Moments];
    const scale = Math.max(scaleLeast, standardDeviation(before) ?? 0);
    const { effect, variance } = shiftOf(before, now, scale);
    const least = (varianceLeast / scale ** 2) * (1 / before.count + 1 / now.count);
    const explain = (): string => {
      if (isMasked(field)) return "the length of its values changed (figures withheld: the column is classified)";
      const verb = now.mean >= before.mean ? "rose" : "fell";
      const unit = baseline.kind === "text" ? "characters" : "bytes";
      return `the mean length ${verb} from ${lengthText(before)} to ${lengthText(now)} ${unit}`;
    };
    return {
      statistic: effect,
      energy: effect ** 2,
      expected: Math.max(variance, least),
      freedom: 1,
      explain,
      suspect: () => ({ kind: "length", length: suspectShift(before, now) }),
    };
  },
};

function lengthText({ mean, min, max }: Moments): string {
  return `${mean.toFixed(1)} (${min} to ${max})`;
}
