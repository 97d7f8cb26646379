/** Where one record came from. */
export interface RecordSample {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Decimal text. */
  readonly offset: string;
}

/** A record's address for people: `topic:partition:offset`. */
function sampleAddress({ topic, partition, offset }: RecordSample): string {
  return `${topic}:${partition}:${offset}`;
}

/** The address by which no other record is meant: many files have the name of one dataset, and a file's id is the hash of its bytes. */
export function exactAddress(sample: RecordSample): string {
  return sampleAddress(sample.topicId.startsWith("sha256:") ? { ...sample, topic: sample.topicId } : sample);
}

/** What was found, with the records that show it, for people. */
export function tellSamples(found: string, samples: readonly RecordSample[] | undefined): string {
  if (samples === undefined || samples.length === 0) return found;
  return `${found} (${samples.length === 1 ? "record" : "records such as"} ${samples.map(sampleAddress).join(", ")})`;
}
