/** An example of a rule for its section of the reference: what it says of these records is asked of the rule itself. */
export interface RuleExample {
  /** What offends, or what is measured and of which rows. */
  readonly offends: string;
  /** The `implementation`, as YAML's flow style or indented lines. */
  readonly rule: string;
  /** A window's records, as they differ from a sound one. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** A record that no rule of the examples minds. */
export const soundRecord: Readonly<Record<string, unknown>> = {
  flight: 1545,
  carrier: "UA",
  origin: "EWR",
  dest: "IAH",
  dep_delay: 2,
  arr_delay: 11,
  distance: 1400,
  fare: 100.0,
  tax: 7.5,
  total: 107.5,
  tailnum: "N14228",
  time_hour: "2013-01-01T05:00:00Z",
  contact: "crew@example.com",
  card: "4111111111111111",
  tags: ["a", "b"],
};

/** The properties of the examples' contract. */
export const exampleProperties = `
      - { name: flight, logicalType: integer }
      - { name: carrier, logicalType: string }
      - { name: origin, logicalType: string }
      - { name: dest, logicalType: string }
      - { name: dep_delay, logicalType: number }
      - { name: arr_delay, logicalType: number }
      - { name: distance, logicalType: integer }
      - { name: fare, logicalType: number, physicalType: "decimal(10, 2)" }
      - { name: tax, logicalType: number, physicalType: "decimal(10, 2)" }
      - { name: total, logicalType: number, physicalType: "decimal(10, 2)" }
      - { name: tailnum, logicalType: string }
      - { name: time_hour, logicalType: timestamp }
      - { name: contact, logicalType: string }
      - { name: card, logicalType: string }
      - { name: tags, logicalType: array, items: { logicalType: string } }
`;

const numbers = (values: readonly unknown[], column = "dep_delay"): Record<string, unknown>[] =>
  values.map((value) => ({ [column]: value }));

/** One example a check; a check without one fails the generator. */
export const ruleExamples: Readonly<Record<string, RuleExample>> = {
  required: {
    offends: "Rows in which the column is null or absent. Columns inside an object that is absent itself are not asked for.",
    rule: "{ check: required, column: tailnum }",
    records: [{ tailnum: null }],
  },
  null: {
    offends: "Rows in which the column is null or absent.",
    rule: "{ check: 'null', column: tailnum, threshold: { mustBeLessThan: 20, unit: percent } }",
    records: [{ tailnum: null }, {}],
  },
  missing: {
    offends: "Rows in which the column is null, absent, or one of `missingValues`.",
    rule: '{ check: missing, column: tailnum, missingValues: ["", "N/A"] }',
    records: [{ tailnum: "N/A" }],
  },
  range: {
    offends: "Values outside the bounds, exactly (also beyond 2^53 and on decimals). Null is not judged.",
    rule: "{ check: range, column: dep_delay, minimum: -60, maximum: 1440 }",
    records: [{ dep_delay: 1500 }],
  },
  multipleOf: {
    offends: "Numbers that are no whole multiple, on decimal digits. Null is not judged.",
    rule: "{ check: multipleOf, column: fare, multipleOf: 0.05 }",
    records: [{ fare: 100.01 }],
  },
  length: {
    offends: "Texts that are too short or too long in Unicode code points (binary: bytes). Null is not judged.",
    rule: "{ check: length, column: carrier, minLength: 2, maxLength: 2 }",
    records: [{ carrier: "UAL" }],
  },
  pattern: {
    offends: "Texts in which the pattern matches nowhere. Null is not judged.",
    rule: "{ check: pattern, column: tailnum, pattern: '^N[0-9]{1,5}[A-Z]{0,2}$' }",
    records: [{ tailnum: "D-ABCD" }],
  },
  format: {
    offends: "Texts that are not of the format. Null is not judged. The formats are listed below.",
    rule: "{ check: format, column: contact, format: email }",
    records: [{ contact: "crew at example.com" }],
  },
  set: {
    offends: "Values that are none of `allowed`, or one of `forbidden`. Null is not judged.",
    rule: "{ check: set, column: carrier, allowed: [AA, DL, UA] }",
    records: [{ carrier: "XX" }],
  },
  items: {
    offends: "Lists with too few or too many items, or with two equal ones. Null is not judged.",
    rule: "{ check: items, column: tags, maxItems: 3, uniqueItems: true }",
    records: [{ tags: ["a", "b", "a"] }],
  },
  duplicate: {
    offends:
      "Rows of a window whose values in all the columns are those of an earlier row (`keep: first`), or of any other row (`keep: none`: the first of them offends too, even where it stands in an earlier batch). Rows in which one of the columns has no value are not judged; rows that other rules reject are.",
    rule: "{ check: duplicate, columns: [carrier, flight] }",
    records: [{}, {}],
  },
  compare: {
    offends: "Rows in which both columns have a value and the comparison does not hold; numbers of different types compare exactly.",
    rule: "{ check: compare, left: tax, operator: lessThan, right: fare }",
    records: [{ tax: 120.0 }],
  },
  condition: {
    offends:
      "Rows for which the condition is not true. A comparison with a column that has no value does not hold; a row in which one of the columns is of the wrong type is left to that column's own rule.",
    rule: "{ check: condition, condition: { or: [{ column: dep_delay, isNull: true }, { column: dep_delay, lessThan: 1440 }] } }",
    records: [{ dep_delay: 2000 }],
  },
  jsonSchema: {
    offends: "Records that don't fit the schema (by ajv, patterns in linear time, whole numbers beyond 2^53 by their digits).",
    rule: "{ check: jsonSchema, schema: { properties: { flight: { type: integer, minimum: 1 } } } }",
    records: [{ flight: 0 }],
  },
  empty: {
    offends: "Texts without any character, or of white space only (in Unicode's sense). Null is not judged.",
    rule: "{ check: empty, column: tailnum }",
    records: [{ tailnum: "  " }],
  },
  checksum: {
    offends: "Values whose check digits are wrong, or whose length is none of `lengths`. Null is not judged.",
    rule: "{ check: checksum, column: card, algorithm: luhn, lengths: [15, 16] }",
    records: [{ card: "4111111111111112" }],
  },
  tuples: {
    offends: "Rows in which all the columns have a value and together they are none of `allowed`, or one of `forbidden`.",
    rule: "{ check: tuples, columns: [carrier, origin], allowed: [[UA, EWR], [AA, JFK], [DL, LGA]] }",
    records: [{ carrier: "AA", origin: "EWR" }],
  },
  complete: {
    offends:
      "Rows in which another number of the columns has a value: `all` of them, `any` (at least one), `exactlyOne`, `allOrNone`. A row in which one of them is of the wrong type is left to that column's own rule.",
    rule: "{ check: complete, columns: [dep_delay, arr_delay], quantity: allOrNone }",
    records: [{ arr_delay: null }],
  },
  arithmetic: {
    offends:
      "Rows in which all columns have a value and the equation does not hold. Numbers are taken by their decimal digits, floating point by the shortest text that reads as it: 0.1 + 0.2 is 0.3. With `within`, sides that are no further apart are equal.",
    rule: '{ check: arithmetic, equation: "fare + tax = total", within: 0.01 }',
    records: [{ total: 108.0 }],
  },
  cel: {
    offends:
      "Rows for which the expression is false, or has no value because of an error: a comparison by order with null, a division by zero, a field of an absent object. Rows in which one of its columns is of the wrong type are left to that column's own rule.",
    rule: `{ check: cel, expression: "dep_delay == null || dep_delay < 60.0 || carrier in ['AA', 'UA']" }`,
    records: [{ carrier: "DL", dep_delay: 90 }],
  },
  unknownColumns: {
    offends: "Records with a field that the contract does not name and `except` does not either.",
    rule: "{ check: unknownColumns, except: [note] }",
    records: [{ gate: "C71", note: "x" }],
  },
  monotonic: {
    offends:
      "Values that are out of order after the one before them in their partition (by offset): the last row with a value that the rule applies to, whatever other rules say of it. The first value of a window has none before it. Null is not judged.",
    rule: "{ check: monotonic, column: time_hour }",
    records: [{}, { time_hour: "2013-01-01T04:00:00Z" }],
  },
  allOf: {
    offends: "Rows for which one of the rules fails.",
    rule: "{ check: allOf, rules: [{ check: range, column: distance, minimum: 1 }, { check: length, column: dest, minLength: 3, maxLength: 3 }] }",
    records: [{ distance: 0 }],
  },
  anyOf: {
    offends: "Rows for which all of the rules fail.",
    rule: "{ check: anyOf, rules: [{ check: set, column: carrier, allowed: [UA] }, { check: range, column: distance, maximum: 1000 }] }",
    records: [{ carrier: "AA" }],
  },
  not: {
    offends: "Rows for which the rule holds; rows of which it says nothing do not offend.",
    rule: "{ check: not, rule: { check: format, column: tailnum, format: email } }",
    records: [{ tailnum: "a@example.com" }],
  },
  conditional: {
    offends: "Rows that meet `if` and fail `then`, and those that don't meet it and fail `else`.",
    rule: "{ check: conditional, if: { column: dep_delay, greaterThan: 60 }, then: { check: required, column: arr_delay } }",
    records: [{ dep_delay: 90, arr_delay: null }],
  },
  rowCount: {
    offends: "None: the number of decoded rows is compared. An empty window is judged too.",
    rule: "{ check: rowCount, threshold: { mustBeGreaterOrEqualTo: 1000 } }",
    records: [{}, {}],
  },
  completeness: {
    offends: "Measured: rows with a value, of all rows. Null, missing and wrongly typed cells have none.",
    rule: "{ check: completeness, column: tailnum, threshold: { mustBeGreaterOrEqualTo: 99 } }",
    records: [{}, { tailnum: null }, {}],
  },
  uniqueness: {
    offends: "Measured: values that stand exactly once in the window, of all values.",
    rule: "{ check: uniqueness, column: flight, threshold: { mustBe: 100 } }",
    records: [{}, {}, { flight: 2 }],
  },
  distinctCount: {
    offends: "Measured: different values of the column. In percent: of all values.",
    rule: "{ check: distinctCount, column: carrier, threshold: { mustBeBetween: [2, 20] } }",
    records: [{}, {}],
  },
  distinctSet: {
    offends: "Measured: how many values are too many (not for `superset`) or lacking (not for `subset`).",
    rule: "{ check: distinctSet, column: origin, values: [EWR, JFK, LGA] }",
    records: [{ origin: "EWR" }, { origin: "JFK" }, { origin: "PHL" }],
  },
  mean: {
    offends: "Measured over the values; exact, of floating point rounded once.",
    rule: "{ check: mean, column: dep_delay, threshold: { mustBeLessThan: 30 } }",
    records: numbers([20, 45, 40]),
  },
  stdev: {
    offends:
      "Measured over the values, in doubles (Welford). Fewer than two values, or values whose squares are too large for doubles: skipped.",
    rule: "{ check: stdev, column: dep_delay, threshold: { mustBeGreaterThan: 10 } }",
    records: numbers([1, 2, 3]),
  },
  sum: {
    offends: "Measured over the values; exact, of floating point rounded once.",
    rule: "{ check: sum, column: fare, threshold: { mustBeGreaterThan: 1000 } }",
    records: numbers([100.1, 200.2], "fare"),
  },
  min: {
    offends: "Measured over the values, exactly; also of dates and times.",
    rule: '{ check: min, column: time_hour, threshold: { mustBeGreaterOrEqualTo: "2013-01-01T00:00:00Z" } }',
    records: [{ time_hour: "2012-12-31T23:00:00Z" }, {}],
  },
  max: {
    offends: "Measured over the values, exactly; also of dates and times.",
    rule: "{ check: max, column: carrier, of: length, threshold: { mustBe: 2 } }",
    records: [{}, { carrier: "UAL" }],
  },
  quantile: {
    offends:
      "Measured over the values: exact up to 65,536 of them in a window, then by a KLL sketch with its error bound. Where a limit lies within the bound, the outcome says so.",
    rule: "{ check: quantile, column: dep_delay, q: 0.95, threshold: { mustBeLessThan: 60 } }",
    records: numbers([1, 2, 3, 95]),
  },
  entropy: {
    offends: "Measured over the values. With more than 131,072 different ones: skipped.",
    rule: "{ check: entropy, column: carrier, threshold: { mustBeGreaterThan: 1 } }",
    records: [{}, {}, {}, { carrier: "AA" }],
  },
  zeros: {
    offends: "Measured: values that are zero, of all values.",
    rule: "{ check: zeros, column: distance, threshold: { mustBeLessOrEqualTo: 5 } }",
    records: [{ distance: 0 }, {}, {}],
  },
  negatives: {
    offends: "Measured: values below zero, of all values.",
    rule: "{ check: negatives, column: dep_delay, threshold: { mustBeLessOrEqualTo: 1, unit: rows } }",
    records: numbers([-1, -2, 3]),
  },
  mostCommon: {
    offends: "Measured: rows with the commonest value, of all values. With more than 131,072 different ones: skipped.",
    rule: "{ check: mostCommon, column: dest, threshold: { mustBeLessThan: 50 } }",
    records: [{}, {}, { dest: "MIA" }],
  },
  correlation: {
    offends:
      "Measured over rows in which both columns have a value. Where one of them never changes, or squares are too large for doubles: skipped.",
    rule: "{ check: correlation, left: dep_delay, right: arr_delay, threshold: { mustBeGreaterThan: 0.5 } }",
    records: [
      { dep_delay: 1, arr_delay: 9 },
      { dep_delay: 2, arr_delay: 5 },
      { dep_delay: 3, arr_delay: 6 },
    ],
  },
  groups: {
    offends: "Measured of every group by itself; one group that fails the threshold fails the window. Null is a group of its own.",
    rule: "{ check: groups, by: [carrier], aggregate: mean, column: dep_delay, threshold: { mustBeLessThan: 30 } }",
    records: [{}, { carrier: "AA", dep_delay: 44 }, { carrier: "AA", dep_delay: 41 }],
  },
  ratio: {
    offends: "Measured: the numerator's value divided by the denominator's (shares in percent). A denominator of 0: skipped.",
    rule: "{ check: ratio, numerator: { check: sum, column: tax }, denominator: { check: sum, column: fare }, threshold: { mustBeBetween: [0.05, 0.1] } }",
    records: [{ tax: 30.0 }, {}],
  },
  missingColumns: {
    offends: "Measured: columns that no row of the window names, not even as null.",
    rule: "{ check: missingColumns, columns: [dep_delay, arr_delay] }",
    records: [{ dep_delay: undefined }, { dep_delay: undefined }],
  },
  newColumns: {
    offends: "Measured: different unknown fields in the window, 100 at most.",
    rule: "{ check: newColumns }",
    records: [{ gate: "C71" }, { gate: "B1", crew: 4 }],
  },
  typeChanges: {
    offends:
      "Measured: cells that are not of the column's type, of all cells that are there, in the worst column. The rows themselves are rejected by the columns' own rules.",
    rule: "{ check: typeChanges, threshold: { mustBeLessThan: 10 } }",
    records: [{ distance: "far" }, {}, {}],
  },
  reference: {
    offends: "Values that the file does not list. Null is not judged.",
    rule: "{ check: reference, column: dest, file: airports.csv, field: iata }",
    records: [],
  },
  sequence: {
    offends:
      "Numbers that repeat the last one of their key, or come before it. A number too far ahead shows a gap: its row fails the rule and stays, since it is not what is missing; `tolerance: { rows: 0 }` holds the window. Rows that other rules reject do not count, nor do rows in which the number or a column of the key has no value.",
    rule: "{ check: sequence, column: flight, by: [tailnum, year], severity: warning }",
    records: [],
  },
  foreignKey: {
    offends: "Values that the other dataset's column does not hold when the window closes. Null is not judged.",
    rule: "{ check: foreignKey, column: tailnum, dataset: planes }",
    records: [],
  },
  volume: {
    offends: "Measured over the records' own timestamps.",
    rule: "{ check: volume, threshold: { mustBeBetween: [100, 100000] } }",
    records: [],
  },
  freshness: {
    offends: "Measured over the column's values: the newest of them against the window's close.",
    rule: "{ check: freshness, column: time_hour, threshold: { mustBeLessThan: 900 } }",
    records: [],
  },
  eventLag: {
    offends: "Measured over rows with a value: a quantile of how long each took to come.",
    rule: "{ check: eventLag, column: time_hour, q: 0.95, threshold: { mustBeLessThan: 60 } }",
    records: [],
  },
  change: {
    offends: "Measured of the window, against the windows before it.",
    rule: "{ check: change, metric: { check: mean, column: dep_delay }, threshold: { mustBeBetween: [-50, 50] } }",
    records: [],
  },
};
