import { elementKeys } from "../../src/contract/odcs-element.ts";
import { odcsDocument } from "../../src/contract/odcs-document.ts";
import { logicalTypeOptions, propertyKeys, schemaObject } from "../../src/contract/odcs-properties.ts";
import { operatorKeys, qualityBaseKeys, qualityCustomKeys, qualityLibraryKeys } from "../../src/contract/odcs-quality.ts";
import { documentLimits } from "../../src/contract/parse-yaml.ts";
import { leafOperators, ruleChecks, ruleKeys, threshold, tolerance } from "../../src/contract/rule-shape.ts";
import { datasetSettings } from "../../src/contract/settings-shape.ts";
import { columnSettings } from "../../src/contract/table-shape.ts";
import type { Key, Keys, Shape } from "../../src/contract/shape.ts";
import { table } from "./key-table.ts";

/** `docs/reference/contract.md`: what a contract may say and what Sluice does with it, from the descriptions that contracts are checked with. */
export function generateContractPage(): string {
  const parts = [
    intro,
    section("The document", odcsDocument.keys, "uses"),
    section("A schema object: one dataset", schemaObject.keys, "uses"),
    section(
      "A property: one column",
      { ...elementKeys, ...propertyKeys },
      "uses",
      "`properties` (of objects), `items` (of arrays) and, since 3.2, `map` (with `key` and `value`) hold properties again. Nested columns have paths: `order.items[].price`.",
    ),
    types,
    "## logicalTypeOptions\n",
    ...Object.entries(logicalTypeOptions).map(([type, keys]) => `### ${type}\n\n${table(keys, "plain")}`),
    section("Quality rules", qualityBaseKeys, "uses", quality),
    `### Library rules\n\n${table(withoutOperators(qualityLibraryKeys), "plain")}\n${metrics}`,
    `### Operators\n\n${table(operatorKeys, "plain")}\n${thresholds}`,
    `### Custom rules\n\n${table(qualityCustomKeys, "plain")}`,
    `## Sluice's own rules\n\nThe \`implementation\` of a quality entry with \`type: custom\` and \`engine: sluice\`. Its JSON Schema is \`schemas/sluice-rule.schema.json\`.\n\n${table(ruleKeys, "plain")}`,
    `### tolerance\n\n${table(tolerance.keys, "plain")}`,
    `### threshold\n\n${table(threshold.keys, "plain")}`,
    `### Checks\n\n${checks}${Object.entries(ruleChecks)
      .map(([check, { doc }]) => `| [\`${check}\`](rules.md#${check.toLowerCase()}) | ${doc.replaceAll("|", "\\|")} |`)
      .join("\n")}\n`,
    `### Conditions\n\n${conditions}\n${table(leafOperators, "plain")}`,
    `## Sluice's settings\n\n${settings}\n${nestedTables("", datasetSettings.keys)}`,
    `## Sluice's settings of a column\n\n${columnPage}\n${table(columnSettings.keys, "plain")}`,
    limits,
  ];
  return `${parts.map((part) => part.trimEnd()).join("\n\n")}\n`;
}

const intro = `<!-- Made by \`npm run generate\` from src/contract; do not edit. -->

# Contracts

A contract is one YAML document of the [Open Data Contract Standard](https://bitol-io.github.io/open-data-contract-standard/) (ODCS), versions
3.0, 3.1 and 3.2. Sluice accepts what the standard's own schema of the document's version accepts. What it acts on is marked *enforced*; what it
carries along to the lake, lineage or messages is *described*; the rest is *ignored*. \`sluice contract lint FILE\` lists what a contract asks for
and Sluice does not do.

A document before 3.1 is judged by the structure of 3.1, and may also have library rules of 3.0's form (\`rule\` without \`metric\`).
`;

const types = `## Column types

| logicalType | column | decided by |
| --- | --- | --- |
| string | string; binary (from base64) | \`physicalType\` binary, bytes, blob, or \`format\` byte, binary |
| | uuid: 128 bits, whose text may be of either case ([why](../adr/uuid.md)) | \`physicalType\` uuid. \`format: uuid\` alone is text, as it was written |
| date | date | |
| time | text \`HH:MM:SS[.ffffff]\` | |
| timestamp | timestamp in microseconds: an instant in UTC, or a local time | \`timezone: false\`, else \`physicalType\` (timestamp_ntz, datetime: local); an instant where neither says |
| | timestamp in nanoseconds, 1677 to 2262 | \`physicalType\` timestamptz_ns, timestamp-nanos, \`timestamp[ns, tz=UTC]\`: instants; local-timestamp-nanos, \`timestamp[ns]\`, \`datetime64[ns]\`: local; timestamp_ns: as \`timezone\` says. Takes \`formatVersion: 3\`. \`timestamp(9)\` is no such type: [why](../adr/nanoseconds.md) |
| integer | long; int; decimal | \`physicalType\` (int, smallint, bigint, decimal(p, 0)), else \`format\` (i8, i16, i32, u8, u16: int; u64, i128, u128: decimal) |
| number | double; float; int, long; decimal | \`physicalType\` (float, real, int, decimal(p, s)), else \`format\` (f32: float) |
| boolean | boolean | |
| object | struct; JSON text where it has no properties | |
| array | list; its items are JSON where nothing is said of them | |
| map (3.2) | map from text | |
| vector (3.2) | list of float, double or int | \`elementType\` |
| none | what \`physicalType\` says; JSON text where Sluice does not know that either | |

Every column but JSON has a rule of its own: a value that is not of the type (or out of its range) rejects the record.
`;

