import type { ColumnProfile } from "../../../src/core/profile.ts";
import type { Field, FieldType } from "../../../src/core/schema.ts";
import type { DriftMeasure, DriftTest } from "../../../src/drift/drift-test.ts";
import { profileBatch } from "../../../src/sketches/index.ts";
import type { TestValue } from "../../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf } from "../../sketches/columns.ts";

export const number: Field = fieldOf("delay", { kind: "double" });
export const text: Field = fieldOf("carrier", { kind: "string" });

/** The profile of one column of the given values. */
export function profileColumn(field: Field, values: readonly TestValue[]): ColumnProfile {
  return profileBatch(contractOf([field]), batchOf([columnOf(field, values)]), null).columns.get(field.path)!;
}

/** As many of each value as said. */
export function repeated(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).flatMap(([value, count]) => Array.from({ length: count }, () => value));
}

/** What a test says of two lists of values; fails where it skips them. */
export function measureOf(test: DriftTest, field: Field, baseline: readonly TestValue[], sample: readonly TestValue[]): DriftMeasure {
  const measure = test.measure(profileColumn(field, baseline), profileColumn(field, sample), field);
  if ("skipped" in measure) throw new Error(measure.skipped);
  return measure;
}

/** A field of a type that is made for one test. */
export function ofType(type: FieldType): Field {
  return fieldOf("c", type);
}
