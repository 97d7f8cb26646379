import { dirname, join } from "node:path/posix";
import type { Contract } from "../core/contract.ts";
import { DocumentError, SluiceError } from "../core/errors.ts";
import type { Diagnostic } from "../core/errors.ts";
import { compileContract } from "./compile-contract.ts";
import type { SourceFile } from "./compile-contract.ts";
import { decodingFiles, isDescriptorSet } from "./compile-format.ts";
import { referencedFiles } from "./compile-json-schema.ts";
import { createFindings, sortDiagnostics } from "./findings.ts";
import type { Findings } from "./findings.ts";
import { child, items, lostItems, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { suggestion } from "./nearest-name.ts";
import { readDocument } from "./read-document.ts";
import type { OdcsSource } from "./read-document.ts";

/** Reads a file: its bytes, or text whose UTF-8 stands for them. Rejects where there is none. */
export type ReadText = (path: string) => Promise<string | Uint8Array>;

export interface LoadedContracts {
  /** One a schema object, in document order. */
  readonly contracts: readonly Contract[];
  /** Warnings and notes, by place; errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Loads every dataset of a document. Throws `DocumentError` with all errors at once, or `FILE_NOT_FOUND`. */
export async function loadContracts(file: string, readText: ReadText): Promise<LoadedContracts> {
  const findings = createFindings();
  const contracts = await compileAll(file, readText, findings, null);
  return { contracts, diagnostics: finish(findings) };
}

/** Which dataset, and what of it. */
export interface ContractOptions {
  readonly dataset?: string;
  /** Leaves the schemas of record formats unread: the contract describes and judges columns, and can't decode. */
  readonly withoutDecoding?: boolean;
}

/** Loads one dataset of a document: the one named, or its only one. Throws as `loadContracts`. */
export async function loadContract(
  file: string,
  readText: ReadText,
  options: ContractOptions = {},
): Promise<{ readonly contract: Contract; readonly diagnostics: readonly Diagnostic[] }> {
  const findings = createFindings();
  const contracts = await compileAll(file, readText, findings, options);
  const diagnostics = finish(findings);
  return { contract: contracts[0] as Contract, diagnostics };
}

function finish(findings: Findings): readonly Diagnostic[] {
  const sorted = sortDiagnostics(findings.list);
  const errors = sorted.filter((each) => each.severity === "error");
  if (errors.length > 0) throw new DocumentError("CONTRACT_INVALID", errors);
  return sorted;
}

async function compileAll(file: string, readText: ReadText, findings: Findings, select: ContractOptions | null): Promise<Contract[]> {
  const main = await readMain(file, readText, findings);
  if (main === null) return [];
  const document = readDocument(main.text, file, findings);
  if (document === null) return [];
  const all = items(document.root, "schema");
  rejectRepeats(all, findings);
  const chosen = select === null ? all : choose(all, select.dataset, document, findings);
  const contracts: Contract[] = [];
  for (const schema of chosen) {
    const unread = new Set(select?.withoutDecoding === true ? decodingFiles(schema).map(({ url }) => url) : []);
    const wanted = referencedFiles(schema).filter(({ url }) => !unread.has(url));
    const references = await readReferences(file, wanted, { readText, findings });
    try {
      contracts.push(compileContract({ file, main, references }, document, schema, findings));
    } catch (error) {
      // What is left of a broken document is compiled for its further errors alone: those that it has must not be lost.
      if (document.whole) throw error;
    }
  }
  return contracts;
}

function rejectRepeats(schemas: readonly Node[], findings: Findings): void {
  const seen = new Set<string>();
  for (const schema of schemas) {
    const name = textAt(schema, "name");
    if (name === null) continue;
    if (seen.has(name)) findings.error("name-repeated", schema.at, `two schema objects are called "${name}"`);
    seen.add(name);
  }
}

function choose(all: readonly Node[], dataset: string | undefined, document: OdcsSource, findings: Findings): readonly Node[] {
  const { root } = document;
  const names = all.map((each) => textAt(each, "name") ?? "");
  if (dataset === undefined) {
    if (all.length === 0 && !isIncomplete(document))
      findings.error("no-dataset", root.at, "the contract has no schema: there is nothing to judge by", "add a schema object");
    if (all.length > 1) {
      findings.error("several-datasets", root.at, `the contract has ${all.length} schema objects`, `name one of: ${names.join(", ")}`);
    }
    return all.length === 1 ? all : [];
  }
  const found = all.filter((each) => textAt(each, "name") === dataset);
  if (found.length === 0 && !isIncomplete(document))
    findings.error("no-dataset", root.at, `the contract has no schema object "${dataset}"`, suggestion(dataset, names));
  return found.slice(0, 1);
}

/** Whether schema objects, or the names of some, were left out because their structure is wrong. */
function isIncomplete({ root, whole }: OdcsSource): boolean {
  const { length } = lostItems(root, "schema");
  return !whole && (length > 0 || child(root, "schema") === null || items(root, "schema").some((each) => textAt(each, "name") === null));
}

async function readMain(file: string, readText: ReadText, findings: Findings): Promise<SourceFile | null> {
  let given: string | Uint8Array;
  try {
    given = await readText(file);
  } catch (error) {
    throw new SluiceError("FILE_NOT_FOUND", `can't read the contract ${file}: ${reason(error)}`, { cause: error });
  }
  const source = decode(given);
  if (source === null) findings.error("not-utf8", { file, line: 1, column: 1 }, "the file is not UTF-8 text");
  return source;
}

async function readReferences(
  file: string,
  wanted: ReturnType<typeof referencedFiles>,
  { readText, findings }: { readonly readText: ReadText; readonly findings: Findings },
): Promise<Map<string, SourceFile>> {
  const references = new Map<string, SourceFile>();
  for (const { url, at } of wanted) {
    try {
      const given = await readText(join(dirname(file), url));
      const source = isDescriptorSet(url) && typeof given !== "string" ? { bytes: given, text: latin1(given) } : decode(given);
      if (source === null) findings.error("not-utf8", at, `${url} is not UTF-8 text`);
      else references.set(url, source);
    } catch (error) {
      findings.error("file-not-found", at, `can't read ${url}: ${reason(error)}`, "paths are relative to the contract");
    }
  }
  return references;
}

/** Bytes as characters of their numbers. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function decode(given: string | Uint8Array): SourceFile | null {
  if (typeof given === "string") return { bytes: new TextEncoder().encode(given), text: given };
  try {
    return { bytes: given, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(given) };
  } catch {
    return null;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
