import { Cluster } from "../adapters/kafka/cluster.ts";
import { readLog } from "../adapters/kafka/topic-log.ts";
import type { Config } from "../config/config.ts";
import { headersOf } from "../core/headers.ts";
import type { OffsetRange } from "../core/position.ts";
import { connectionOf } from "./kafka-connection.ts";

/** Names and values that are told apart; what comes beyond is counted only. */
const namesMax = 100;
const valuesMax = 1000;
const valuesShown = 5;
const valueCharactersMax = 80;

/** A header of a window's records: how often it stands there, and its most frequent values. */
export interface HeaderUse {
  readonly key: string;
  readonly times: number;
  /** Different values; null where there are more than were told apart. */
  readonly distinct: number | null;
  /** As text, cut at 80 characters; null is Kafka's null. */
  readonly values: readonly { readonly value: string | null; readonly times: number }[];
}

/** What producers wrote beside the records of some ranges, from the topic itself. */
export interface SourceHeaders {
  /** Records of the ranges that the topic still has, and those that it has no more. */
  readonly read: number;
  readonly gone: number;
  /** The most frequent first. */
  readonly headers: readonly HeaderUse[];
  /** Why nothing could be read; null where it could. */
  readonly why: string | null;
}

class HeaderCounts {
  readonly #counts = new Map<string, { times: number; isCut: boolean; values: Map<string | null, number> }>();

  add(key: string, value: Uint8Array | null): void {
    let found = this.#counts.get(key);
    if (found === undefined) {
      if (this.#counts.size >= namesMax) return;
      found = { times: 0, isCut: false, values: new Map() };
      this.#counts.set(key, found);
    }
    const text =
      value === null
        ? null
        : Buffer.from(value.subarray(0, 4 * valueCharactersMax))
            .toString()
            .slice(0, valueCharactersMax);
    const known = found.values.get(text) ?? 0;
    found.times++;
    if (known > 0 || found.values.size < valuesMax) found.values.set(text, known + 1);
    else found.isCut = true;
  }

  uses(): HeaderUse[] {
    const uses = [...this.#counts].map(([key, { times, isCut, values }]) => ({
      key,
      times,
      distinct: isCut ? null : values.size,
      values: [...values]
        .toSorted((a, b) => b[1] - a[1])
        .slice(0, valuesShown)
        .map(([value, count]) => ({ value, times: count })),
    }));
    return uses.toSorted((a, b) => b.times - a.times || (a.key < b.key ? -1 : 1));
  }
}

/** Reads the headers of source ranges from their topics, as far as those still have the records. Rejects with SOURCE_UNREACHABLE, SOURCE_*. */
export async function sourceHeaders({ source }: Config, ranges: readonly OffsetRange[]): Promise<SourceHeaders> {
  const all = ranges.reduce((sum, { count }) => sum + count, 0);
  if (source.kind !== "kafka") return { read: 0, gone: all, headers: [], why: "records of files have no headers" };
  const counts = new HeaderCounts();
  const cluster = new Cluster(connectionOf(source, "sluice-cli"));
  let read = 0;
  try {
    await cluster.refresh([...new Set(ranges.map(({ topic }) => topic))]);
    for (const { topic, topicId, partition, from, to } of ranges) {
      // The topic was deleted, or created again under its name.
      if (cluster.topic(topic)?.id !== topicId) continue;
      const isolation = source.isolation === "read_committed" ? 1 : 0;
      for await (const records of readLog(cluster, { key: { topic, topicId, partition }, from, to, isolation })) {
        for (let row = 0; row < records.count; row++) {
          const offset = records.offsets[row] as bigint;
          if (offset < from || offset >= to) continue;
          read++;
          for (const { key, value } of headersOf(records, row)) counts.add(key, value);
        }
      }
    }
  } finally {
    await cluster.close();
  }
  return { read, gone: Math.max(0, all - read), headers: counts.uses(), why: null };
}
