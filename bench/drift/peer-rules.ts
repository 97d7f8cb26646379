import type { DriftTestName } from "../../src/core/drift.ts";
import type { ColumnProfile } from "../../src/core/profile.ts";
import type { Field } from "../../src/core/schema.ts";
import { chiSquaredUpperTail } from "../../src/drift/chi-squared.ts";
import { driftTests } from "../../src/drift/drift-tests.ts";

/** A rule that others judge one column of one window by. */
export interface PeerRule {
  readonly name: string;
  readonly flags: (before: ColumnProfile, now: ColumnProfile, field: Field) => boolean;
}

/** A statistic of two profiles; null where the test skips the column. */
function statisticOf(name: DriftTestName, before: ColumnProfile, now: ColumnProfile, field: Field): number | null {
  const measure = driftTests.find((test) => test.name === name)?.measure(before, now, field);
  return measure === undefined || "skipped" in measure ? null : measure.statistic;
}

/** Of Kolmogorov's law: exceeded in one of 20. */
export const kolmogorovTwentieth = 1.3581;

/** The rules of other tools with their defaults, over the statistics of profiles. */
export const peerRules: readonly PeerRule[] = [
  {
    name: "KS, chi-squared p < .05",
    flags: (before, now, field) => {
      const ks = statisticOf("ks", before, now, field);
      if (ks !== null) {
        const [m, n] = [before.quantiles?.count ?? 1, now.quantiles?.count ?? 1];
        return ks > kolmogorovTwentieth * Math.sqrt(1 / m + 1 / n);
      }
      const measure = driftTests.find((test) => test.name === "chi-squared")?.measure(before, now, field);
      if (measure === undefined || "skipped" in measure) return false;
      return chiSquaredUpperTail((measure.energy * measure.freedom) / measure.expected, measure.freedom) < 0.05;
    },
  },
  { name: "PSI > .1", flags: (before, now, field) => (statisticOf("psi", before, now, field) ?? 0) > 0.1 },
  {
    name: "Evidently (Wasserstein, JS distance > .1)",
    flags: (before, now, field) => {
      const moved = statisticOf("wasserstein", before, now, field);
      if (moved !== null) return moved > 0.1;
      // Its distance is the root, to the base of 2.
      return Math.sqrt((statisticOf("jensen-shannon", before, now, field) ?? 0) / Math.LN2) > 0.1;
    },
  },
  { name: "TFDV (L-infinity > .01)", flags: (before, now, field) => (statisticOf("l-infinity", before, now, field) ?? 0) > 0.01 },
];
