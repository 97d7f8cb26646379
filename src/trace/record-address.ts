import type { RecordKey } from "../core/lake-trace.ts";
import type { Lake } from "../core/ports.ts";
import type { PartitionKey } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import { summarizedWindow } from "./traced-window.ts";

/** A record as people write it: `topic:partition:offset`, with the topic's id or a file's content hash in its place, or `partition:offset`. */
export interface RecordAddress {
  /** Name or id; null: the dataset's only one. */
  readonly topic: string | null;
  readonly partition: number;
  readonly offset: bigint;
}

/** Null for a text that is no address. */
export function parseRecordAddress(text: string): RecordAddress | null {
  const match = /^(?:(.+):)?(\d{1,9}):(\d{1,18})$/.exec(text);
  if (match === null) return null;
  return { topic: match[1] ?? null, partition: Number(match[2]), offset: BigInt(match[3] as string) };
}

/** A record that an address can mean. */
export interface AddressedRecord {
  readonly topic: string;
  readonly key: RecordKey;
}

/**
 * Records that an address can mean in a dataset, of the sources that it reads or has read: several where a topic was created again under its name, or
 * where files share a partition number. Rejects with NOT_FOUND where there is no such dataset.
 */
export async function addressedRecords(lake: Lake, dataset: string, address: RecordAddress): Promise<readonly AddressedRecord[]> {
  const { positions } = await lake.state(dataset);
  const windows = (await lake.snapshots(dataset)).flatMap((snapshot) => summarizedWindow(snapshot) ?? []);
  const known = new Map<string, PartitionKey>();
  for (const key of [...positions, ...windows.flatMap((window) => window.ranges)]) known.set(partitionId(key), key);
  const { topic, partition, offset } = address;
  return [...known.values()]
    .filter((key) => key.partition === partition && (topic === null || key.topic === topic || key.topicId === topic))
    .map((key) => ({ topic: key.topic, key: { topicId: key.topicId, partition, offset } }));
}
