import type { Block, Lake } from "../../core/ports.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import { partitionId } from "../../core/position.ts";
import { skipTo } from "../../core/skipped-range.ts";
import { commitUntilSettled } from "./commit-loop.ts";
import type { LakeContext } from "./lake-context.ts";
import { draftChange } from "./state-change.ts";
import {
  positionsById,
  propertyNames,
  readBlocks,
  readPositions,
  readSkipped,
  writeBlocks,
  writePositions,
  writeSkipped,
} from "./table-properties.ts";

/** The code of blocks that a contract's policy set; the others are a source's own. */
const stopped = "WINDOW_STOPPED";

/** Records first positions; see `Lake.recordStart`. */
export function recordStart(context: LakeContext, dataset: string, starts: readonly Position[]): Promise<readonly Position[]> {
  return commitUntilSettled(context, dataset, async (tables) => {
    const known = positionsById(readPositions(tables.promoted.metadata.properties));
    const added = starts.filter((start) => !known.has(partitionId(start)));
    for (const start of added) known.set(partitionId(start), start);
    const result = starts.map((start) => known.get(partitionId(start)) as Position);
    if (added.length === 0) return { kind: "done", result };
    const draft = await draftChange(context, tables, {
      change: "start",
      author: null,
      reason: null,
      detail: { positions: added },
      properties: {
        [propertyNames.positions]: writePositions([...known.values()]),
        ...skippedAfter(tables.promoted.metadata.properties, { set: added, removed: [] }),
      },
    });
    return { kind: "change", drafts: [draft, null], result };
  });
}

/** The property of what is passed over once positions have changed. */
function skippedAfter(
  properties: Readonly<Record<string, string>>,
  change: { readonly set: readonly Position[]; readonly removed: readonly PartitionKey[] },
): Record<string, string | null> {
  const before = readSkipped(properties);
  const skipped = skipTo(before, { ...change, stood: readPositions(properties) });
  if (before.length + skipped.length === 0) return {};
  return { [propertyNames.skipped]: skipped.length === 0 ? null : writeSkipped(skipped) };
}

/** Whether a change of positions answers a block: a source's own on any change there, a policy's stop only where its partition is gone for good. */
function answers(block: Block, { remove, set }: Parameters<Lake["resetPositions"]>[1]): boolean {
  const at = (key: PartitionKey): boolean => key.topic === block.topic && (block.partition === null || block.partition === key.partition);
  const same = (key: PartitionKey): boolean => at(key) && key.topicId === block.topicId;
  if (block.code === stopped) return remove.some(same) && !set.some(same);
  return remove.some(at) || set.some(at);
}

/** Replaces positions as a person says; see `Lake.resetPositions`. */
export function resetPositions(context: LakeContext, dataset: string, change: Parameters<Lake["resetPositions"]>[1]): Promise<void> {
  const { remove, set, author, reason } = change;
  const id = context.snapshotId();
  return commitUntilSettled<undefined>(context, dataset, async (tables) => {
    const { properties, snapshots } = tables.promoted.metadata;
    if (snapshots.some((snapshot) => snapshot["snapshot-id"] === id)) return { kind: "done", result: undefined };
    const positions = positionsById(readPositions(properties));
    for (const key of remove) positions.delete(partitionId(key));
    for (const position of set) positions.set(partitionId(position), position);
    const blocks = readBlocks(properties).filter((each) => !answers(each, change));
    const draft = await draftChange(context, tables, {
      change: "reset",
      snapshotId: id,
      author,
      reason,
      detail: { remove, set },
      properties: {
        [propertyNames.positions]: writePositions([...positions.values()]),
        [propertyNames.blocks]: writeBlocks(blocks),
        ...skippedAfter(properties, { set, removed: remove }),
      },
    });
    return { kind: "change", drafts: [draft, null], result: undefined };
  });
}

/** A worker that starts while a stop stands owns nothing there, and so may not know the topic's id. */
function sameBlock(a: Block, b: Block): boolean {
  const sameId = a.topicId === b.topicId || a.topicId === null || b.topicId === null;
  return a.topic === b.topic && sameId && a.partition === b.partition && a.code === b.code;
}

/** Records a stop; one that stands already keeps its time. */
export function block(context: LakeContext, dataset: string, added: Block): Promise<void> {
  return commitUntilSettled<undefined>(context, dataset, async (tables) => {
    const blocks = readBlocks(tables.promoted.metadata.properties);
    if (blocks.some((each) => sameBlock(each, added))) return { kind: "done", result: undefined };
    const draft = await draftChange(context, tables, {
      change: "block",
      author: null,
      reason: added.message,
      detail: { ...added },
      properties: { [propertyNames.blocks]: writeBlocks([...blocks, added]) },
    });
    return { kind: "change", drafts: [draft, null], result: undefined };
  });
}

/** Clears stops of a policy; see `Lake.unblock`. */
export function unblock(context: LakeContext, dataset: string, answer: Parameters<Lake["unblock"]>[1]): Promise<readonly Block[]> {
  const id = context.snapshotId();
  let cleared: readonly Block[] = [];
  return commitUntilSettled<readonly Block[]>(context, dataset, async (tables) => {
    const { properties, snapshots } = tables.promoted.metadata;
    if (snapshots.some((snapshot) => snapshot["snapshot-id"] === id)) return { kind: "done", result: cleared };
    const blocks = readBlocks(properties);
    cleared = blocks.filter((each) => each.code === stopped && (answer.partition === null || each.partition === answer.partition));
    if (cleared.length === 0) return { kind: "done", result: [] };
    const draft = await draftChange(context, tables, {
      change: "unblock",
      snapshotId: id,
      author: answer.author,
      reason: answer.reason,
      detail: { mode: answer.mode, partition: answer.partition, cleared },
      properties: {
        [propertyNames.blocks]: writeBlocks(blocks.filter((each) => !cleared.includes(each))),
        ...(answer.mode === "hold" ? { [propertyNames.holdNext]: "true" } : {}),
      },
    });
    return { kind: "change", drafts: [draft, null], result: cleared };
  });
}
