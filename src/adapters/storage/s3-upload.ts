import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import type { CompletedPart } from "@aws-sdk/client-s3";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { SluiceError } from "../../core/errors.ts";
import type { FileWriter } from "../../core/storage.ts";
import { outcomeOf } from "./s3-fault.ts";
import type { S3Place } from "./s3-requests.ts";
import { keyOf, patiently, uriOfKey } from "./s3-requests.ts";

/** Files above this go up in parts of this size; S3 takes parts from 5 MiB on, at most 10,000 of them. */
const partBytesDefault = 8 * 1024 * 1024;

/** Metadata by which a writer knows its own object again, after a reply that was lost. */
const writeToken = "sluice-write";

/** CRC-32 as S3 has it: base64 of four bytes, big-endian. */
function checksumOf(bytes: Uint8Array): string {
  const text = Buffer.alloc(4);
  text.writeUInt32BE(crc32(bytes));
  return text.toString("base64");
}

/**
 * Makes an object come into being at most once, by a conditional request that may be repeated. Where an attempt's reply was lost, what stands under
 * the key tells whether it was carried out. `send` answers for "not there any more" (an upload that is finished or aborted) by its own fault.
 */
async function createOnce(place: S3Place, key: string, token: string, send: () => Promise<unknown>): Promise<void> {
  let unclear = false;
  try {
    await patiently(place, "write", key, async () => {
      try {
        await send();
      } catch (fault) {
        unclear ||= outcomeOf(fault) === "unclear";
        throw fault;
      }
    });
  } catch (fault) {
    if (!unclear || !(fault instanceof SluiceError)) throw fault;
    const ask = new HeadObjectCommand({ Bucket: place.bucket, Key: key });
    const head = await patiently(place, "stat", key, () => place.client.send(ask)).catch(() => null);
    // What stands there is another writer's, or nothing does.
    if (head?.Metadata?.[writeToken] !== token) throw fault;
  }
}

/** Writes an object whole by one request. Rejects with FILE_EXISTS if there is one. */
export async function putObject(place: S3Place, path: string, bytes: Uint8Array): Promise<void> {
  const key = keyOf(place, path);
  const token = randomUUID();
  const ChecksumCRC32 = checksumOf(bytes);
  await createOnce(place, key, token, () =>
    place.client.send(
      new PutObjectCommand({
        Bucket: place.bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.length,
        ChecksumCRC32,
        IfNoneMatch: "*",
        Metadata: { [writeToken]: token },
      }),
    ),
  );
}

/** An object written piece by piece: in one request while it is small, in parts beyond that. */
export class S3FileWriter implements FileWriter {
  readonly #place: S3Place;
  readonly #path: string;
  readonly #key: string;
  readonly #token = randomUUID();
  readonly #partBytes: number;
  readonly #parts: CompletedPart[] = [];
  #buffer: Buffer;
  #filled = 0;
  #uploadId: string | null = null;
  #open = true;

  constructor(place: S3Place, path: string, partBytes: number = partBytesDefault) {
    this.#place = place;
    this.#path = path;
    this.#key = keyOf(place, path);
    this.#partBytes = partBytes;
    this.#buffer = Buffer.allocUnsafe(Math.min(partBytes, 256 * 1024));
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#step(async () => {
      for (let from = 0; from < bytes.length;) {
        if (this.#filled === this.#partBytes) await this.#sendPart();
        const taken = Math.min(bytes.length - from, this.#partBytes - this.#filled);
        this.#reserve(this.#filled + taken);
        this.#buffer.set(bytes.subarray(from, from + taken), this.#filled);
        this.#filled += taken;
        from += taken;
      }
    });
  }

  close(): Promise<void> {
    return this.#step(async () => {
      const { client, bucket } = this.#place;
      if (this.#uploadId === null) await putObject(this.#place, this.#path, this.#buffer.subarray(0, this.#filled));
      else {
        await this.#sendPart();
        const complete = new CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: this.#key,
          UploadId: this.#uploadId,
          MultipartUpload: { Parts: this.#parts },
          IfNoneMatch: "*",
        });
        await createOnce(this.#place, this.#key, this.#token, () => client.send(complete));
      }
      this.#open = false;
    });
  }

  async abort(): Promise<void> {
    this.#open = false;
    const UploadId = this.#uploadId;
    if (UploadId === null) return;
    this.#uploadId = null;
    const { client, bucket } = this.#place;
    const abort = new AbortMultipartUploadCommand({ Bucket: bucket, Key: this.#key, UploadId });
    // Parts that stay behind are invisible; the bucket's lifecycle rule for incomplete uploads removes them.
    await client.send(abort).catch(() => undefined);
  }

  async #step(work: () => Promise<void>): Promise<void> {
    if (!this.#open) throw new Error(`${uriOfKey(this.#place, this.#key)} is closed`);
    try {
      await work();
    } catch (fault) {
      await this.abort();
      throw fault;
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#partBytes, Math.max(bytes, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = larger;
  }

  async #sendPart(): Promise<void> {
    const { client, bucket } = this.#place;
    const Key = this.#key;
    if (this.#uploadId === null) {
      const begin = new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key,
        ChecksumAlgorithm: "CRC32",
        Metadata: { [writeToken]: this.#token },
      });
      const begun = await patiently(this.#place, "write", Key, () => client.send(begin));
      this.#uploadId = begun.UploadId as string;
    }
    const Body = this.#buffer.subarray(0, this.#filled);
    const PartNumber = this.#parts.length + 1;
    const ChecksumCRC32 = checksumOf(Body);
    const upload = { Bucket: bucket, Key, UploadId: this.#uploadId, PartNumber, Body, ContentLength: Body.length, ChecksumCRC32 };
    const sent = await patiently(this.#place, "write", Key, () => client.send(new UploadPartCommand(upload)));
    this.#parts.push({ PartNumber, ChecksumCRC32, ...(sent.ETag !== undefined && { ETag: sent.ETag }) });
    this.#filled = 0;
  }
}
