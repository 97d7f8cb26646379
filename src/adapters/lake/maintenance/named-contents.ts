import { decodeDecision } from "../../../core/decision-text.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { LoadedTable } from "../../catalog/catalog.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { parseTableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { summaryKeys } from "../summary-keys.ts";
import { readContracts } from "../table-properties.ts";
import { everySnapshot, ledgerSegments } from "./ledger.ts";

/** The newest metadata files of tables in the warehouse that this catalog does not have: of other namespaces and catalogs, or dropped. */
async function otherTables(context: LakeContext, known: readonly LoadedTable[]): Promise<TableMetadata[]> {
  const folders = new Set(known.map(({ metadata }) => pathOfUri(context.storage, metadata.location)));
  const newest = new Map<string, { version: number; paths: string[] }>();
  for await (const path of context.storage.list("tables")) {
    const found = /^(tables\/[^/]+)\/metadata\/(\d+)-[^/]*\.metadata\.json$/.exec(path);
    if (found === null || folders.has(found[1] as string)) continue;
    const [, folder, number] = found as unknown as [string, string, string];
    const version = Number(number);
    const entry = newest.get(folder);
    if (entry === undefined || version > entry.version) newest.set(folder, { version, paths: [path] });
    else if (version === entry.version) entry.paths.push(path);
  }
  const tables: TableMetadata[] = [];
  for (const path of [...newest.values()].flatMap((each) => each.paths)) {
    try {
      tables.push(parseTableMetadata(new TextDecoder().decode(await context.storage.read(path))));
    } catch (fault) {
      // Moved on since the listing, or never finished.
      if (!(fault instanceof SluiceError) || fault.code !== "NOT_FOUND") throw unreadable(path, fault);
    }
  }
  return tables;
}

function unreadable(path: string, fault: unknown): unknown {
  return fault instanceof SyntaxError
    ? new SluiceError("TABLE_CORRUPT", `${path} can't be read: ${fault.message}`, { cause: fault })
    : fault;
}

/** Hashes of every content that a table of the warehouse names: contracts, the ledger, decisions, and what those name in turn. Rejects with TABLE_CORRUPT. */
export async function namedContents(context: LakeContext, known: readonly LoadedTable[]): Promise<Set<string>> {
  const named = new Set<string>();
  const decisions = new Set<string>();
  for (const metadata of [...known.map((each) => each.metadata), ...(await otherTables(context, known))]) {
    for (const { text, references = [] } of readContracts(metadata.properties)) {
      named.add(text);
      for (const each of references) named.add(each.text);
    }
    for (const { hash } of ledgerSegments(metadata)) named.add(hash);
    for await (const { summary } of everySnapshot(context.content, metadata, -1n)) {
      for (const key of [summaryKeys.decisionHash, summaryKeys.heldDecisionHash]) {
        const hash = summary[key];
        if (hash !== undefined) decisions.add(hash);
      }
    }
  }
  for (const hash of decisions) {
    named.add(hash);
    const { profile } = decodeDecision(await context.content.get("decision", hash));
    if (profile.hash !== null) named.add(profile.hash);
  }
  return named;
}