const quality = `A quality entry stands at a property or at the schema object.

- **Row rules.** A rule whose threshold no offender and nothing else meets (\`mustBe: 0\`, \`mustBeLessThan: 1\` row, \`mustBeLessOrEqualTo: 0\`) says
  something of every row. Its offenders are quarantined, so what is promoted meets it. What a column's own description says (\`required\`,
  \`unique\`, \`logicalTypeOptions\`, \`enum\`) is a row rule too.
- **Window rules.** Any other threshold is judged on each window as a whole. If a window fails it, no row is rejected: the window is held for a
  person (or its topic stopped: \`onBreach\`).
- **Severity** \`warning\` only counts, in both cases.
- **Uniqueness** is judged within a window. Rows in which one of the columns has no value are not judged.
`;

const metrics = `
| metric | where | offenders |
| --- | --- | --- |
| nullValues | property | rows whose value is null or absent |
| missingValues | property | those, and rows whose value is in \`missingValues\` |
| invalidValues | property | rows whose value is not in \`validValues\`, or has no match of \`pattern\`; each of the two is a rule. Null is not judged |
| duplicateValues | property, or schema object with \`properties\` | rows of a window that repeat an earlier one's values |
| rowCount | schema object | none: the number of rows itself is compared |
`;

const checks = `What each takes, what offends, an example and what it says: [rules](rules.md).

| check | |
| --- | --- |
`;

const thresholds = `
With \`unit: percent\` the number is a share (0 to 100) of the rows that the rule judged.
`;

const conditions = `\`where\` and \`condition\` are written in YAML. A condition is \`and\`, \`or\` (lists of conditions), \`not\` (a condition), or a \`column\` with one of the
comparisons below. A comparison with a column that has no value does not hold, nor does \`notEquals\` or \`notIn\`. Dates, times and timestamps are
written in ISO 8601 or in the column's own format.

\`\`\`yaml
where:
  and:
    - { column: carrier, in: [AA, UA] }
    - { column: dep_delay_min, greaterThan: 60 }
    - not: { column: tailnum, isNull: true }
\`\`\`
`;

const settings = `They stand in the \`customProperties\` of the schema object, as the value of the property \`sluice\`. Their JSON Schema is
\`schemas/sluice-contract.schema.json\`.

\`\`\`yaml
customProperties:
  - property: sluice
    value:
      window: { rows: 10000, seconds: 5 }
      tombstones: skip
\`\`\`
`;

const columnPage = `They stand in the \`customProperties\` of a property, in the same way. [Change a table](../how-to/change-a-table.md) says what they are for.

\`\`\`yaml
- name: remark
  logicalType: string
  customProperties:
    - property: sluice
      value: { previousName: note }
\`\`\`
`;

const limits = `## Limits

A document has at most ${documentLimits.bytes / 1024 / 1024} MiB, ${documentLimits.nodes.toLocaleString("en")} values once its aliases are expanded, and ${documentLimits.depth} levels. Keys that stand twice, tags and several documents in
one file are errors. Patterns are of [RE2's syntax](https://github.com/google/re2/wiki/Syntax): no lookaheads, no backreferences.

The contract's hash is the SHA-256 of the file's bytes; where it refers to JSON Schema files, of the bytes of all of them, each preceded by its
length in decimal and a colon.
`;

function section(title: string, keys: Keys, kind: "uses" | "plain", text = ""): string {
  return `## ${title}\n\n${text === "" ? "" : `${text.trimEnd()}\n\n`}${table(keys, kind)}`;
}

function withoutOperators(keys: Keys): Keys {
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !Object.hasOwn(operatorKeys, name)));
}

/** Settings with the tables of their nested objects below them. */
function nestedTables(prefix: string, keys: Keys): string {
  const flat: Record<string, Key> = {};
  const add = (path: string, each: Keys): void => {
    for (const [name, key] of Object.entries(each)) {
      flat[`${path}${name}`] = key;
      for (const inner of objectsOf(key.shape)) add(`${path}${name}.`, inner);
    }
  };
  add(prefix, keys);
  return table(flat, "plain");
}

function objectsOf(shape: Shape): readonly Keys[] {
  if (shape.type === "object") return [shape.keys];
  if (shape.type === "either") return shape.of.flatMap(objectsOf);
  return shape.type === "list" ? objectsOf(shape.of) : [];
}
