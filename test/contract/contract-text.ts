import { loadContract, loadContracts } from "../../src/contract/load-contract.ts";
import type { LoadedContracts } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import { DocumentError } from "../../src/core/errors.ts";
import type { Diagnostic } from "../../src/core/errors.ts";

/** A contract document around the text of one schema object's further keys (indented by four). */
export function documentOf(schema: string, apiVersion = "v3.2.0"): string {
  return `apiVersion: ${apiVersion}
kind: DataContract
id: test
version: 1.0.0
status: active
schema:
  - name: things
    physicalName: things-topic
${schema}`;
}

/** A document with one property. */
export function documentWith(property: string, apiVersion?: string): string {
  const indented = property
    .trim()
    .split("\n")
    .map((line, index) => `${index === 0 ? "      - " : "        "}${line}`)
    .join("\n");
  return documentOf(`    properties:\n${indented}\n`, apiVersion);
}

type Files = Readonly<Record<string, string>>;

function reader(text: string, files: Files): (path: string) => Promise<string> {
  return (path) => {
    const found = path === "c/contract.yaml" ? text : files[path];
    return found === undefined ? Promise.reject(new Error("there is no such file")) : Promise.resolve(found);
  };
}

/** Loads a document that must be good; other files by path. */
export async function load(
  text: string,
  files: Files = {},
): Promise<{ readonly contract: Contract; readonly diagnostics: readonly Diagnostic[] }> {
  return loadContract("c/contract.yaml", reader(text, files));
}

/** Loads all datasets of a document that must be good. */
export async function loadAll(text: string): Promise<LoadedContracts> {
  return loadContracts("c/contract.yaml", reader(text, {}));
}

/** The errors of a document that must be bad, as `line:column code`. */
export async function errorsOf(text: string, files: Files = {}): Promise<readonly string[]> {
  return (await diagnosticsOf(text, files)).map(({ location, code }) => `${location.line}:${location.column} ${code}`);
}

/** A document that refuses what Sluice can't enforce, so that such faults are errors; its last schema object gets the setting. */
function strict(text: string): string {
  if (text.includes("customProperties") || !/\n {4,}.*\n$/.test(text)) return text;
  return `${text}    customProperties: [{ property: sluice, value: { unsupported: refuse } }]\n`;
}

/** The errors of a document that must be bad. */
export async function diagnosticsOf(text: string, files: Files = {}): Promise<readonly Diagnostic[]> {
  try {
    await loadContracts("c/contract.yaml", reader(strict(text), files));
  } catch (error) {
    if (error instanceof DocumentError) return error.diagnostics;
    throw error;
  }
  throw new Error("the document was accepted");
}
