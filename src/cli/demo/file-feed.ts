import { once } from "node:events";
import { createWriteStream, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DemoRecord } from "./flight-records.ts";

const rowsPerFile = 50_000;

/**
 * Writes the demo's records as NDJSON files of a folder, where no Kafka is to be had. A tombstone has no form in a file: such records are left out,
 * and `onProduced` is not told of them.
 */
export async function writeRecordFiles(
  folder: string,
  records: AsyncIterable<DemoRecord>,
  onProduced: (records: number) => void,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  let file = null as ReturnType<typeof openPart> | null;
  let rows = 0;
  let part = 0;
  for await (const { value } of records) {
    if (value === null) continue;
    file ??= openPart(folder, part++);
    const flowing = file.stream.write(Buffer.concat([value, Buffer.from("\n")]));
    onProduced(1);
    if (!flowing) await once(file.stream, "drain");
    if (++rows % rowsPerFile === 0) {
      await file.finish();
      file = null;
    }
  }
  await file?.finish();
}

/** A file gets its name only when it is whole: a content hash stands for all of it. */
function openPart(
  folder: string,
  part: number,
): { readonly stream: ReturnType<typeof createWriteStream>; readonly finish: () => Promise<void> } {
  const name = join(folder, `flights-${String(part).padStart(3, "0")}.ndjson`);
  const stream = createWriteStream(`${name}.part`);
  return {
    stream,
    async finish() {
      stream.end();
      await once(stream, "close");
      renameSync(`${name}.part`, name);
    },
  };
}
