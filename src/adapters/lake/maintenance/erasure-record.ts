import type { ErasureReport, ErasureRequest } from "../../../core/lake-maintenance.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { commitUntilSettled, draftsOf } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { propertyNames } from "../table-properties.ts";
import { deleteFiles } from "./expire.ts";
import { reachedFiles } from "./reachable.ts";

/** What one commit of an erasure did, durable and named by that very commit: whoever finds the process dead can finish the deletions. */
export interface ErasureStep extends Omit<ErasureRequest, "target" | "copies"> {
  readonly format: "sluice.erasure-step/1";
  readonly dataset: string;
  readonly atMs: number;
  readonly predicateHash: string;
  /** Source positions, as `<topicId>:<partition>:<offset>`. */
  readonly erased: readonly string[];
  /** Paths of files that the commit made unreachable and that may hold the value. */
  readonly deleted: readonly string[];
}

function namesIn(metadata: TableMetadata): string[] {
  return JSON.parse(metadata.properties[propertyNames.erasures] ?? "[]") as string[];
}

/** Stores a record of an erasure; answers the property that names it beside those before. */
export async function putRecord(context: LakeContext, metadata: TableMetadata, record: ErasureStep | ErasureReport): Promise<string> {
  const hash = await context.content.put("erasure", new TextEncoder().encode(JSON.stringify(record)));
  const known = namesIn(metadata);
  return JSON.stringify(known.includes(hash) ? known : [...known, hash]);
}

/** Keeps a report for good, and names it on the table. */
export async function keepReport(context: LakeContext, report: ErasureReport): Promise<void> {
  await commitUntilSettled<undefined>(context, report.dataset, async (tables) => {
    const { promoted } = draftsOf(context, tables);
    const named = await putRecord(context, promoted.base, report);
    if (named === promoted.base.properties[propertyNames.erasures]) return { kind: "done", result: undefined };
    promoted.update({ action: "set-properties", updates: { [propertyNames.erasures]: named } });
    return { kind: "change", drafts: [promoted, null], result: undefined };
  });
}

async function recordsOf(context: LakeContext, metadata: TableMetadata): Promise<(ErasureStep | ErasureReport)[]> {
  const records: (ErasureStep | ErasureReport)[] = [];
  for (const hash of namesIn(metadata))
    records.push(JSON.parse(new TextDecoder().decode(await context.content.get("erasure", hash))) as ErasureStep | ErasureReport);
  return records;
}

/** Source positions of every record that was ever erased from a dataset, as `<topicId>:<partition>:<offset>`. */
export async function everErased(context: LakeContext, metadata: TableMetadata): Promise<Set<string>> {
  return new Set((await recordsOf(context, metadata)).flatMap(({ erased }) => erased));
}

/** Deletes what erasures of a dataset have left to delete, where a process ended between its commit and that. Answers how many files went. */
export async function finishDeletions(context: LakeContext, dataset: string): Promise<number> {
  const { promoted, quarantine } = await loadTables(context, dataset);
  const paths = new Set<string>();
  for (const record of await recordsOf(context, promoted.metadata))
    if (record.format === "sluice.erasure-step/1") for (const path of record.deleted) paths.add(path);
  const left: string[] = [];
  for (const path of paths) if (await context.storage.exists(path)) left.push(path);
  if (left.length === 0) return 0;
  const reached = new Set([...(await reachedFiles(context.storage, promoted)), ...(await reachedFiles(context.storage, quarantine))]);
  const deleted = await deleteFiles(
    context,
    left.filter((path) => !reached.has(path)),
    false,
  );
  return deleted.files;
}
