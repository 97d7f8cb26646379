import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";
import type { SortOrder } from "../../core/table-layout.ts";
import type { IcebergField, IcebergSchema } from "../../core/table-schema.ts";
import type { LeafSlots } from "../../parquet/leaf-file.ts";
import { LeafFile } from "../../parquet/leaf-file.ts";
import type { DataFile } from "./data-file.ts";
import type { DeletedRows } from "./deletes/deleted-rows.ts";
import { leafPaths } from "./leaf-levels.ts";
import type { LeafPath } from "./leaf-levels.ts";
import { LeafReader } from "./parquet-leaf-reader.ts";
import type { SourceGroup, Target } from "./rewritten-leaf.ts";
import { rewrittenLeaf } from "./rewritten-leaf.ts";
import type { FileLineage } from "./row-lineage-columns.ts";
import { withLineage, withoutLineageMetrics } from "./row-lineage-columns.ts";
import { gatherSlots, sortedPicks } from "./sorted-leaves.ts";

/** A file of the table to read. */
export interface RewriteSource {
  readonly path: string;
  /** Rows that do not go into the new file; null or absent: all go. */
  readonly gone?: DeletedRows | null;
  /** Where its rows got their ids: given for every source or for none. With it the new file keeps each row's id and when it came. */
  readonly lineage?: FileLineage;
}

/** What a rewrite reads and makes. */
export interface RewriteInput {
  readonly storage: Storage;
  /** Files of one table, whose rows follow one another in the new file unless it is sorted. */
  readonly inputs: readonly RewriteSource[];
  readonly path: string;
  /** The table's schema now: what it dropped goes, what it widened is widened. */
  readonly schema: IcebergSchema;
  /** Fields whose values stand in no statistics. */
  readonly unboundedIds?: ReadonlySet<number>;
  /** The order of the new file's rows, by columns as they are; absent: as they stood. A key a row is in memory then, and files are read once a row group. */
  readonly sortOrder?: SortOrder;
  /** Row groups close before they hold more, unless one of the inputs alone does. */
  readonly rowGroup?: RowGroupLimits;
}

interface RowGroupLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

const defaultRowGroup: RowGroupLimits = { rowsMax: 262_144, bytesMax: 64 << 20 };
/** Every row group of a sorted file is made by reading all of the files: so they are larger. */
const sortedRowGroup: RowGroupLimits = { rowsMax: 1_048_576, bytesMax: 256 << 20 };

/** A new file while it is written. */
interface Output {
  readonly file: LeafFile;
  readonly targets: readonly Target[];
  /** Writes the open row group out, which has so many rows. */
  readonly close: (rows: number) => Promise<void>;
}

/**
 * Writes the rows of some Parquet files as one, durable when it resolves: values and levels go from leaf to leaf, so that one column of one row group (of
 * all of them, where rows are sorted) is in memory at a time beside the new file's open row group, compressed. Null, and no file, where no row stays. Rejects
 * with TABLE_UNSUPPORTED what Sluice does not write, TABLE_CORRUPT, STORAGE_*; leaving no file.
 */
export async function rewriteParquet(input: RewriteInput): Promise<DataFile | null> {
  const { storage, path, sortOrder } = input;
  const numbered = input.inputs.some(({ lineage }) => lineage !== undefined);
  const schema = numbered ? withLineage(input.schema) : input.schema;
  const leafFile = newFile({ ...input, schema });
  const paths = leafPaths(schema);
  const defaultedIds = defaulted(schema.fields);
  const targets = leafFile.leaves.map((leaf, index) => ({
    index,
    leaf,
    path: paths.find(({ id }) => id === leaf.id) as LeafPath,
    defaultedIds,
  }));
  const file = await storage.create(path);
  try {
    const close = async (rows: number): Promise<void> => {
      for (const piece of leafFile.closeRowGroup(rows)) await file.write(piece);
    };
    const output = { file: leafFile, targets, close };
    const isSorted = sortOrder !== undefined && sortOrder.fields.length > 0;
    const rows = isSorted ? await writeSorted(input, sortOrder, output) : await writeInTurn(input, output);
    if (rows === 0) {
      await file.abort();
      leafFile.discard();
      return null;
    }
    const last = leafFile.finish();
    for (const piece of last.pieces) await file.write(piece);
    await file.close();
    const written = { path, ...last.file, ...(isSorted && { sortOrderId: sortOrder["order-id"] }) };
    return numbered ? withoutLineageMetrics(written) : written;
  } catch (fault) {
    leafFile.discard();
    await file.abort();
    throw fault;
  }
}

