import type { MetricPart } from "../../core/rule.ts";
import { invalidRule, type RuleFamily, type RuleTarget } from "../rule-family.ts";
import { changeKind } from "../across/change.ts";
import { eventLagKind } from "../across/event-lag.ts";
import { freshnessKind } from "../across/freshness.ts";
import { sqlKind } from "../across/sql.ts";
import { volumeKind } from "../across/volume.ts";
import { correlationKind } from "./correlation.ts";
import { distinctSetKind } from "./distinct-set.ts";
import { distinctCountKind, entropyKind, mostCommonKind, uniquenessKind } from "./distinct.ts";
import { maxKind, minKind } from "./extreme.ts";
import { groupsKind } from "./groups.ts";
import { metricFamily, type MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { quantileKind } from "./quantile.ts";
import { ratioKind } from "./ratio.ts";
import { rowCountMetric } from "./row-count-metric.ts";
import { missingColumnsKind, newColumnsKind, typeChangesKind } from "./schema-columns.ts";
import { completenessKind, negativesKind, zerosKind } from "./share.ts";
import { stdevKind } from "./stdev.ts";
import { meanKind, sumKind } from "./sum.ts";

/** A metric inside of another one. */
function compilePart(part: MetricPart, { plan, fields }: RuleTarget): Metric {
  const { check, path } = part;
  if (check.family === "rowCount") return rowCountMetric();
  const kind = metricKinds.find(({ family }) => family === check.family);
  if (kind === undefined) throw invalidRule(plan, `there is no metric ${check.family}`);
  const metric = kind.compile(check, { plan: { ...plan, check, path, threshold: null }, fields });
  if (metric.readEach !== undefined) throw invalidRule(plan, `${metric.subject} is not one number, so there is no ratio of it`);
  return metric;
}

/** Every kind of metric there is. */
const metricKinds = [
  completenessKind,
  uniquenessKind,
  zerosKind,
  negativesKind,
  mostCommonKind,
  distinctCountKind,
  distinctSetKind,
  entropyKind,
  meanKind,
  stdevKind,
  sumKind,
  minKind,
  maxKind,
  quantileKind,
  correlationKind,
  groupsKind,
  ratioKind(compilePart),
  missingColumnsKind,
  newColumnsKind,
  typeChangesKind,
  volumeKind,
  freshnessKind,
  eventLagKind,
  changeKind(compilePart),
  sqlKind,
] as readonly MetricKind[];

/** Every metric as a family of rules. */
export const metricFamilies: readonly RuleFamily[] = metricKinds.map(metricFamily);
