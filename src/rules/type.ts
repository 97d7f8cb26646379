import { Cell, InvalidCause, type Column } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { cellRule } from "./cell-rule.ts";
import { cellText, invalidIndex } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import type { RuleFamily } from "./rule-family.ts";

const nouns: Readonly<Record<Field["type"]["kind"], string>> = {
  boolean: "true or false",
  int: "a whole number of 32 bits",
  long: "a whole number of 64 bits",
  float: "a number",
  double: "a number",
  decimal: "a decimal number",
  date: "a date such as 2026-01-31",
  time: "a time of day such as 13:45:00",
  timestamp: "a date and time such as 2026-01-31T13:45:00Z",
  string: "text",
  binary: "base64 text",
  uuid: "a UUID such as f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  json: "any JSON",
  struct: "an object",
  list: "a list",
  map: "an object of keys and values",
};

/** What a field takes, in plain words. */
function typeWords(field: Field): string {
  const { type, format } = field;
  if (type.kind === "decimal") return `a decimal number of at most ${type.precision} digits, ${type.scale} of them after the point`;
  if (format !== null && (type.kind === "date" || type.kind === "time" || type.kind === "timestamp"))
    return `a ${type.kind === "timestamp" ? "date and time" : type.kind} in the form ${format}`;
  if (type.kind === "timestamp" && type.unit === "nanos")
    return `${type.zoned ? "a" : "a local"} date and time from 1677 to 2262 such as 2026-01-31T13:45:00.123456789${type.zoned ? "Z" : ""}`;
  if (type.kind === "timestamp" && !type.zoned) return "a local date and time such as 2026-01-31T13:45:00";
  return nouns[type.kind];
}

function expectation(field: Field, cause: number | undefined): string {
  const words = typeWords(field);
  switch (cause) {
    case InvalidCause.range:
      return `${words}; this is out of its range or doesn't exist`;
    case InvalidCause.fraction:
      return `${words}; this has a fraction`;
    case InvalidCause.scale:
      if (field.type.kind === "decimal") return `${words}; this has more`;
      return `${words}; this is finer than a ${field.type.kind === "timestamp" && field.type.unit === "nanos" ? "nanosecond" : "microsecond"}`;
    case InvalidCause.offset:
      return `${words}; this has an offset from UTC`;
    case InvalidCause.utf8:
      return `${words}; these bytes are no UTF-8`;
    default:
      return words;
  }
}

/** A cell that is not of its field's type, or out of that type's range: `Cell.invalid`. */
export const typeFamily: RuleFamily<"type"> = {
  family: "type",
  compile(_check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    return cellRule(path, {
      scan(column: Column, from, to, out) {
        if (column.invalid === null) return;
        const { state } = column;
        for (let i = from; i < to; i++) if (state[i] === Cell.invalid) out.push(i);
      },
      expected: typeWords(path.field),
      limit: path.field.type.kind,
      describe: (column, cell, batch) => ({
        observed: cellText(column, cell, batch),
        finding: null,
        expected: expectation(path.field, column.invalid?.causes[invalidIndex(column, cell)]),
      }),
    });
  },
};
