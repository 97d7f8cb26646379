import type { Records } from "../src/core/records.ts";
import { allocateRecords } from "../src/core/records.ts";

/** Texts as values of records without keys, of one partition of a topic of that name. */
export function textRecords(topic: string, texts: readonly Buffer[]): Records {
  const records = allocateRecords(texts.length, Buffer.concat(texts), [{ topic, topicId: topic, partition: 0 }]);
  records.keyLength.fill(-1);
  let at = 0;
  texts.forEach((text, row) => {
    records.valueStart[row] = at;
    records.valueLength[row] = text.length;
    at += text.length;
  });
  return records;
}
