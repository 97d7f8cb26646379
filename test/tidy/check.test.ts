import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PlantedProject } from "./planted-project.ts";
import { createPlantedProject } from "./planted-project.ts";

let project: PlantedProject;
beforeEach(() => {
  project = createPlantedProject();
});
afterEach(() => project.remove());

describe("a clean project passes", () => {
  it.each(["types", "lint", "format", "dead-code", "tidy"])("%s", async (name) => {
    const { code, output } = await project.check(name);
    expect(output).toContain(`passed  ${name}`);
    expect(code).toBe(0);
  });
});

interface Plant {
  readonly title: string;
  readonly check: string;
  readonly path: string;
  readonly text: string;
  readonly says: RegExp;
}

const plants: readonly Plant[] = [
  {
    title: "a type error",
    check: "types",
    path: "src/core/one.ts",
    text: 'export const one: number = "1";\n',
    says: /src\/core\/one\.ts\(1,14\): error TS2322/,
  },
  {
    title: "an enum, which type stripping can't run",
    check: "types",
    path: "src/core/one.ts",
    text: "export enum One { a }\nexport const one = 1;\n",
    says: /TS1294/,
  },
  {
    title: "an index that may be absent",
    check: "types",
    path: "src/core/one.ts",
    text: "const all: number[] = [];\nexport const one: number = all[0];\n",
    says: /TS2322/,
  },
  {
    title: "a floating promise",
    check: "lint",
    path: "src/gate/two.ts",
    text: "async function later(): Promise<void> {}\nexport function two(): void {\n  later();\n}\n",
    says: /no-floating-promises/,
  },
  {
    title: "a promise floating deep in a callback",
    check: "lint",
    path: "src/gate/two.ts",
    text: "export function two(all: readonly (() => Promise<void>)[]): void {\n  all.forEach((one) => {\n    one();\n  });\n}\n",
    says: /no-floating-promises/,
  },
  {
    title: "an async function where nobody waits",
    check: "lint",
    path: "src/gate/two.ts",
    text: 'import { EventEmitter } from "node:events";\nexport const two = new EventEmitter().on("x", async () => {});\n',
    says: /no-misused-promises/,
  },
  {
    title: "a switch that forgets a variant",
    check: "lint",
    path: "src/gate/two.ts",
    text: 'export function two(kind: "a" | "b"): void {\n  switch (kind) {\n    case "a":\n      break;\n  }\n}\n',
    says: /switch-exhaustiveness-check/,
  },
  { title: "any", check: "lint", path: "src/gate/two.ts", text: "export const two = (x: any): void => x;\n", says: /no-explicit-any/ },
  {
    title: "code from text",
    check: "lint",
    path: "src/gate/two.ts",
    text: 'export const two = new Function("a", "return a");\n',
    says: /no-new-func/,
  },
  { title: "==", check: "lint", path: "src/gate/two.ts", text: "export const two = (a: number): boolean => a == 2;\n", says: /eqeqeq/ },
  {
    title: "a stray console.log",
    check: "lint",
    path: "src/gate/two.ts",
    text: "export const two = (): void => console.log(2);\n",
    says: /no-console/,
  },
  { title: "bad format", check: "format", path: "src/gate/two.ts", text: "export const two   = 'two'\n", says: /src\/gate\/two\.ts/ },
  {
    title: "an unused export",
    check: "dead-code",
    path: "src/core/one.ts",
    text: "export const one = 1;\nexport const orphan = 2;\n",
    says: /orphan/,
  },
  {
    title: "an unused file",
    check: "dead-code",
    path: "src/core/lonely.ts",
    text: "export const lonely = 1;\n",
    says: /src\/core\/lonely\.ts/,
  },
  {
    title: "a package that package.json does not name",
    check: "dead-code",
    path: "src/gate/two.ts",
    text: 'import Ajv from "ajv";\nexport const two = Ajv;\n',
    says: /Unlisted dependencies[^]*ajv/,
  },
  {
    title: "a package that nothing uses",
    check: "dead-code",
    path: "package.json",
    text: '{ "name": "planted", "type": "module", "private": true, "dependencies": { "yaml": "2.9.1" } }\n',
    says: /Unused dependencies[^]*yaml/,
  },
];

describe("a planted violation is reported", () => {
  it.each(plants)("$check: $title", async ({ check, path, text, says }) => {
    project.plant(path, text);
    const { code, output } = await project.check(check);
    expect(output).toMatch(says);
    expect(output).toContain(`FAILED  ${check}`);
    expect(code).toBe(1);
  });
});
