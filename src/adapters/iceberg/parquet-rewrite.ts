import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";
import type { Leaf } from "../../parquet/file-schema.ts";
import type { LeafSlots } from "../../parquet/leaf-file.ts";
import { LeafFile } from "../../parquet/leaf-file.ts";
import type { DataFile } from "./data-file.ts";
import type { LeafPath } from "./leaf-levels.ts";
import { definitionMax, leafPaths, levelMap, repetitionMax } from "./leaf-levels.ts";
import { absentSlots, slotsOf } from "./leaf-slots.ts";
import { LeafReader } from "./parquet-leaf-reader.ts";

/** Rows of a row group that stay, a byte a row; null: all. */
export type Keep = (reader: LeafReader, group: number, input: number) => Promise<Uint8Array | null>;

/** What a rewrite reads and makes. */
export interface RewriteInput {
  readonly storage: Storage;
  /** Paths of files of one table, whose rows follow one another in the new file. */
  readonly inputs: readonly string[];
  readonly path: string;
  /** The table's schema now: what it dropped goes, what it widened is widened. */
  readonly schema: IcebergSchema;
  /** Fields whose values stand in no statistics. */
  readonly unboundedIds?: ReadonlySet<number>;
  readonly keep?: Keep;
  /** Row groups close before they hold more, unless one of the inputs alone does. */
  readonly rowGroup?: { readonly rowsMax: number; readonly bytesMax: number };
}

const defaultRowGroup = { rowsMax: 262_144, bytesMax: 64 << 20 } as const;

/** A leaf of the new file, and where in the schema it stands. */
interface Target {
  readonly index: number;
  readonly leaf: Leaf;
  readonly path: LeafPath;
}

/**
 * Writes the rows of some Parquet files as one, durable when it resolves: values and levels go from leaf to leaf, so that one column of one row group is
 * in memory at a time beside the new file's open row group, compressed. Null, and no file, where no row stays. Rejects with TABLE_UNSUPPORTED what
 * Sluice does not write, TABLE_CORRUPT, STORAGE_*; leaving no file.
 */
export async function rewriteParquet(input: RewriteInput): Promise<DataFile | null> {
  const { storage, path } = input;
  const output = newFile(input);
  const paths = leafPaths(input.schema);
  const targets = output.leaves.map((leaf, index) => ({ index, leaf, path: paths.find(({ id }) => id === leaf.id) as LeafPath }));
  const file = await storage.create(path);
  try {
    let rows = 0;
    let open = { rows: 0, bytes: 0 };
    const close = async (): Promise<void> => {
      if (open.rows === 0) return;
      for (const piece of output.closeRowGroup(open.rows)) await file.write(piece);
      open = { rows: 0, bytes: 0 };
    };
    const { rowsMax, bytesMax } = input.rowGroup ?? defaultRowGroup;
    for (const [i, from] of input.inputs.entries()) {
      const reader = await LeafReader.open(storage, from);
      for (const [g, group] of reader.rowGroups.entries()) {
        const keep = (await input.keep?.(reader, g, i)) ?? null;
        const kept = keep === null ? group.rows : keep.reduce((sum, each) => sum + each, 0);
        if (kept === 0) continue;
        if (open.rows + kept > rowsMax || open.bytes + group.bytes > bytesMax) await close();
        await copyGroup(reader, g, { keep, kept, targets, output });
        open = { rows: open.rows + kept, bytes: open.bytes + group.bytes };
        rows += kept;
      }
    }
    await close();
    if (rows === 0) {
      await file.abort();
      output.discard();
      return null;
    }
    const last = output.finish();
    for (const piece of last.pieces) await file.write(piece);
    await file.close();
    return { path, ...last.file };
  } catch (fault) {
    output.discard();
    await file.abort();
    throw fault;
  }
}

function newFile({ schema, unboundedIds }: RewriteInput): LeafFile {
  try {
    return new LeafFile({ schema, ...(unboundedIds !== undefined && { unboundedIds }) });
  } catch (fault) {
    throw new SluiceError("TABLE_UNSUPPORTED", (fault as Error).message, { cause: fault });
  }
}

interface Copy {
  readonly keep: Uint8Array | null;
  /** Rows of the group that are kept. */
  readonly kept: number;
  readonly targets: readonly Target[];
  readonly output: LeafFile;
}

async function copyGroup(reader: LeafReader, group: number, { keep, kept, targets, output }: Copy): Promise<void> {
  for (const target of targets) {
    const own = await slotsOfLeaf(reader, group, target, keep);
    output.append(target.index, own ?? (await slotsOfAbsent(reader, group, target, { keep, kept, targets, output })));
  }
}

async function slotsOfLeaf(reader: LeafReader, group: number, { leaf, path }: Target, keep: Uint8Array | null): Promise<LeafSlots | null> {
  const steps = reader.stepsOf(leaf.id);
  if (steps === null) return null;
  const levels = levelMap(steps, path.steps, leaf.path.join("."));
  return slotsOf(leaf, path.type, await reader.read(group, leaf.id), levels, keep);
}

/** The file was written before the column came: it is absent wherever its parent is there. */
async function slotsOfAbsent(reader: LeafReader, group: number, target: Target, { keep, kept, targets }: Copy): Promise<LeafSlots> {
  const { leaf, path } = target;
  const { like, shared } = nearest(reader, target, targets);
  const above = path.steps.slice(0, shared);
  const rest = path.steps.slice(shared);
  // Of what is missing the first step has to be one that can be absent.
  if (!rest.some(({ step }) => step === "optional")) {
    throw new SluiceError("TABLE_UNSUPPORTED", `column ${leaf.path.join(".")} is required, and a data file lacks it`);
  }
  const parent = { definition: definitionMax(above), repetition: repetitionMax(above) };
  // Right below the root it is absent once a row: no other leaf has to be read for that.
  const slots =
    shared === 0 ? { slots: kept, definitions: null, repetitions: null } : ((await slotsOfLeaf(reader, group, like, keep)) as LeafSlots);
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
