import type { PartitionKey, Position } from "./position.ts";
import { partitionId } from "./position.ts";

/** Offsets `[from, to)` of one partition that a person's answer passed over: none of their records is in the table, nor will be. `to` null: nothing of it is read any more. */
export interface SkippedRange extends PartitionKey {
  readonly from: bigint;
  readonly to: bigint | null;
}

/** What is passed over once partitions go on from `set`; `stood`: the positions before, `removed`: partitions that are read no more. */
export function skipTo(
  skipped: readonly SkippedRange[],
  change: { readonly stood: readonly Position[]; readonly set: readonly Position[]; readonly removed: readonly PartitionKey[] },
): SkippedRange[] {
  const stood = new Map(change.stood.map((each) => [partitionId(each), each]));
  const next = new Map<string, bigint | null>(change.removed.map((each) => [partitionId(each), null]));
  for (const position of change.set) next.set(partitionId(position), position.next);
  const kept = skipped.flatMap((range) => {
    const from = next.get(partitionId(range)) ?? null;
    // What comes after the new position is read again.
    if (from === null) return [range];
    if (from <= range.from) return [];
    return [range.to === null || range.to > from ? { ...range, to: from } : range];
  });
  const added = [...next].flatMap(([id, to]) => {
    const position = stood.get(id);
    if (position === undefined || (to !== null && to <= position.next)) return [];
    const { topic, topicId, partition } = position;
    return [{ topic, topicId, partition, from: position.next, to }];
  });
  return [...kept, ...added];
}

/** Tests whether a record was passed over, by `partitionId` and offset. */
export function skippedTest(skipped: readonly SkippedRange[]): (source: string, offset: bigint) => boolean {
  const byId = new Map<string, SkippedRange[]>();
  for (const range of skipped) {
    const id = partitionId(range);
    const ranges = byId.get(id);
    if (ranges === undefined) byId.set(id, [range]);
    else ranges.push(range);
  }
  return (source, offset) => byId.get(source)?.some(({ from, to }) => offset >= from && (to === null || offset < to)) ?? false;
}
