import type { QuantileSketch } from "../../core/profile.ts";
import {
  addSorted,
  distributionOf,
  emptyQuantiles,
  emptyStack,
  mergeQuantiles,
  quantileOf,
  rankErrorMax,
  sketchOf,
} from "../../sketches/quantiles.ts";
import { invalidRule } from "../rule-family.ts";
import { doubleMeasure, type Measure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { noValues, NumberGatherer, numberColumn, timeWords } from "./number-cells.ts";

/** Up to so many values a window's quantiles are exact; beyond, they come from a KLL sketch with its error stated. */
export const exactValuesMax = 1 << 16;

/** Every value (in the order they came) while they are few; then a sketch of all but the last of them. */
export interface Quantiles {
  readonly sketch: QuantileSketch;
  readonly values: Float64Array;
}

function quantilesOf(sorted: Float64Array): QuantileSketch {
  const stack = emptyStack();
  addSorted(stack, 0, sorted);
  return sketchOf(stack);
}

function sketched({ sketch, values }: Quantiles): QuantileSketch {
  return mergeQuantiles(sketch, quantilesOf(values.toSorted()));
}

/** The state of all values of both. */
export function mergeQuantileValues(a: Quantiles, b: Quantiles): Quantiles {
  if (a.sketch.count === 0 && b.sketch.count === 0 && a.values.length + b.values.length <= exactValuesMax) {
    const values = new Float64Array(a.values.length + b.values.length);
    values.set(a.values);
    values.set(b.values, a.values.length);
    return { sketch: emptyQuantiles, values };
  }
  return { sketch: mergeQuantiles(sketched(a), sketched(b)), values: new Float64Array(0) };
}

/** The smallest value that at least the share q of all values is at or below. */
function readQuantile(state: Quantiles, q: number): Measure {
  if (state.sketch.count === 0) {
    const sorted = state.values.toSorted();
    // q * n may be off by its rounding: 0.3 of 10 values is the third.
    const rank = Math.max(1, Math.ceil(q * sorted.length - 1e-9));
    return doubleMeasure(sorted[rank - 1] as number);
  }
  const distribution = distributionOf(sketched(state));
  return {
    kind: "double",
    value: quantileOf(distribution, q),
    low: quantileOf(distribution, Math.max(0, q - rankErrorMax)),
    high: quantileOf(distribution, Math.min(1, q + rankErrorMax)),
  };
}

/** Gathers numbers for a quantile. */
export class QuantileValues {
  #sketch = emptyQuantiles;
  #values = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === exactValuesMax) {
      this.#sketch = mergeQuantiles(this.#sketch, quantilesOf(this.#values.slice(0, this.#length).sort()));
      this.#length = 0;
    } else if (this.#length === this.#values.length) {
      const wider = new Float64Array(this.#length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  state(): Quantiles {
    return { sketch: this.#sketch, values: this.#values.slice(0, this.#length) };
  }
}

/** A quantile, with what to know of it; null where there are no values. */
export function readingOf(state: Quantiles, q: number): { readonly measure: Measure; readonly note?: string } | null {
  if (state.sketch.count + state.values.length === 0) return null;
  const measure = readQuantile(state, q);
  if (state.sketch.count === 0) return { measure };
  return { measure, note: `an estimate: its rank is off by at most ${rankErrorMax * 100}% of the values, in 99 of 100 windows` };
}

/** A quantile of a column's values: exact up to `exactValuesMax` of them. */
export const quantileKind: MetricKind<"quantile"> = {
  family: "quantile",
  compile(check, target): Metric {
    const { q, of } = check;
    if (!(q >= 0 && q <= 1)) throw invalidRule(target.plan, `${q} is no share from 0 to 1`);
    const source = numberColumn(target, target.plan.path, of, "with times");
    const words = of === "value" ? timeWords(source.path.field.type) : undefined;
    const metric: Metric<Quantiles> = {
      subject: `the ${q === 0.5 ? "median" : `${q} quantile`} of ${source.name}`,
      masked: source.path.masked,
      units: ["value"],
      open: () => {
        const gatherer = new NumberGatherer(source);
        const values = new QuantileValues();
        return {
          add: (batch, applies) => {
            const cells = gatherer.gather(batch, applies);
            for (let i = 0; i < cells.count; i++) values.push(cells.values[i] as number);
          },
          state: () => values.state(),
        };
      },
      merge: mergeQuantileValues,
      read: (state) => readingOf(state, q) ?? { measure: null, why: noValues(source.name) },
      ...(words === undefined ? {} : { words }),
    };
    return metric;
  },
};
