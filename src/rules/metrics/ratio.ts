import type { MetricPart, Threshold } from "../../core/rule.ts";
import { compileCondition } from "../condition-mask.ts";
import type { RuleTarget } from "../rule-family.ts";
import { doubleMeasure, fractionMeasure, measuredOf, type Measure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric, MetricFold } from "./metric.ts";

interface Parts {
  readonly numerator: unknown;
  readonly denominator: unknown;
}

/** A metric over the rows that meet a condition besides. */
function filtered(metric: Metric, part: MetricPart, { plan, fields }: RuleTarget): () => MetricFold<unknown> {
  const { where } = part;
  if (where === null) return () => metric.open();
  const mask = compileCondition(where, fields, plan);
  return () => {
    const fold = metric.open();
    return {
      add: (batch, applies) => {
        const both = new Uint8Array(batch.rows);
        mask(batch, both);
        for (let row = 0; row < both.length; row++) both[row] = (both[row] as number) & (applies[row] as number);
        fold.add(batch, both);
      },
      state: () => fold.state(),
    };
  };
}

function divide(top: Measure, bottom: Measure): Measure | null {
  if (top.kind === "fraction" && bottom.kind === "fraction") {
    if (bottom.numerator === 0n) return null;
    const sign = bottom.numerator < 0n ? -1n : 1n;
    return fractionMeasure(top.numerator * bottom.denominator * sign, top.denominator * bottom.numerator * sign);
  }
  const [a, b] = [measuredOf(top), measuredOf(bottom)];
  if (b.value === 0) return null;
  if (a.low === a.high && b.low === b.high) return doubleMeasure(a.value / b.value);
  // Where the divisor may be zero, anything may come out.
  if (b.low <= 0 && b.high >= 0) return { kind: "double", value: a.value / b.value, low: -Infinity, high: Infinity };
  const corners = [a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high];
  return { kind: "double", value: a.value / b.value, low: Math.min(...corners), high: Math.max(...corners) };
}

/** The quotient of two metrics of one window; `compilePart` compiles them. */
export function ratioKind(compilePart: (part: MetricPart, target: RuleTarget) => Metric): MetricKind<"ratio"> {
  return {
    family: "ratio",
    compile(check, target): Metric {
      const top = compilePart(check.numerator, target);
      const bottom = compilePart(check.denominator, target);
      const [openTop, openBottom] = [filtered(top, check.numerator, target), filtered(bottom, check.denominator, target)];
      const unitOf = (metric: Metric): Threshold["unit"] => metric.units[0] as Threshold["unit"];
      const metric: Metric<Parts> = {
        subject: `the ratio of ${top.subject} to ${bottom.subject}`,
        masked: top.masked || bottom.masked,
        units: ["value"],
        open: () => {
          const [numerator, denominator] = [openTop(), openBottom()];
          return {
            add: (batch, applies) => {
              numerator.add(batch, applies);
              denominator.add(batch, applies);
            },
            state: () => ({ numerator: numerator.state(), denominator: denominator.state() }),
          };
        },
        merge: (a, b) => ({
          numerator: top.merge(a.numerator, b.numerator),
          denominator: bottom.merge(a.denominator, b.denominator),
        }),
        read: (state) => {
          const over = top.read(state.numerator, unitOf(top));
          if (over.measure === null) return over;
          const under = bottom.read(state.denominator, unitOf(bottom));
          if (under.measure === null) return under;
          const measure = divide(over.measure, under.measure);
          const notes = [over.note, under.note].filter((note) => note !== undefined).join("; ");
          if (measure === null) return { measure: null, why: `${bottom.subject} is 0, so there is no ratio` };
          return { measure, ...(notes === "" ? {} : { note: notes }) };
        },
      };
      return metric;
    },
  };
}
