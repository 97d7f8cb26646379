import type { SQLInputValue } from "node:sqlite";

/** One thing that rows have to meet, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** That a column is one of some values; nothing where none are asked for. */
export function isOneOf(column: string, values: readonly string[] | undefined): Condition[] {
  return values === undefined ? [] : [{ sql: `${column} IN (${values.map(() => "?").join(", ")})`, values }];
}

/** That a comparison (such as `at_ms >=`) holds for a value; nothing where none is asked for. */
export function compares(comparison: string, value: SQLInputValue | undefined): Condition[] {
  return value === undefined || value === null ? [] : [{ sql: `${comparison} ?`, values: [value] }];
}

/** All of them, as what comes after WHERE. */
export function whereAll(conditions: readonly Condition[]): { readonly where: string; readonly values: readonly SQLInputValue[] } {
  return { where: conditions.map(({ sql }) => sql).join(" AND "), values: conditions.flatMap(({ values }) => values) };
}
