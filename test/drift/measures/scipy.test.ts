import { describe, expect, test } from "vitest";
import type { JointMoments } from "../../../src/core/profile.ts";
import { chanceEnergy } from "../../../src/drift/drift-limit.ts";
import { hellingerOf } from "../../../src/drift/measures/hellinger.ts";
import { jensenShannonOf } from "../../../src/drift/measures/jensen-shannon.ts";
import { correlationOf } from "../../../src/drift/measures/joint-comparison.ts";
import { jointMean } from "../../../src/drift/measures/joint-mean.ts";
import { kolmogorovSmirnov } from "../../../src/drift/measures/kolmogorov-smirnov.ts";
import { lInfinity, meanLargestSquare } from "../../../src/drift/measures/l-infinity.ts";
import { mean } from "../../../src/drift/measures/means.ts";
import { homogeneityOf } from "../../../src/drift/measures/pearson.ts";
import { kurtosisOf } from "../../../src/drift/measures/spread.ts";
import { wasserstein } from "../../../src/drift/measures/wasserstein.ts";
import { JointColumns } from "../../../src/sketches/watched/joint-columns.ts";
import { distributionOf } from "../../../src/sketches/quantiles.ts";
import { pythonScipy, runPython } from "../../live/harness/python-readers.ts";
import { columnOf, normal, seededRandom } from "../../sketches/columns.ts";
import { measureOf, number, ofType, profileColumn } from "./columns.ts";

const python = await pythonScipy();

const script = `
import json, sys, numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon, mahalanobis
answers = []
for case in json.loads(sys.argv[1]):
    a, b = np.array(case["baseline"]), np.array(case["sample"])
    low, high = np.quantile(a, [0.005, 0.995], method="inverted_cdf")
    clipped = np.clip(a, low, high)
    lower, upper = np.quantile(b, [0.005, 0.995], method="inverted_cdf")
    low, high = min(low, lower), max(high, upper)
    p, q = np.array(case["p"]), np.array(case["q"])
    answers.append({
        "ks": stats.ks_2samp(a, b).statistic,
        "wasserstein": stats.wasserstein_distance(np.clip(a, low, high), np.clip(b, low, high)) / np.std(clipped),
        "welch": stats.ttest_ind(a, b, equal_var=False).statistic ** 2,
        "glass": abs(np.mean(b) - np.mean(a)) / np.std(a, ddof=1),
        "kurtosis": stats.kurtosis(a, fisher=False),
        "homogeneity": stats.chi2_contingency(np.array([p / p.sum() * 500, q / q.sum() * 500]), correction=False).statistic / 250,
        "js": jensenshannon(p / p.sum(), q / q.sum()) ** 2,
        "correlation": stats.pearsonr(a[:170], b).statistic,
        "mahalanobis": mahalanobis(np.zeros(2), [b.mean() - a.mean(), a.mean() - b.mean()], np.linalg.inv(np.cov(a[:170], b))),
        "hellinger": np.linalg.norm(np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())) / np.sqrt(2),
    })
print(json.dumps({"cases": answers, "kolmogorov": [stats.kstwobign.isf(alpha) for alpha in (1e-2, 1e-3, 1e-4, 1e-6)]}))
`;

interface Answer {
  readonly ks: number;
  readonly wasserstein: number;
  readonly welch: number;
  readonly glass: number;
  readonly kurtosis: number;
  readonly homogeneity: number;
  readonly js: number;
  readonly hellinger: number;
  readonly correlation: number;
  readonly mahalanobis: number;
}

