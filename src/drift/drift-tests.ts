import type { DriftTest } from "./drift-test.ts";
import { correlation } from "./measures/correlation.ts";
import { distinctCount } from "./measures/distinct-count.ts";
import { eventLag } from "./measures/event-lag.ts";
import { missingFields, newFields, retypedFields } from "./measures/field-changes.ts";
import { hellinger } from "./measures/hellinger.ts";
import { jensenShannon } from "./measures/jensen-shannon.ts";
import { jointMean } from "./measures/joint-mean.ts";
import { kolmogorovSmirnov } from "./measures/kolmogorov-smirnov.ts";
import { lInfinity } from "./measures/l-infinity.ts";
import { length } from "./measures/length.ts";
import { mean } from "./measures/means.ts";
import { errorRate, meanAbsoluteError } from "./measures/model-errors.ts";
import { newValues } from "./measures/new-values.ts";
import { missingShare, nullShare } from "./measures/null-share.ts";
import { patternMix } from "./measures/pattern-mix.ts";
import { pearson } from "./measures/pearson.ts";
import { psi } from "./measures/psi.ts";
import { range } from "./measures/range.ts";
import { spread } from "./measures/spread.ts";
import { vanishedValues } from "./measures/vanished-values.ts";
import { volume } from "./measures/volume.ts";
import { wasserstein } from "./measures/wasserstein.ts";

/** Every drift test that a contract can name. */
export const driftTests: readonly DriftTest[] = [
  psi,
  jensenShannon,
  hellinger,
  pearson,
  kolmogorovSmirnov,
  wasserstein,
  lInfinity,
  newValues,
  vanishedValues,
  distinctCount,
  mean,
  spread,
  range,
  length,
  nullShare,
  missingShare,
  patternMix,
  eventLag,
  volume,
  correlation,
  jointMean,
  newFields,
  missingFields,
  retypedFields,
  errorRate,
  meanAbsoluteError,
];
