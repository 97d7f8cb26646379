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
 * where files share a partition number. Sources whose windows have all expired are found where none that is still known fits. Rejects with NOT_FOUND where there is no such dataset.
 */
export async function addressedRecords(lake: Lake, dataset: string, address: RecordAddress): Promise<readonly AddressedRecord[]> {
  const { positions } = await lake.state(dataset);
  const windows = (await lake.snapshots(dataset)).flatMap((snapshot) => summarizedWindow(snapshot) ?? []);
  const found = matching(address, [...positions, ...windows.flatMap((window) => window.ranges)]);
  if (found.length > 0) return found;
  const expired: PartitionKey[] = [];
  for await (const commit of lake.traces.snapshots(dataset)) expired.push(...(summarizedWindow(commit)?.ranges ?? []));
  return matching(address, expired);
}

function matching({ topic, partition, offset }: RecordAddress, keys: readonly PartitionKey[]): readonly AddressedRecord[] {
  const known = new Map(
    keys
      .filter((key) => key.partition === partition && (topic === null || key.topic === topic || key.topicId === topic))
      .map((key) => [partitionId(key), { topic: key.topic, topicId: key.topicId, partition, offset }]),
  );
  return [...known.values()].map(({ topic: name, ...key }) => ({ topic: name, key }));
}
