import { chiSquaredUpperTail } from "./chi-squared.ts";
import { driftTests } from "./drift-tests.ts";

/** By test: what its statistic is times PSI where little changes. */
const partsOfPsi: Readonly<Record<string, number>> = { psi: 1, "jensen-shannon": 1 / 8 };
/** Numbers fall into ten bins. */
const freedom = 9;

/**
 * How often chance alone exceeds a fixed threshold where a tick of `rows` values in ten bins is compared with `baselineRows` (Yurdakul 2018); null for tests
 * whose chance depends on more than sample sizes.
 */
export function thresholdChance(test: string, threshold: number, rows: number, baselineRows: number): number | null {
  const part = partsOfPsi[test];
  return part === undefined ? null : chiSquaredUpperTail(threshold / part / (1 / rows + 1 / baselineRows), freedom);
}

/** The effect size from which on a test alarms where a contract names none; infinite for no test of ours. */
export function limitDefaultOf(test: string): number {
  return driftTests.find((each) => each.name === test)?.limitDefault ?? Infinity;
}
