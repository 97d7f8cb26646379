import type { Storage } from "../../core/storage.ts";
import { createLocalStorage } from "./local-storage.ts";
import type { S3Credentials } from "./s3-storage.ts";

/** Where a lake's files are, as a configuration says it. */
export interface StoragePlace {
  /** The warehouse's folder, unless it is in S3. */
  readonly folder: string;
  readonly s3?: S3Warehouse | null;
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

export interface OpenedStorage {
  readonly storage: Storage;
  readonly close: () => void;
}

/** The bucket and the folder in it that a URI names. */
function s3Parts(uri: string): { readonly bucket: string; readonly prefix: string } {
  const { bucket = "", prefix = "" } = /^s3a?:\/\/(?<bucket>[^/]+)\/?(?<prefix>.*?)\/*$/.exec(uri)?.groups ?? {};
  return { bucket, prefix };
}

/** Opens the storage of a place; S3's client is loaded only where it is used. */
export async function openStorage(
  place: StoragePlace,
  { random, patienceMs }: { readonly random: () => number; readonly patienceMs: number },
): Promise<OpenedStorage> {
  const { s3 = null } = place;
  if (s3 === null) return { storage: createLocalStorage(place.folder), close: () => {} };
  const { createS3Storage } = await import("./s3-storage.ts");
  const { uri, ...rest } = s3;
  const storage = createS3Storage({ ...s3Parts(uri), ...rest, random, patienceMs });
  return { storage, close: () => storage.close() };
}
