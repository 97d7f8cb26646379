import type { DataType } from "apache-arrow";
import { makeData, RecordBatch, Struct } from "apache-arrow";
import type { Batch } from "../core/batch.ts";
import { arrowColumn } from "./arrow-column.ts";
import type { ArrowPlan } from "./arrow-schema.ts";

/**
 * Some rows of a batch, ascending, as a record batch of Arrow; see `arrowColumn` for what of it is a view: it holds as long as the batch does. A dictionary's values are the
 * contract's, so that batches of one plan go together.
 */
export function arrowBatch(plan: ArrowPlan, batch: Batch, rows: Uint32Array): RecordBatch {
  const chosen = rows.length === batch.rows ? null : rows;
  const columns = batch.unknown === null ? batch.columns : [...batch.columns, batch.unknown];
  const children = plan.fields.map((field, i) => {
    const column = columns[i];
    if (column === undefined) throw new RangeError(`bug: a batch without the column ${field.name}`);
    return arrowColumn(column, field.type as DataType, chosen, plan);
  });
  const data = makeData({ type: new Struct([...plan.fields]), length: rows.length, nullCount: 0, children });
  return new RecordBatch(plan.schema, data);
}
