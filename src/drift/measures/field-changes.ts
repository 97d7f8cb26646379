import type { DriftTestName } from "../../core/drift.ts";
import type { ColumnProfile, FieldCount, FieldCounts } from "../../core/profile.ts";
import { jsonTypes } from "../../core/profile.ts";
import { fieldsMax, presenceOf } from "../../sketches/watched/field-counts.ts";
import type { DriftMeasure, DriftSkip, DriftTest } from "../drift-test.ts";
import { refuseComparison, valuesLeast } from "./comparable.ts";
import { percentText } from "./explain-shares.ts";

/** Both samples' fields, and how many records drawn one by one would say as much of shares (Kish 1965). */
interface FieldPair {
  readonly before: FieldCounts;
  readonly now: FieldCounts;
  readonly noise: number;
}

/** A field that changed: by what share of records, in words. */
interface FieldChange {
  readonly size: number;
  readonly told: string;
}

const fieldsNamed = 3;
const typeWords = ["null", "a boolean", "a number", "a string", "an object", "a list"] as const;

function effectiveRecords({ records, squares }: FieldCounts): number {
  return squares === 0 ? 0 : records ** 2 / squares;
}

function fieldPair(name: DriftTestName, baseline: ColumnProfile, sample: ColumnProfile): FieldPair | DriftSkip {
  const countOf = ({ watched }: ColumnProfile): number =>
    watched?.fields === undefined ? 0 : Math.floor(effectiveRecords(watched.fields));
  const refused = refuseComparison(name, baseline, sample, countOf);
  if (refused !== null) return refused;
  const [before, now] = [baseline.watched?.fields as FieldCounts, sample.watched?.fields as FieldCounts];
  return { before, now, noise: 1 / effectiveRecords(before) + 1 / effectiveRecords(now) };
}

/** `new field x in 31.0% of records, new field y in 2.0% and 3 others`. */
function explainFields(changes: readonly FieldChange[]): string {
  if (changes.length === 0) return "no field changed";
  const named = changes
    .toSorted((a, b) => b.size - a.size)
    .slice(0, fieldsNamed)
    .map(({ told }) => told);
  const others = changes.length - named.length;
  return `${named.join(", ")}${others > 0 ? ` and ${others} ${others === 1 ? "other" : "others"}` : ""}`;
}

/** Chance may choose among as many fields: a tail that is so much longer bounds that of the largest of them. */
function choiceOf(fields: number): number {
  return 1 + Math.log(Math.max(1, fields));
}

/**
 * A field of share p is in none of n records with probability (1 - p)^n < exp(-pn): a share that one sample has and the other has not is by chance no more than an
 * exponential variable of mean 1/n + 1/m, longer for the choice among fields.
 */
function presenceMeasure({ noise, before, now }: FieldPair, changes: readonly FieldChange[]): DriftMeasure {
  const statistic = Math.max(0, ...changes.map(({ size }) => size));
  const expected = noise * choiceOf(Math.max(before.fields.length, now.fields.length));
  return { statistic, energy: statistic, expected, freedom: 2, explain: () => explainFields(changes) };
}

/** Standard deviations of a count that a field must exceed to be sure that the other sample had less of it. */
const sureDeviations = 4;

/** A field that is not among counted ones may have been in such a share of their records: that of the rarest, where fields were too many to keep. */
function unseenShare({ records, fields }: FieldCounts, noise: number): number {
  if (fields.length < fieldsMax) return 0;
  const most = fields.reduce((least, field) => Math.min(least, presenceOf(field)), records) / records;
  return most + sureDeviations * Math.sqrt(most * noise);
}

function changesOf(
  within: FieldCounts,
  without: FieldCounts,
  noise: number,
  tell: (field: FieldCount, share: number) => string,
): FieldChange[] {
  const known = new Set(without.fields.map(({ path }) => path));
  const unseen = unseenShare(without, noise);
  return within.fields.flatMap((field) => {
    const share = presenceOf(field) / within.records;
    return known.has(field.path) || share <= unseen ? [] : [{ size: share - unseen, told: tell(field, share) }];
  });
}

