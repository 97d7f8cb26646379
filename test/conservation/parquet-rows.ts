import { readFileSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** A timestamp as it stands in a file, so that it can't be mistaken for a number. */
export class Micros {
  readonly micros: bigint;

  constructor(micros: bigint) {
    this.micros = micros;
  }
}

export class Days {
  readonly days: number;

  constructor(days: number) {
    this.days = days;
  }
}

/** All rows of one Parquet file, binary as bytes, integers and timestamps exact. */
export async function readRows(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return (await parquetReadObjects({
    file,
    compressors,
    utf8: false,
    parsers: {
      timestampFromMicroseconds: (value: bigint) => new Micros(value),
      timestampFromMilliseconds: (value: bigint) => new Micros(value * 1000n),
      dateFromDays: (value: number) => new Days(value),
    },
  })) as Record<string, unknown>[];
}
