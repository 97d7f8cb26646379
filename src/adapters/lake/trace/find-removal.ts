import type { RecordKey, Removal } from "../../../core/lake-trace.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import { propertyNames } from "../table-properties.ts";

async function erasedBy(context: LakeContext, metadata: TableMetadata, key: RecordKey): Promise<boolean> {
  const id = `${key.topicId}:${key.partition}:${key.offset}`;
  for (const hash of JSON.parse(metadata.properties[propertyNames.erasures] ?? "[]") as string[]) {
    const { erased } = JSON.parse(new TextDecoder().decode(await context.content.get("erasure", hash))) as { erased: readonly string[] };
    if (erased.includes(id)) return true;
  }
  return false;
}

/** The newest retention that took rows of a record off main. */
async function expiredBy(context: LakeContext, metadata: TableMetadata, key: RecordKey): Promise<Removal | null> {
  let found: Removal | null = null;
  for await (const { summary, "timestamp-ms": atMs, "snapshot-id": id } of everySnapshot(context.content, metadata, -1n)) {
    if (summary[summaryKeys.change] !== "retain") continue;
    const { record } = JSON.parse(summary[summaryKeys.detail] ?? "{}") as { record: string };
    const { positions, rule } = JSON.parse(new TextDecoder().decode(await context.content.get("retention", record))) as {
      readonly positions: Readonly<Record<string, readonly (readonly [string, string])[]>>;
      readonly rule: string;
    };
    const ranges = positions[`${key.topicId}:${key.partition}`] ?? [];
    const isIn = ranges.some(([first, last]) => BigInt(first) <= key.offset && key.offset <= BigInt(last));
    if (isIn) found = { kind: "expired", atMs, snapshotId: id.toString(), rule };
  }
  return found;
}

/** See `LakeTraces.findRemoval`. */
export async function findRemoval(context: LakeContext, dataset: string, key: RecordKey): Promise<Removal | null> {
  const { promoted, quarantine } = await loadTables(context, dataset);
  if (await erasedBy(context, promoted.metadata, key)) return { kind: "erased" };
  return (await expiredBy(context, promoted.metadata, key)) ?? (await expiredBy(context, quarantine.metadata, key));
}
