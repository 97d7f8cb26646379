import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2019 } from "ajv/dist/2019.js";
import type { ValidateFunction } from "ajv";
import { parse } from "yaml";

/** Where the official ODCS schemas and examples may lie: beside the project, or where SLUICE_STANDARDS says. Null where they are absent. */
export function findStandards(): string | null {
  const places = [process.env["SLUICE_STANDARDS"], resolve(import.meta.dirname, "../../../shared/standards")];
  return places.find((place) => place !== undefined && existsSync(resolve(place, "odcs/schema"))) ?? null;
}

/** The official schemas by version. */
export function compileOfficial(standards: string): { readonly "3.1": ValidateFunction; readonly "3.2": ValidateFunction } {
  const compile = (version: string): ValidateFunction => {
    const text = readFileSync(resolve(standards, `odcs/schema/odcs-json-schema-v${version}.0.json`), "utf8");
    // Formats are annotations in draft 2019-09 unless a validator is told otherwise.
    return new Ajv2019({ strict: false, validateFormats: false, logger: false }).compile(JSON.parse(text) as object);
  };
  return { "3.1": compile("3.1"), "3.2": compile("3.2") };
}

export interface Example {
  readonly name: string;
  readonly text: string;
  readonly value: unknown;
}

/** The official examples. */
export function readExamples(standards: string): readonly Example[] {
  return globSync("odcs/docs/examples/**/*.odcs.yaml", { cwd: standards })
    .toSorted()
    .map((name) => {
      const text = readFileSync(resolve(standards, name), "utf8");
      return { name, text, value: parse(text) as unknown };
    });
}
