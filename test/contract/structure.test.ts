import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createFindings } from "../../src/contract/findings.ts";
import { apiVersions } from "../../src/contract/odcs-document.ts";
import { readDocument } from "../../src/contract/read-document.ts";
import { formatDiagnostic } from "../../src/core/errors.ts";
import { kitchenSink } from "./kitchen-sink.ts";
import { compileOfficial, findStandards, readExamples } from "./standards.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Path = (string | number)[];

const standards = findStandards();

function accepts(text: string): { readonly ok: boolean; readonly why: string } {
  const findings = createFindings();
  const source = readDocument(text, "contract.yaml", findings);
  return { ok: source !== null && source.whole, why: findings.list.map(formatDiagnostic).join("\n") };
}

/** The schema that judges a document: its own version's; the oldest at hand for versions before it. */
function versionOf(value: Json): "3.1" | "3.2" {
  const apiVersion = value !== null && typeof value === "object" && !Array.isArray(value) ? value["apiVersion"] : undefined;
  return typeof apiVersion === "string" && apiVersions[apiVersion] !== undefined && apiVersions[apiVersion] !== "3.2" ? "3.1" : "3.2";
}

function pathsOf(value: Json, path: Path = []): Path[] {
  const here: Path[] = [path];
  if (Array.isArray(value)) value.forEach((each, index) => here.push(...pathsOf(each, [...path, index])));
  else if (value !== null && typeof value === "object")
    for (const [key, each] of Object.entries(value)) here.push(...pathsOf(each, [...path, key]));
  return here;
}

function at(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const step of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as { [key: string]: Json })[step as string];
  }
  return value;
}

const strangeValues: Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  "",
  "x",
  "library",
  "sql",
  "custom",
  "text",
  [],
  {},
  ["x"],
  [1, 2],
  [1, 1],
  { value: 1 },
  "a.b",
  "a/b",
  "a b",
];
const strangeKeys =
  "name required type metric mustBe mustBeBetween query engine implementation logicalType logicalTypeOptions items properties map enum unit rule arguments from to id tags vendor port encoding location host value property element username status context description customProperties format minimum maxLength dimensions minItems pattern timezone multipleOf semanticType deprecated frobnicate".split(
    " ",
  );
const strangeTexts = [
  ..."string date timestamp time number integer object array boolean map vector blob kafka iceberg custom sftp postgres api".split(" "),
  ...Object.keys(apiVersions),
];

interface Mutation {
  readonly pick: number;
  readonly kind: number;
  readonly value: number;
  readonly key: number;
}

/** Changes one place of a document: removes, retypes, renames, adds, doubles. */
function mutate(root: Json, mutation: Mutation): Json {
  const copy = structuredClone(root);
  const paths = pathsOf(copy);
  const path = paths[mutation.pick % paths.length] as Path;
  const parent = at(copy, path.slice(0, -1)) as { [key: string]: Json } | undefined;
  const last = path[path.length - 1] as string;
  const own = at(copy, path);
  const key = strangeKeys[mutation.key % strangeKeys.length] as string;
  const value = strangeValues[mutation.value % strangeValues.length] as Json;
  if (path.length === 0 || parent === undefined || parent === null) return mutation.kind === 5 ? value : copy;
  switch (mutation.kind) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(last), 1);
      else delete parent[last];
      break;
    case 1:
      parent[last] = value;
      break;
    case 2:
      if (!Array.isArray(parent)) {
        delete parent[last];
        parent[key] = own as Json;
      }
      break;
    case 3:
      if (own !== null && typeof own === "object" && !Array.isArray(own)) own[key] = value;
      else if (Array.isArray(own)) own.push(value);
      break;
    case 4:
      if (Array.isArray(own) && own.length > 0) own.push(structuredClone(own[0] as Json));
      else if (typeof own === "string") parent[last] = strangeTexts[mutation.value % strangeTexts.length] as string;
      break;
    default:
      // A value from elsewhere in the document: the right thing in the wrong place.
      parent[last] = structuredClone(at(copy, paths[mutation.key % paths.length] as Path) as Json);
  }
  return copy;
}