/** Fields, nested ones too, that have a default for rows of before they came. */
function defaulted(fields: readonly IcebergField[]): Set<number> {
  const ids = new Set<number>();
  const visit = (field: Pick<IcebergField, "id" | "type">): void => {
    if ("initial-default" in field && (field["initial-default"] ?? null) !== null) ids.add(field.id);
    const { type } = field;
    if (typeof type === "string") return;
    if (type.type === "struct") type.fields.forEach(visit);
    else if (type.type === "list") visit({ id: type["element-id"], type: type.element });
    else visit({ id: type["value-id"], type: type.value });
  };
  fields.forEach(visit);
  return ids;
}

function newFile({ schema, unboundedIds }: Pick<RewriteInput, "schema" | "unboundedIds">): LeafFile {
  try {
    return new LeafFile({ schema, ...(unboundedIds !== undefined && { unboundedIds }) });
  } catch (fault) {
    throw new SluiceError("TABLE_UNSUPPORTED", (fault as Error).message, { cause: fault });
  }
}

/** Row groups of the inputs in their order, those of which no row stays left out. */
async function* groupsOf({ storage, inputs }: RewriteInput): AsyncIterable<SourceGroup & { readonly bytes: number }> {
  for (const { path, gone = null, lineage = null } of inputs) {
    const reader = await LeafReader.open(storage, path);
    let firstRow = 0;
    for (const [group, { rows, bytes }] of reader.rowGroups.entries()) {
      const keep = gone?.kept(firstRow, rows) ?? null;
      const kept = keep === null ? rows : keep.reduce((sum, each) => sum + each, 0);
      if (kept > 0) yield { reader, group, firstRow, keep, kept, lineage, bytes };
      firstRow += rows;
    }
  }
}

/** Rows as they stood; answers how many. */
async function writeInTurn(input: RewriteInput, { file, targets, close }: Output): Promise<number> {
  const { rowsMax, bytesMax } = input.rowGroup ?? defaultRowGroup;
  let rows = 0;
  let open = { rows: 0, bytes: 0 };
  for await (const group of groupsOf(input)) {
    if (open.rows > 0 && (open.rows + group.kept > rowsMax || open.bytes + group.bytes > bytesMax)) {
      await close(open.rows);
      open = { rows: 0, bytes: 0 };
    }
    for (const target of targets) file.append(target.index, await rewrittenLeaf(group, target, targets));
    open = { rows: open.rows + group.kept, bytes: open.bytes + group.bytes };
    rows += group.kept;
  }
  if (open.rows > 0) await close(open.rows);
  return rows;
}

/** Rows in an order; answers how many. */
async function writeSorted(input: RewriteInput, order: SortOrder, { file, targets, close }: Output): Promise<number> {
  const groups = await Array.fromAsync(groupsOf(input));
  const picks = await sortedPicks(groups, order.fields, targets);
  const total = picks.row.length;
  const { rowsMax, bytesMax } = input.rowGroup ?? sortedRowGroup;
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0);
  const step = Math.max(1, Math.min(rowsMax, Math.floor((total * bytesMax) / Math.max(1, bytes))));
  for (let from = 0; from < total; from += step) {
    const part = { source: picks.source.subarray(from, from + step), row: picks.row.subarray(from, from + step) };
    for (const target of targets) {
      const slots: LeafSlots[] = [];
      for (const group of groups) slots.push(await rewrittenLeaf(group, target, targets));
      file.append(target.index, gatherSlots(target, slots, part));
    }
    await close(part.row.length);
  }
  return total;
}
