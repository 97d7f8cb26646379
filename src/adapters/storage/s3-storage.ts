import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { SluiceError } from "../../core/errors.ts";
import type { Storage, StoredFile } from "../../core/storage.ts";
import type { S3Place } from "./s3-requests.ts";
import { keyOf, patiently, uriOfKey } from "./s3-requests.ts";
import { putObject, S3FileWriter } from "./s3-upload.ts";

/** Keys as S3 services give them out. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface S3Options {
  readonly bucket: string;
  /** Folder inside the bucket that is the storage's root, without slashes at its ends; empty: the bucket itself. */
  readonly prefix: string;
  /** Null: as the environment says (AWS_REGION, the shared configuration files). */
  readonly region: string | null;
  /** Null: Amazon's own. */
  readonly endpoint: string | null;
  /** `<endpoint>/<bucket>/<key>` instead of `<bucket>.<endpoint>/<key>`. */
  readonly pathStyle: boolean;
  /** Null: the chain of environment, shared files, web identity, container and instance. */
  readonly credentials: S3Credentials | (() => Promise<S3Credentials>) | null;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** How long a request is repeated that fails for the moment. */
  readonly patienceMs: number;
  /** How long a connection may be silent; a request as a whole has three times as long. */
  readonly timeoutMs?: number;
  /** Bytes of a part of a large file; at least 5 MiB on Amazon's S3. */
  readonly partBytes?: number;
  /** Folder in which the service is tried before anything is written: one that the keys may write. Absent or empty: the root. */
  readonly guardFolder?: string;
}

const timeoutMsDefault = 20_000;
/** Written before anything else, twice: a service that takes it twice overwrites files. */
const guardName = ".sluice-conditional-write";

function connect(options: S3Options): S3Client {
  const { region, endpoint, credentials, timeoutMs = timeoutMsDefault } = options;
  return new S3Client({
    // Services at an endpoint of their own rarely have regions, but signatures need one.
    ...(region !== null ? { region } : endpoint !== null && { region: process.env["AWS_REGION"] ?? "us-east-1" }),
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== null && { credentials }),
    forcePathStyle: options.pathStyle,
    // Requests are repeated here, where it is known what a lost reply may mean.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(timeoutMs, 5000),
      requestTimeout: 3 * timeoutMs,
      socketTimeout: timeoutMs,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * A bucket, or a folder of one, as storage. Every write is conditional (If-None-Match: *), and carries a checksum that the service verifies. Files of
 * an upload that was broken off are never visible.
 */
export function createS3Storage(options: S3Options): Storage & { close(): void } {
  const client = connect(options);
  const prefix = options.prefix === "" ? "" : `${options.prefix}/`;
  const place: S3Place = { client, bucket: options.bucket, prefix, random: options.random, patienceMs: options.patienceMs };
  const Bucket = options.bucket;
  const sizeBytes = async (path: string): Promise<number> => {
    const Key = keyOf(place, path);
    const head = await patiently(place, "stat", Key, () => client.send(new HeadObjectCommand({ Bucket, Key })));
    return head.ContentLength ?? 0;
  };
  const { guardFolder = "" } = options;
  const guardPath = guardFolder === "" ? guardName : `${guardFolder}/${guardName}`;
  let guarded: Promise<void> | null = null;
  const guard = async (): Promise<void> => {
    guarded ??= checkConditionalWrites(place, guardPath);
    try {
      await guarded;
    } catch (fault) {
      guarded = null;
      throw fault;
    }
  };
  const create = async (path: string): Promise<S3FileWriter> => {
    const writer = new S3FileWriter(place, path, options.partBytes);
    await guard();
    return writer;
  };
  return {
    root: `s3://${Bucket}/${prefix}`.replace(/\/$/, ""),
    read: async (path) => readObject(place, keyOf(place, path), null),
    readRange: async (path, from, to) => (from >= to ? new Uint8Array() : readObject(place, keyOf(place, path), { from, to })),
    sizeBytes,
    exists: async (path) => {
      try {
        await sizeBytes(path);
        return true;
      } catch (fault) {
        if (fault instanceof SluiceError && fault.code === "NOT_FOUND") return false;
        throw fault;
      }
    },
    delete: async (path) => {
      const Key = keyOf(place, path);
      await patiently(place, "delete", Key, () => client.send(new DeleteObjectCommand({ Bucket, Key })));
    },
    create,
    list: async function* (folder) {
      for await (const file of listObjects(place, folder)) yield file.path;
    },
    files: (folder) => listObjects(place, folder),
    async write(path, bytes) {
      const file = await create(path);
      await file.write(bytes);
      await file.close();
    },
    close: () => client.destroy(),
  };
}

async function readObject(place: S3Place, key: string, range: { readonly from: number; readonly to: number } | null): Promise<Uint8Array> {
  const { client, bucket: Bucket } = place;
  const Range = range === null ? undefined : `bytes=${range.from}-${range.to - 1}`;
  return patiently(place, "read", key, async () => {
    try {
      const got = await client.send(new GetObjectCommand({ Bucket, Key: key, ...(Range !== undefined && { Range }) }));
      const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
      if (got.ContentLength === undefined || bytes.length === got.ContentLength) return bytes;
      throw Object.assign(new Error(`${bytes.length} bytes of ${got.ContentLength} arrived`), { code: "ECONNRESET" });
    } catch (fault) {
      // A range that begins at or behind the end.
      if ((fault as { name?: unknown }).name === "InvalidRange") return new Uint8Array();
      throw fault;
    }
  });
}

async function* listObjects(place: S3Place, folder: string): AsyncIterable<StoredFile> {
  const Prefix = `${keyOf(place, folder)}/`;
  let token: string | undefined;
  do {
    const ask = new ListObjectsV2Command({ Bucket: place.bucket, Prefix, ...(token !== undefined && { ContinuationToken: token }) });
    const page = await patiently(place, "list", Prefix, () => place.client.send(ask));
    // Some services and consoles keep an empty object for a folder.
    for (const { Key = "/", Size = 0, LastModified } of page.Contents ?? []) {
      if (!Key.endsWith("/")) yield { path: Key.slice(place.prefix.length), bytes: Size, writtenAtMs: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** Rejects with STORAGE_UNSUPPORTED where the service lets a conditional write replace an object. */
async function checkConditionalWrites(place: S3Place, guardPath: string): Promise<void> {
  const text = new TextEncoder().encode("Written by Sluice to see that this service never replaces an object.\n");
  for (let time = 0; time < 2; time++) {
    try {
      await putObject(place, guardPath, text);
    } catch (fault) {
      if (fault instanceof SluiceError && fault.code === "FILE_EXISTS") return;
      throw fault;
    }
  }
  const message = `${uriOfKey(place, place.prefix)}: this service ignores If-None-Match and replaces objects`;
  throw new SluiceError("STORAGE_UNSUPPORTED", message);
}