const mutation = fc.record({ pick: fc.nat(), kind: fc.nat({ max: 5 }), value: fc.nat(), key: fc.nat() });

describe.skipIf(standards === null)("the official schemas (skipped: not found beside the project, and SLUICE_STANDARDS is not set)", () => {
  const official = standards === null ? null : compileOfficial(standards);
  const examples = standards === null ? [] : readExamples(standards);
  const sinks = (["v3.0.2", "v3.1.0", "v3.2.0"] as const).map((apiVersion) => ({ name: apiVersion, value: kitchenSink(apiVersion) }));

  test("every official example is accepted", () => {
    expect(examples.length).toBeGreaterThan(15);
    for (const { name, text, value } of examples) {
      expect(official?.[versionOf(value as Json)](value), name).toBe(true);
      expect(accepts(text), name).toMatchObject({ ok: true });
    }
  });

  test("documents that use every key of their version are accepted by both", () => {
    for (const { name, value } of sinks) {
      const judge = official?.[versionOf(value as Json)];
      expect(judge?.(value), `${name} ${JSON.stringify(judge?.errors)}`).toBe(true);
      expect(accepts(stringify(value)), name).toMatchObject({ ok: true });
    }
  });

  test("any apiVersion on any document: the same verdict", () => {
    for (const { name, value } of [...examples, ...sinks]) {
      for (const apiVersion of [...Object.keys(apiVersions), "v3.3.0", "3.1.0", ""]) {
        const changed = { ...(value as object), apiVersion };
        const ours = accepts(JSON.stringify(changed));
        expect(ours.ok, `${name} ${apiVersion} ${ours.why}`).toBe(official?.[versionOf(changed)](changed));
      }
    }
  });

  const small = [...examples.filter(({ text }) => text.length < 20_000), ...sinks, ...sinks];

  test("mutated documents: the same verdict", { timeout: 300_000 }, () => {
    let accepted = 0;
    let rejected = 0;
    fc.assert(
      fc.property(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 3 }), (which, mutations) => {
        const { value } = small[which % small.length] as { value: unknown };
        const changed = mutations.reduce((root, each) => mutate(root, each), value as Json);
        const theirs = official?.[versionOf(changed)](changed) ?? false;
        const ours = accepts(JSON.stringify(changed));
        if (isOldLibraryRule(changed)) return;
        if (theirs) accepted++;
        else rejected++;
        expect(ours.ok, ours.why).toBe(theirs);
      }),
      { numRuns: Number(process.env["SLUICE_FUZZ_RUNS"] ?? 3000) },
    );
    expect(accepted).toBeGreaterThan(150);
    expect(rejected).toBeGreaterThan(150);
  });
});

/** The one declared difference: documents before 3.1 may have library rules of 3.0's form, which the schemas of 3.1 and later refuse. */
function isOldLibraryRule(value: Json): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const version = value["apiVersion"];
  if (typeof version !== "string" || apiVersions[version] !== "3.0") return false;
  return pathsOf(value).some((path) => {
    const node = at(value, path);
    if (node === null || typeof node !== "object" || Array.isArray(node)) return false;
    return typeof node["rule"] === "string" && !("metric" in node) && (node["type"] === undefined || node["type"] === "library");
  });
}

test("a library rule of 3.0's form is accepted before 3.1 only", () => {
  const document = (apiVersion: string) => `
apiVersion: ${apiVersion}
kind: DataContract
id: x
version: 1.0.0
status: draft
schema:
  - name: t
    quality:
      - rule: rowCount
        mustBeGreaterThan: 0
`;
  expect(accepts(document("v3.0.2"))).toMatchObject({ ok: true });
  expect(accepts(document("v3.1.0"))).toMatchObject({ ok: false });
});
