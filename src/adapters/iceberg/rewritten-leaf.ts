import { SluiceError } from "../../core/errors.ts";
import type { Leaf } from "../../parquet/file-schema.ts";
import type { LeafSlots } from "../../parquet/leaf-file.ts";
import type { LeafPath } from "./leaf-levels.ts";
import { definitionMax, levelMap, repetitionMax } from "./leaf-levels.ts";
import { absentSlots, constantSlots, longSlots, slotsOf } from "./leaf-slots.ts";
import type { LeafReader } from "./parquet-leaf-reader.ts";
import type { FileLineage } from "./row-lineage-columns.ts";
import { inheritedLineage, lineageIds } from "./row-lineage-columns.ts";

/** A leaf of the new file, and where in the schema it stands. */
export interface Target {
  readonly index: number;
  readonly leaf: Leaf;
  readonly path: LeafPath;
  /** Ids of fields on the path for which readers put a default where a file lacks them (spec, "Default values"). */
  readonly defaultedIds: ReadonlySet<number>;
}

/** A row group of a file that is written anew. */
export interface SourceGroup {
  readonly reader: LeafReader;
  readonly group: number;
  /** Number in the file of the group's first row. */
  readonly firstRow: number;
  /** Rows of the group that stay, a byte a row; null: all. */
  readonly keep: Uint8Array | null;
  /** How many they are. */
  readonly kept: number;
  /** What rows inherit from the file; null where the table does not number rows. */
  readonly lineage: FileLineage | null;
}

/** One leaf of a row group's rows that stay, as the new file takes it: read, made of nothing where the file has it not, or inherited. */
export async function rewrittenLeaf(from: SourceGroup, target: Target, targets: readonly Target[]): Promise<LeafSlots> {
  const own = await slotsOfLeaf(from, target);
  const { id } = target.leaf;
  if (from.lineage !== null && (id === lineageIds.rowId || id === lineageIds.lastUpdated))
    return lineageSlots(from, target.leaf, own, from.lineage);
  return own ?? slotsOfAbsent(from, target, targets);
}

async function slotsOfLeaf({ reader, group, keep }: SourceGroup, { leaf, path }: Target): Promise<LeafSlots | null> {
  const steps = reader.stepsOf(leaf.id);
  if (steps === null) return null;
  const levels = levelMap(steps, path.steps, leaf.path.join("."));
  return slotsOf(leaf, path.type, await reader.read(group, leaf.id), levels, keep);
}

/** The file's own values where it has them, else what its rows inherit. */
function lineageSlots({ keep, kept, firstRow }: SourceGroup, leaf: Leaf, own: LeafSlots | null, lineage: FileLineage): LeafSlots {
  const values: (bigint | null)[] = [];
  let ownValue = 0;
  for (let row = 0; values.length < kept; row++) {
    if (keep !== null && keep[row] === 0) continue;
    const isOwn = own !== null && (own.definitions === null || own.definitions[values.length] === leaf.definitionMax);
    if (isOwn && own.column.kind === "integer") values.push(own.column.exact[own.rows[ownValue++] as number] as bigint);
    else values.push(inheritedLineage(leaf.id, lineage, firstRow + row));
  }
  return longSlots(leaf, values);
}

/** The file was written before the column came: it has its default in every row, or is absent wherever its parent is there. */
async function slotsOfAbsent(from: SourceGroup, target: Target, targets: readonly Target[]): Promise<LeafSlots> {
  const { leaf, path } = target;
  if (path.absent !== null) return constantSlots(leaf, path.type, path.absent, from.kept);
  const { like, shared } = nearest(from.reader, target, targets);
  const above = path.steps.slice(0, shared);
  const rest = path.steps.slice(shared);
  // Of what is missing the first step has to be one that can be absent.
  if (!rest.some(({ step }) => step === "optional")) {
    throw new SluiceError("TABLE_UNSUPPORTED", `column ${leaf.path.join(".")} is required, and a data file lacks it`);
  }
  // What is absent in an old file has a value for readers: written as absent, it would be null for good.
  if (rest.some(({ id }) => id !== null && target.defaultedIds.has(id))) {
    throw new SluiceError("TABLE_UNSUPPORTED", `column ${leaf.path.join(".")} has a default for rows of before it came`);
  }
  const parent = { definition: definitionMax(above), repetition: repetitionMax(above) };
  // Right below the root it is absent once a row: no other leaf has to be read for that.
  const slots = shared === 0 ? { slots: from.kept, definitions: null, repetitions: null } : ((await slotsOfLeaf(from, like)) as LeafSlots);
  return absentSlots(leaf, path.type, slots, parent);
}

/** The leaf of the file that shares most of another's path, and how many steps they share: those from the root with the same field ids. */
function nearest(reader: LeafReader, target: Target, targets: readonly Target[]): { readonly like: Target; readonly shared: number } {
  let best: { like: Target; shared: number } | null = null;
  for (const like of targets) {
    if (reader.stepsOf(like.leaf.id) === null) continue;
    const differs = target.path.steps.findIndex((step, i) => step.id !== like.path.steps[i]?.id);
    const shared = differs < 0 ? target.path.steps.length : differs;
    if (best === null || shared > best.shared) best = { like, shared };
  }
  if (best === null) throw new SluiceError("TABLE_UNSUPPORTED", "a data file has none of the table's columns");
  return best;
}
