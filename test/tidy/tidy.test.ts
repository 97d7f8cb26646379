import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tidy } from "../../scripts/tidy/tidy.ts";
import type { PlantedProject } from "./planted-project.ts";
import { createPlantedProject } from "./planted-project.ts";

let project: PlantedProject;
beforeEach(() => {
  project = createPlantedProject();
});
afterEach(() => project.remove());

function found(): string[] {
  return tidy(project.root).map((one) => `${one.location.file}:${one.location.line} ${one.code} ${one.message}`);
}

it("finds nothing in a clean project", () => {
  expect(found()).toEqual([]);
});

const imports: readonly (readonly [title: string, path: string, text: string, says: RegExp])[] = [
  ["an outer room", "src/core/a.ts", 'import { two } from "../gate/two.ts";\nexport const a = two;\n', /core may not import gate/],
  ["from deep inside", "src/core/deep/er/a.ts", 'import "../../../gate/two.ts";\n', /core may not import gate/],
  [
    "for its type only",
    "src/core/a.ts",
    'import type { two } from "../gate/two.ts";\nexport type A = typeof two;\n',
    /core may not import gate/,
  ],
  ["as an import type", "src/core/a.ts", 'export type A = typeof import("../gate/two.ts");\n', /core may not import gate/],
  ["re-exported by name", "src/core/a.ts", 'export { two } from "../gate/two.ts";\n', /core may not import gate/],
  ["re-exported whole", "src/rules/a.ts", 'export * from "../gate/two.ts";\n', /rules may not import gate/],
  ["dynamically", "src/gate/a.ts", 'export const a = await import("../cli/main.ts");\n', /gate may not import cli/],
  ["dynamically by a variable", "src/gate/a.ts", "export const a = (name: string) => import(name);\n", /not a constant/],
  ["by require", "src/core/a.ts", 'import two = require("../gate/two.ts");\nexport const a = two;\n', /core may not import gate/],
  ["across adapters", "src/adapters/kafka/a.ts", 'import "../lineage/b.ts";\n', /adapters\/kafka may not import adapters\/lineage/],
  ["an adapter by the gate", "src/gate/a.ts", 'import "../adapters/kafka/a.ts";\n', /gate may not import adapters\/kafka/],
  ["a layer upside down", "src/adapters/storage/a.ts", 'import "../lake/b.ts";\n', /adapters\/storage may not import adapters\/lake/],
  ["out of src", "src/gate/a.ts", 'import "../../test/one.test.ts";\n', /src may not import test\/one/],
  ["by an absolute path", "src/gate/a.ts", 'import "/etc/a.ts";\n', /relative paths/],
  [
    "files in a pure room",
    "src/codecs/a.ts",
    'import { readFileSync } from "node:fs";\nexport const a = readFileSync;\n',
    /may not import node:fs/,
  ],
  [
    "randomness from node:crypto",
    "src/core/a.ts",
    'import { randomUUID } from "node:crypto";\nexport const a = randomUUID;\n',
    /randomUUID/,
  ],
  ["the whole of node:crypto", "src/core/a.ts", 'import * as crypto from "node:crypto";\nexport const a = crypto;\n', /by name/],
  ["a package in a pure room", "src/drift/a.ts", 'import kafka from "kafkajs";\nexport const a = kafka;\n', /package kafkajs/],
];

it.each(imports)("denies an import: %s", (_title, path, text, says) => {
  project.plant("src/adapters/lineage/b.ts", "/** B. */\nexport const b = 1;\n");
  project.plant(path, text);
  const all = found();
  expect(all.join("\n")).toMatch(says);
  expect(all.every((one) => one.startsWith(path))).toBe(true);
});

it.each([
  ["src/adapters/lake/a.ts", 'import "../iceberg/b.ts";\n'],
  ["src/gate/a.ts", 'import "../contract/b.ts";\nimport "node:fs";\n'],
  ["src/cli/a.ts", 'import "../adapters/kafka/b.ts";\nimport "../http/b.ts";\n'],
  ["src/core/a.ts", 'import { createHash } from "node:crypto";\nexport const a = createHash;\n'],
])("allows what %s needs", (path, text) => {
  project.plant(path, text);
  expect(found()).toEqual([]);
});

describe("pure rooms", () => {
  it.each([
    ["Date.now()", /Date\.now/],
    ["new Date()", /new Date\(\)/],
    ["new Date", /new Date\(\)/],
    ["Date()", /Date in the pure/],
    ["[Date].map((D) => new D())", /Date in the pure/],
    ['Date["now"]()', /Date\.now/],
    ["Math.random()", /Math\.random/],
    ['Math["random"]()', /Math\.random/],
    ["(({ random }) => random())(Math)", /Math in the pure/],
    ["process.env", /process/],
    ["globalThis", /globalThis/],
    ["crypto.randomUUID()", /crypto/],
    ["performance.now()", /performance/],
    ["setTimeout(() => {}, 1)", /setTimeout/],
    ['fetch("x")', /fetch/],
    ["import.meta.dirname", /import\.meta\.dirname/],
    ["{ process }", /process/],
  ])("may not use %s", (expression, says) => {
    project.plant("src/rules/a.ts", `export const a = (): unknown => (${expression});\n`);
    expect(found().join("\n")).toMatch(says);
  });

  it.each([
    "new Date(0)",
    "Date.UTC(2013, 1, 1)",
    "Math.max(1, 2)",
    "{ process: 1, fetch: 2 }",
    "({ process: 1 }).process",
    "1 as unknown as Date",
  ])("may use %s", (expression) => {
    project.plant("src/rules/a.ts", `export const a = (): unknown => (${expression});\n`);
    expect(found()).toEqual([]);
  });
});

describe("shape", () => {
  it.each([
    [
      "a cycle",
      "src/core/one.ts",
      'import "./three.ts";\nexport const one = 1;\n',
      /cycle.*core\/one\.ts -> src\/core\/three\.ts -> src\/core\/one/,
    ],
    ["a long file", "src/gate/long.ts", "const x = 1;\n".repeat(401), /401 lines/],
    ["a name that says nothing", "src/gate/string-utils.ts", "", /"utils" says nothing/],
    ["an export that says nothing", "src/gate/a.ts", "/** A. */\nexport class WindowManager {}\n", /"manager" in WindowManager/],
    ["camelCase files", "src/gate/windowLoop.ts", "", /kebab-case/],
    ["a new room", "src/lib/a.ts", "", /no room/],
    ["an export without a doc comment", "src/gate/a.ts", "// A.\nexport function a(): void {}\n", /exported a has no doc comment/],
    ["broken syntax", "src/gate/a.ts", "export const = ;\n", /syntax/],
  ])("reports %s", (_title, path, text, says) => {
    project.plant("src/core/three.ts", 'import { one } from "./one.ts";\n\n/** Three. */\nexport const three = one + 2;\n');
    project.plant(path, text);
    expect(found().join("\n")).toMatch(says);
  });
});