/** Samples few enough for a sketch to hold them all, of several shapes; and counts of a few categories. */
function drawCases() {
  const random = seededRandom(41);
  const shapes: readonly (() => number)[] = [
    () => normal(random),
    () => Math.exp(normal(random)),
    () => Math.floor(6 * random()),
    () => (random() < 0.3 ? 0 : 100 + 10 * normal(random)),
  ];
  return shapes.flatMap((shape) =>
    [0, 0.4].map((shift) => {
      const counts = (): number[] => Array.from({ length: 5 }, () => 20 + Math.floor(200 * random()));
      const many = (size: number, moved: number): number[] => Array.from({ length: size }, () => shape() + moved);
      return { baseline: many(400, 0), sample: many(170, shift), p: counts(), q: counts() };
    }),
  );
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function jointOf(a: readonly number[], b: readonly number[]): JointMoments {
  const joint = new JointColumns(["a", "b"]);
  const columns = [columnOf(number, a), columnOf(number, b)].filter((column) => column.kind === "float");
  joint.add(
    columns,
    Uint32Array.from(a, (_, row) => row),
  );
  return joint.finish();
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

describe.skipIf(python === null)("statistics as SciPy has them", () => {
  test("Kolmogorov-Smirnov, Wasserstein, Welch, kurtosis, chi-squared, Jensen-Shannon, Hellinger", async () => {
    const cases = drawCases();
    const output = JSON.parse(await runPython(python as string, script, [JSON.stringify(cases)])) as {
      cases: Answer[];
      kolmogorov: number[];
    };
    cases.forEach(({ baseline, sample, p, q }, i) => {
      const answer = output.cases[i] as Answer;
      expect(measureOf(kolmogorovSmirnov, number, baseline, sample).statistic).toBeCloseTo(answer.ks, 12);
      expect(measureOf(wasserstein, number, baseline, sample).statistic).toBeCloseTo(answer.wasserstein, 10);
      const means = measureOf(mean, number, baseline, sample);
      expect(means.statistic).toBeCloseTo(answer.glass, 10);
      expect(means.energy / means.expected).toBeCloseTo(answer.welch, 8);
      const distribution = distributionOf(profileColumn(number, baseline).quantiles!);
      expect(kurtosisOf(distribution)).toBeCloseTo(answer.kurtosis, 9);
      const [before, now] = [sharesOf(p), sharesOf(q)];
      expect(homogeneityOf(before, now)).toBeCloseTo(answer.homogeneity, 10);
      expect(jensenShannonOf(before, now)).toBeCloseTo(answer.js, 12);
      expect(hellingerOf(before, now)).toBeCloseTo(answer.hellinger, 12);
      const together = jointOf(baseline.slice(0, 170), sample);
      expect(correlationOf(together, 0, 1)).toBeCloseTo(answer.correlation, 10);
      const apart = average(sample) - average(baseline);
      const moved = { ...together, means: together.means.map((value, at) => value + (at === 0 ? apart : -apart)) };
      const [still, other] = [together, moved].map((joint) => ({ ...profileColumn(number, [1]), watched: { joint } }));
      const far = jointMean.measure(still!, other!, number);
      expect("skipped" in far ? NaN : far.statistic / answer.mahalanobis).toBeCloseTo(1, 9);
    });
    // The limit that chance gives is Kolmogorov's or a little larger, into the far tail.
    const { expected } = measureOf(kolmogorovSmirnov, number, cases[0]!.baseline, cases[0]!.sample);
    const variance = 1 / 400 + 1 / 170;
    expect(expected / variance).toBeCloseTo(Math.PI ** 2 / 12, 12);
    [1e-2, 1e-3, 1e-4, 1e-6].forEach((alpha, i) => {
      const measure = measureOf(kolmogorovSmirnov, number, cases[0]!.baseline, cases[0]!.sample);
      const ratio = Math.sqrt(chanceEnergy(measure, alpha) / variance) / output.kolmogorov[i]!;
      expect([alpha, ratio >= 1 && ratio < 1.1, ratio]).toEqual([alpha, true, ratio]);
    });
  });
});

describe("known answers that need nothing", () => {
  const ascending = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => i + from);

  test("a shift of 0 .. 99 by 20 is 20 of 100 in Kolmogorov-Smirnov's distance", () => {
    const measure = measureOf(kolmogorovSmirnov, number, ascending(100), ascending(100, 20));
    expect(measure.statistic).toBeCloseTo(0.2, 12);
    expect(measure.explain()).toBe("share of values up to 19 fell from 20.0% to 0.0%; the median went from 49 to 69");
  });

  test("two values of which one wins ten points: Wasserstein's chance is that of a difference of two proportions", () => {
    const values = (ones: number): number[] => ascending(400).map((i) => (i < ones ? 1 : 0));
    const measure = measureOf(wasserstein, number, values(200), values(240));
    expect(measure.statistic).toBeCloseTo(0.1 / 0.5, 12);
    expect(measure.freedom).toBeCloseTo(1, 2);
    expect(measure.expected).toBeCloseTo(2 / 400, 4);
  });

  test("the mean of the largest of several squared normal variables equals scipy's integral of chi2.cdf(y, 1)^k", () => {
    for (const [count, expected] of [
      [1, 1],
      [2, 1.6366197723675746],
      [5, 2.7737490671025675],
      [50, 6.480928613936227],
    ] as const) {
      expect(meanLargestSquare(Array.from({ length: count }, () => 3)) / 3 / expected).toBeCloseTo(1, 3);
    }
    expect(meanLargestSquare([1, 0.01])).toBeCloseTo(1.0008454527242423, 2);
  });

  test("L-infinity is the largest move of any share, of numbers too", () => {
    const values = (sevens: number): number[] => ascending(1000).map((i) => (i < sevens ? 7 : i % 5));
    const measure = measureOf(lInfinity, ofType({ kind: "long" }), values(100), values(300));
    expect(measure.statistic).toBeCloseTo(0.2, 2);
    expect(measure.explain()).toBe("share of 7 rose from 10.0% to 29.9%; the median went from 2 to 3");
  });
});
