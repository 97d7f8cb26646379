import { SluiceError } from "../../core/errors.ts";
import type { OpenArchive } from "./archived-storage.ts";
import { withArchives } from "./archived-storage.ts";
import { createLocalStorage } from "./local-storage.ts";
import type { OpenedStorage } from "./opened-storage.ts";
import type { S3Credentials, S3Options } from "./s3-storage.ts";
import type { VendedKeys } from "./vended-keys.ts";
import { withVendedKeys } from "./vended-storage.ts";

/** Where a lake's files are, as a configuration says it. */
export interface StoragePlace {
  /** The warehouse's folder, unless it is in S3. */
  readonly folder: string;
  readonly s3?: S3Warehouse | null;
  /** Where old data files may be moved to, and stay a part of their tables. */
  readonly archives?: readonly ArchivePlace[];
}

/** An archive: a folder, unless it is in S3. */
export interface ArchivePlace {
  /** What contracts call it: lower-case letters, digits and `-`. */
  readonly name: string;
  readonly folder: string;
  readonly s3: S3Warehouse | null;
}

export interface S3Warehouse {
  /** `s3://<bucket>[/<folder>]`. */
  readonly uri: string;
  readonly region: string | null;
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  /** Null: the chain of environment, shared files, web identity, container and instance. */
  readonly credentials: S3Credentials | null;
}

/** The bucket and the folder in it that a URI names. */
function s3Parts(uri: string): { readonly bucket: string; readonly prefix: string } {
  const { bucket = "", prefix = "" } = /^s3a?:\/\/(?<bucket>[^/]+)\/?(?<prefix>.*?)\/*$/.exec(uri)?.groups ?? {};
  return { bucket, prefix };
}

interface StoragePorts {
  readonly random: () => number;
  readonly patienceMs: number;
  /** Keys that a catalog hands out, for the files that it does so for; absent or null: the place's own are for all. */
  readonly vended?: VendedKeys | null;
}

async function openOne(
  { folder, s3 = null }: Pick<StoragePlace, "folder" | "s3">,
  { random, patienceMs, vended = null }: StoragePorts,
): Promise<OpenedStorage> {
  if (s3 === null) return { storage: createLocalStorage(folder), close: () => {} };
  const { createS3Storage } = await import("./s3-storage.ts");
  const { uri, ...rest } = s3;
  const open = (changes: Partial<S3Options>): OpenedStorage => {
    const storage = createS3Storage({ ...s3Parts(uri), ...rest, random, patienceMs, ...changes });
    return { storage, close: () => storage.close() };
  };
  const own = open({});
  return vended === null ? own : withVendedKeys(own, vended, (credentials, guardFolder) => open({ credentials, guardFolder }));
}

/**
 * Opens the storage of a place with its archives; S3's client is loaded only where it is used. Rejects with CONFIG_INVALID where two archives, or one and the
 * warehouse, are one place.
 */
export async function openStorage(place: StoragePlace, ports: StoragePorts): Promise<OpenedStorage> {
  const opened = [await openOne(place, ports)];
  const archives: OpenArchive[] = [];
  const close = (): void => opened.forEach((each) => each.close());
  try {
    for (const { name, folder, s3 } of place.archives ?? []) {
      const one = await openOne({ folder, s3 }, ports);
      if (opened.some(({ storage }) => storage.root === one.storage.root) || archives.some((each) => each.name === name)) {
        one.close();
        throw new SluiceError(
          "CONFIG_INVALID",
          `lake.archives: ${name} has the name or the place of another archive, or is the warehouse itself`,
        );
      }
      opened.push(one);
      archives.push({ name, storage: one.storage });
    }
  } catch (fault) {
    close();
    throw fault;
  }
  return { storage: withArchives((opened[0] as OpenedStorage).storage, archives), close };
}
