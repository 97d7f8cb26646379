import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { SluiceError } from "../../core/errors.ts";

/** What files hold: rows as JSON, columns or cells; Avro's object containers; or, `raw`, one record a file, as it stands in the topic. */
export const fileFormats = ["ndjson", "parquet", "csv", "arrow", "avro", "raw"] as const;
export type FileFormat = (typeof fileFormats)[number];

/** A file to read, and how. */
export interface InputFile {
  readonly path: string;
  readonly format: FileFormat;
  readonly compression: "gzip" | "zstd" | null;
}

const formatOf = /\.(?<format>ndjson|jsonl|json|csv|parquet|avro|arrow|arrows|feather|ipc)(?:\.(?<compression>gz|zst))?$/i;
const formatOfEnding: Readonly<Record<string, FileFormat>> = {
  csv: "csv",
  parquet: "parquet",
  avro: "avro",
  arrow: "arrow",
  arrows: "arrow",
  feather: "arrow",
  ipc: "arrow",
};

/**
 * The files of paths in the order they are read: paths as given, each folder's files in name order (by code units), its folders within that order.
 * In folders, names that begin with `.` or `_` are left out, as Hadoop and Spark do; any other name has to say its format, so that nothing is
 * passed over in silence; `format` is what all of them are, whatever their names. Rejects with FILE_NOT_FOUND or FILE_UNREADABLE.
 */
export async function listInputFiles(paths: readonly string[], format: FileFormat | null = null): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) files.push(...(await listPath(path, format)));
  return files;
}

async function listPath(path: string, format: FileFormat | null): Promise<InputFile[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new SluiceError(missing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  if (!isFolder) return [inputFile(path, format)];
  const names = (await readdir(path)).filter((name) => !/^[._]/.test(name));
  const nested = await Promise.all(names.toSorted().map((name) => listPath(join(path, name), format)));
  return nested.flat();
}

function inputFile(path: string, given: FileFormat | null): InputFile {
  const parts = formatOf.exec(basename(path))?.groups;
  const ending = given === null ? null : (/\.(gz|zst)$/i.exec(path)?.[1] ?? null);
  const compression = (given === null ? parts?.["compression"] : ending)?.toLowerCase();
  const format = given ?? (parts === undefined ? null : (formatOfEnding[parts["format"]?.toLowerCase() ?? ""] ?? "ndjson"));
  const isPacked = compression !== undefined && format !== "ndjson" && format !== "csv";
  if (format === null || (isPacked && given === null)) {
    throw new SluiceError(
      "FILE_UNREADABLE",
      `${path} does not say its format: names end in .ndjson, .jsonl or .json (one record a line) or .csv, also with .gz or .zst, or in .parquet, .avro, .arrow, .arrows, .feather or .ipc; one record a file as it stands in a topic (MessagePack, CBOR, Protobuf, ...) is read with the format raw`,
    );
  }
  return { path, format, compression: isPacked ? null : compression === "gz" ? "gzip" : compression === "zst" ? "zstd" : null };
}
