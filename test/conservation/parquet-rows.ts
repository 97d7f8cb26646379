import { readFileSync } from "node:fs";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
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

function fileOf(path: string): ArrayBuffer {
  const bytes = readFileSync(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** Names of a Parquet file's columns that no other one holds, by their Iceberg ids. */
export function readFields(path: string): Map<number, string> {
  const { schema } = parquetMetadata(fileOf(path));
  return new Map(
    schema.flatMap(({ field_id: id, name, num_children: children }) => (id === undefined || children ? [] : [[id, name] as const])),
  );
}

/** All rows of one Parquet file, binary as bytes, integers and timestamps exact. */
export async function readRows(path: string): Promise<Record<string, unknown>[]> {
  return (await parquetReadObjects({
    file: fileOf(path),
    compressors,
    utf8: false,
    parsers: {
      timestampFromMicroseconds: (value: bigint) => new Micros(value),
      timestampFromMilliseconds: (value: bigint) => new Micros(value * 1000n),
      dateFromDays: (value: number) => new Days(value),
    },
  })) as Record<string, unknown>[];
}
