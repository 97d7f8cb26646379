import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block, DatasetState } from "../core/ports.ts";

/** Where assigned partitions stand, by what the table says. */
export interface Placement {
  /** The table has a position: read on from there. */
  readonly known: readonly Position[];
  /** Never seen: the starting point decides, once. */
  readonly unknown: readonly PartitionKey[];
  /** Blocked: assigned and not read until a person answers. */
  readonly waiting: readonly PartitionKey[];
  /** Stops to record: the same topic and partition under another topic id. */
  readonly blocks: readonly Block[];
}

/**
 * Compares assigned partitions with the table. A partition whose topic the table knows under another topic id was deleted and re-created:
 * its offsets mean other records now, so it stops and asks. File sources have a content hash as topic id, so a new file is never that.
 */
export function placePartitions(state: DatasetState, keys: readonly PartitionKey[], nowMs: number): Placement {
  const byId = new Map(state.positions.map((each) => [partitionId(each), each]));
  const known: Position[] = [];
  const unknown: PartitionKey[] = [];
  const waiting: PartitionKey[] = [];
  const blocks: Block[] = [];
  for (const key of keys) {
    const blocked = state.blocks.some((each) => each.topic === key.topic && (each.partition === null || each.partition === key.partition));
    const position = byId.get(partitionId(key));
    if (blocked) waiting.push(key);
    else if (position !== undefined) known.push({ ...key, next: position.next });
    else {
      const former = state.positions.find((each) => each.topic === key.topic && each.topicId !== key.topicId);
      if (former === undefined || key.topicId.startsWith("sha256:")) unknown.push(key);
      else {
        waiting.push(key);
        if (!blocks.some((each) => each.topic === key.topic)) blocks.push(identityBlock(key, former, nowMs));
      }
    }
  }
  return { known, unknown, waiting, blocks };
}

function identityBlock(key: PartitionKey, former: PartitionKey, nowMs: number): Block {
  return {
    topic: key.topic,
    topicId: key.topicId,
    partition: null,
    code: "SOURCE_IDENTITY_CHANGED",
    message: `topic ${key.topic} was deleted and created again: its id is now ${key.topicId}, the table's positions are of ${former.topicId}`,
    sinceMs: nowMs,
  };
}