/** The largest share of records that have a field which no record of the baseline had. */
export const newFields: DriftTest = {
  name: "new-fields",
  reads: [],
  limitDefault: 0.01,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample) => {
    const pair = fieldPair("new-fields", baseline, sample);
    if ("skipped" in pair) return pair;
    return presenceMeasure(
      pair,
      changesOf(
        pair.now,
        pair.before,
        pair.noise,
        (field, share) => `new field ${field.path} (${typeWords[mainType(field)]}) in ${percentText(share)} of records`,
      ),
    );
  },
};

/** The largest share of the baseline's records that had a field which no record has any more. */
export const missingFields: DriftTest = {
  name: "missing-fields",
  reads: [],
  limitDefault: 0.01,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample) => {
    const pair = fieldPair("missing-fields", baseline, sample);
    if ("skipped" in pair) return pair;
    return presenceMeasure(
      pair,
      changesOf(
        pair.before,
        pair.now,
        pair.noise,
        ({ path }, share) => `field ${path} is in no record any more (was in ${percentText(share)})`,
      ),
    );
  },
};

/** The type that most of a field's values have; null counts last. */
function mainType({ types }: FieldCount): number {
  let main = 0;
  for (let type = 1; type < types.length; type++)
    if ((types[type] as number) > 0 && (main === 0 || (types[type] as number) > (types[main] as number))) main = type;
  return main;
}

interface Retyped extends FieldChange {
  /** The square of `size` by chance. */
  readonly expected: number;
}

/** How the type that moved most among a field's values moved; null where too few records have a value of it. */
function retypedOf(pair: FieldPair, before: FieldCount, now: FieldCount): Retyped | null {
  const valuesOf = (field: FieldCount): number => presenceOf(field) - (field.types[0] as number);
  const [m, n] = [valuesOf(before), valuesOf(now)];
  const [mDrawn, nDrawn] = [(m * pair.before.records) / pair.before.squares, (n * pair.now.records) / pair.now.squares];
  if (Math.min(mDrawn, nDrawn) < valuesLeast) return null;
  let moved = 0;
  let size = 0;
  for (let type = 1; type < jsonTypes.length; type++) {
    const change = (now.types[type] as number) / n - (before.types[type] as number) / m;
    // The type that values have now says more than the one that they had.
    if (change > size + 1e-12) [moved, size] = [type, change];
  }
  if (moved === 0) return { size: 0, told: "", expected: (1 / mDrawn + 1 / nDrawn) / 4 };
  const [p, q] = [(before.types[moved] as number) / m, (now.types[moved] as number) / n];
  // A plus-four estimate: a field that always had one type still has a variance.
  const pooled = (p * mDrawn + q * nDrawn + 2) / (mDrawn + nDrawn + 4);
  const told = `field ${now.path} is ${typeWords[moved]} in ${percentText(q)} of the records that have it (was in ${percentText(p)}, mostly ${typeWords[mainType(before)]})`;
  return { size, told, expected: pooled * (1 - pooled) * (1 / mDrawn + 1 / nDrawn) };
}

/** The largest rise of the share of one JSON type among the values of a field; nulls are no values. */
export const retypedFields: DriftTest = {
  name: "retyped-fields",
  reads: [],
  limitDefault: 0.01,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample) => {
    const pair = fieldPair("retyped-fields", baseline, sample);
    if ("skipped" in pair) return pair;
    const known = new Map(pair.before.fields.map((field) => [field.path, field]));
    const fields = pair.now.fields.flatMap((now) => {
      const before = known.get(now.path);
      return before === undefined ? [] : (retypedOf(pair, before, now) ?? []);
    });
    if (fields.length === 0) return { skipped: "no field has enough values in both to compare their types" };
    const most = fields.reduce((best, each) => (each.size > best.size ? each : best));
    const changes = fields.filter(({ size }) => size > 0);
    const expected = most.expected * (2 * choiceOf(fields.length) - 1);
    return { statistic: most.size, energy: most.size ** 2, expected, freedom: 1, explain: () => explainFields(changes) };
  },
};
