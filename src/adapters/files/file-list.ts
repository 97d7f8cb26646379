import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { SluiceError } from "../../core/errors.ts";

/** A file to read, and how. */
export interface InputFile {
  readonly path: string;
  readonly format: "ndjson" | "parquet";
  readonly compression: "gzip" | "zstd" | null;
}

const formatOf = /\.(?<format>ndjson|jsonl|json|parquet)(?:\.(?<compression>gz|zst))?$/i;

/**
 * The files of paths in the order they are read: paths as given, each folder's files in name order (by code units), its folders within that order.
 * In folders, names that begin with `.` or `_` are left out, as Hadoop and Spark do; any other name has to say its format, so that nothing is
 * passed over in silence. Rejects with FILE_NOT_FOUND or FILE_UNREADABLE.
 */
export async function listInputFiles(paths: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) files.push(...(await listPath(path)));
  return files;
}

async function listPath(path: string): Promise<InputFile[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new SluiceError(missing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  if (!isFolder) return [inputFile(path)];
  const names = (await readdir(path)).filter((name) => !/^[._]/.test(name));
  const nested = await Promise.all(names.toSorted().map((name) => listPath(join(path, name))));
  return nested.flat();
}

function inputFile(path: string): InputFile {
  const parts = formatOf.exec(basename(path))?.groups;
  const isParquet = parts?.["format"]?.toLowerCase() === "parquet";
  const compression = parts?.["compression"]?.toLowerCase();
  if (parts === undefined || (isParquet && compression !== undefined)) {
    throw new SluiceError(
      "FILE_UNREADABLE",
      `${path} does not say its format: names end in .ndjson, .jsonl or .json (one record a line; also with .gz or .zst), or in .parquet`,
    );
  }
  return {
    path,
    format: isParquet ? "parquet" : "ndjson",
    compression: compression === "gz" ? "gzip" : compression === "zst" ? "zstd" : null,
  };
}
