import type { NamedRef } from "../core/lake-refs.ts";
import type { Lake } from "../core/ports.ts";
import type { OutboxLine } from "./outbox.ts";

/** Hosts' clocks may differ by so much: a tag that is that much older than the newest one told may still be new. */
const skewMsMax = 3600_000;

/** A sink that is told of tags. */
export interface TagSink {
  readonly name: string;
  deliverTag(dataset: string, ref: NamedRef): Promise<void>;
}

/**
 * What a sink is to hear of datasets' tags and releases: each that persons made, in the order of their times, which are the cursor. At least once: another
 * worker that goes on tells those of the last hour again.
 */
export function tagLines(lake: Lake, sink: TagSink, datasets: readonly string[]): readonly OutboxLine[] {
  return datasets.map((dataset) => {
    const told = new Set<string>();
    return {
      sink: sink.name,
      dataset,
      cursor: `tags/${dataset}`,
      pending: async function* (after: bigint) {
        const all = await lake.refs.list(dataset);
        const since = Number(after) - skewMsMax;
        const tags = all
          .flatMap((ref) =>
            ref.createdAtMs === null || (ref.kind !== "tag" && ref.kind !== "release") ? [] : [{ ref, atMs: ref.createdAtMs }],
          )
          .filter(({ ref, atMs }) => atMs >= since && !told.has(ref.name))
          .sort((a, b) => a.atMs - b.atMs);
        let stood = after;
        for (const { ref, atMs } of tags) {
          if (BigInt(atMs) > stood) stood = BigInt(atMs);
          const send = async (): Promise<void> => {
            await sink.deliverTag(dataset, ref);
            told.add(ref.name);
          };
          yield { sequence: stood, atMs, send };
        }
      },
    };
  });
}
