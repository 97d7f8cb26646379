import { parse, stringify } from "yaml";
import { jsonCodec } from "../../src/codecs/json.ts";
import { compileContract } from "../../src/contract/compile-contract.ts";
import { createFindings } from "../../src/contract/findings.ts";
import { items } from "../../src/contract/node.ts";
import { readDocument } from "../../src/contract/read-document.ts";
import { isMetricCheck, partChecks, ruleChecks } from "../../src/contract/rule-shape.ts";
import type { Contract } from "../../src/core/contract.ts";
import { formatDiagnostic } from "../../src/core/errors.ts";
import { allocateRecords, type Records } from "../../src/core/records.ts";
import { textFormats } from "../../src/core/text-format.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { table } from "./key-table.ts";
import { exampleProperties, ruleExamples, soundRecord, type RuleExample } from "./rule-examples.ts";

const preface = `<!-- Made by \`npm run generate\` from src/contract and the rules themselves; do not edit. -->

# Rules

Every check of Sluice's own rules: what it means, what it takes, what offends, an example, and what the rule says of the example's records (these
sentences come from the rules, run when this page is made). A rule is the \`implementation\` of a quality entry with \`type: custom\` and
\`engine: sluice\`; the keys that all rules have (\`severity\`, \`owner\`, \`where\`, \`tolerance\`, \`threshold\`) are in
[contracts](contract.md#sluices-own-rules). What ODCS's own keys and library metrics become is there too.

- **Rules of rows** reject what offends. With a \`tolerance\`, more offenders than that hold the window; with a \`threshold\`, offenders are only
  counted, and a window that fails it is held. Severity \`warning\` only counts.
- **Metrics** measure whole windows and reject no row. They see the decoded rows that pass \`where\`, those that other rules reject too. A window
  without such rows, or without any value to measure, is not judged: the outcome is \`skipped\` and says why. Null, missing and wrongly typed cells
  are no values, nor are NaN and infinities. Whole numbers and decimals are exact. Where a number is an estimate, its bounds stand beside it, and a
  limit that lies within them is said to.
- States of metrics merge: those of a window's batches, of windows, of workers give what all their rows together would.
`;

/** \`docs/reference/rules.md\`: a section a check, with what it really says of an example. */
export function generateRulesPage(): string {
  const rows = Object.keys(ruleChecks).filter((check) => !isMetricCheck(check));
  const metrics = Object.keys(ruleChecks).filter(isMetricCheck);
  const parts = [
    preface,
    "## Rules of rows\n",
    ...rows.map(section),
    "## Metrics\n",
    ...metrics.map(section),
    `## Formats\n\n| format | |\n| --- | --- |\n${textFormats.map(({ name, doc }) => `| \`${name}\` | ${doc.replaceAll("|", "\\|")} |`).join("\n")}\n`,
  ];
  return `${parts.map((part) => part.trimEnd()).join("\n\n")}\n`;
}

function section(check: string): string {
  const { doc, keys } = ruleChecks[check] as (typeof ruleChecks)[string];
  const example = Object.hasOwn(ruleExamples, check) ? (ruleExamples[check] as RuleExample) : null;
  const lines = [`### ${check}`, "", doc, ""];
  if (Object.keys(keys).length > 0) lines.push(table(keys, "plain"));
  if (Object.hasOwn(partChecks, check)) lines.push("It can be a part of `allOf`, `anyOf`, `not` and `conditional`.", "");
  if (example === null) return lines.join("\n");
  lines.push(isMetricCheck(check) ? example.offends : `Offenders: ${lowerFirst(example.offends)}`, "");
  lines.push(
    "```yaml",
    "type: custom",
    "engine: sluice",
    stringify({ implementation: parse(example.rule) as unknown }).trimEnd(),
    "```",
    "",
  );
  const said = sayings(example);
  if (said.length > 0) lines.push("It says:", "", ...said.map((text) => `> ${text}`), "");
  return lines.join("\n");
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The contract of one example. */
function exampleContract({ rule }: Pick<RuleExample, "rule">): Contract {
  const text = `apiVersion: v3.2.0
kind: DataContract
id: example
version: 1.0.0
status: active
schema:
  - name: flights
    properties:${exampleProperties.trimEnd()}
    quality:
      - { id: example, type: custom, engine: sluice, implementation: ${rule} }
    customProperties: [{ property: sluice, value: { unknownFields: keep } }]
`;
  const findings = createFindings();
  const document = readDocument(text, "example.odcs.yaml", findings);
  const schema = document === null ? undefined : items(document.root, "schema")[0];
  if (document === null || schema === undefined || findings.hasErrors()) throw new Error(findings.list.map(formatDiagnostic).join("\n"));
  const bytes = new TextEncoder().encode(text);
  const contract = compileContract({ file: "example.odcs.yaml", main: { bytes, text }, references: new Map() }, document, schema, findings);
  if (findings.hasErrors()) throw new Error(findings.list.map(formatDiagnostic).join("\n"));
  return contract;
}

/** What a rule says of its example's records: reasons of offending rows, else why the window fails. */
export function sayings(example: RuleExample): string[] {
  // What looks beyond the window can't speak of it alone.
  if (example.records.length === 0) return [];
  const contract = exampleContract(example);
  const validator = compileValidator(contract);
  const window = validator.open();
  const batch = jsonCodec.compile(contract)(recordsOf(example.records.map((record) => ({ ...soundRecord, ...record }))));
  const { violations } = window.add(batch);
  const { outcomes } = window.close();
  const rule = contract.rules.findIndex(({ id }) => id === "example");
  const rows = violations.find((each) => each.rule === rule)?.rows ?? [];
  const reasons = [...rows].flatMap((row) => validator.reasons(batch, row, [rule]).map(({ message }) => message));
  const { breach } = outcomes[rule] as (typeof outcomes)[number];
  return [...reasons, ...(breach === null ? [] : [breach])];
}

function recordsOf(values: readonly unknown[]): Records {
  const texts = values.map((value) => new TextEncoder().encode(JSON.stringify(value)));
  const bytes = new Uint8Array(texts.reduce((size, text) => size + text.length, 0));
  const records = allocateRecords(texts.length, bytes, [{ topic: "flights", topicId: "flights", partition: 0 }]);
  let at = 0;
  for (const [row, text] of texts.entries()) {
    bytes.set(text, at);
    records.offsets[row] = BigInt(row);
    records.keyLength[row] = -1;
    records.valueStart[row] = at;
    records.valueLength[row] = text.length;
    at += text.length;
  }
  return records;
}
