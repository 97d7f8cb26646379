import { identifyFile } from "../adapters/files/file-content.ts";
import { listInputFiles } from "../adapters/files/file-list.ts";
import { endPartition, rowsPartition } from "../adapters/files/file-track.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import type { Block, DatasetState } from "../core/ports.ts";

/** What accepting a file source as it is now does to the table's positions. */
export interface FileAnswer {
  /** Of contents that were begun and that no file has any more. */
  readonly remove: readonly PartitionKey[];
  /** Of contents that are there: read on from where they stand. */
  readonly set: readonly Position[];
}

/** Looks at the files again. `blocks` is not empty; the answer always names each of their topics. Rejects with FILE_NOT_FOUND or FILE_UNREADABLE. */
export async function acceptFiles(paths: readonly string[], state: DatasetState, blocks: readonly Block[]): Promise<FileAnswer> {
  const contents = new Set<string>();
  for (const file of await listInputFiles(paths)) contents.add((await identifyFile(file)).topicId);
  const topics = new Set(blocks.map((one) => one.topic));
  const ofTopics = state.positions.filter((one) => topics.has(one.topic));
  const ended = new Set(ofTopics.flatMap((one) => (one.partition === endPartition && one.next > 0n ? [one.topicId] : [])));
  const begun = ofTopics.filter((one) => !ended.has(one.topicId));
  const set = begun.filter((one) => contents.has(one.topicId));
  const gone = begun.filter((one) => !contents.has(one.topicId)).map(({ next: _next, ...key }) => key);
  // Nothing of such a topic was recorded yet: its block is answered all the same.
  const unrecorded = blocks
    .filter((block) => !begun.some((one) => one.topic === block.topic))
    .map(({ topic, topicId }) => ({ topic, topicId: topicId ?? "", partition: rowsPartition }));
  return { remove: [...gone, ...unrecorded], set };
}
