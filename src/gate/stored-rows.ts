import type { Batch } from "../core/batch.ts";
import { conditionPaths } from "../core/condition-paths.ts";
import type { PromotedRows } from "../core/promoted-rows.ts";
import { allocateRecords } from "../core/records.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { DeferredKeys } from "../rules/deferred/deferred-rule.ts";
import { DeferredGatherer, keyColumns } from "../rules/deferred/deferred-rule.ts";

/** Columns that a deferred rule reads of stored rows: those of its key, of its filter, and its own. All stand at the top of the record. */
export function storedFields(plan: RulePlan, fields: readonly Field[]): Field[] {
  const names = new Set([...(keyColumns(plan) ?? []), ...(plan.where === null ? [] : conditionPaths(plan.where))]);
  if (plan.check.family === "sequence" && plan.path !== null) names.add(plan.path);
  return [...names].map((name) => {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) throw new Error(`bug: ${name} is no top-level column`);
    return field;
  });
}

/** What a deferred rule asks of stored rows, whose columns are `storedFields`. */
export function gatherStored(
  plan: RulePlan,
  fields: readonly Field[],
  stored: PromotedRows,
): { readonly batch: Batch; readonly asked: DeferredKeys } {
  const gatherer = new DeferredGatherer(plan, fields);
  const { batch, rows } = storedBatch(stored);
  gatherer.add(batch, 0, rows);
  return { batch, asked: gatherer.finish() };
}

/** Stored rows as a batch of the columns that were read, and all of its rows. */
function storedBatch(rows: PromotedRows): { readonly batch: Batch; readonly rows: Uint32Array } {
  const { count, columns, partition, offsets, timestampsMs } = rows;
  const records = { ...allocateRecords(0, new Uint8Array(0), rows.partitions), count, partition, offsets, timestamps: timestampsMs };
  const batch: Batch = { records, rows: count, columns, faults: [], undecoded: new Uint8Array(count), skipped: [], unknown: null };
  return { batch, rows: Uint32Array.from({ length: count }, (_, row) => row) };
}
