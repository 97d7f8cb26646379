import { setTimeout as sleep } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { outcomeOf, s3Fault } from "./s3-fault.ts";

/** Where objects are, and how long to ask for them. */
export interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  /** Before every key, with a `/` at its end; empty: the whole bucket. */
  readonly prefix: string;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** How long a request is repeated that fails for the moment. */
  readonly patienceMs: number;
}

const pauseMsFirst = 50;
const pauseMsMax = 5000;

/** The key of a path. Throws Error on a path that would leave the storage. */
export function keyOf(place: S3Place, path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) {
    throw new Error(`not a path inside a storage: ${JSON.stringify(path)}`);
  }
  return place.prefix + path;
}

/** A file's URI, for messages. */
export function uriOfKey(place: S3Place, key: string): string {
  return `s3://${place.bucket}/${key}`;
}

/**
 * Sends a request until it is answered: throttling, server faults, timeouts and lost connections are tried again after a growing pause, drawn
 * evenly from zero so that many clients don't come back together. Rejects with NOT_FOUND, FILE_EXISTS, STORAGE_REFUSED, STORAGE_FULL,
 * STORAGE_FAILED. Which requests may be repeated is the caller's matter.
 */
export async function patiently<T>(place: S3Place, action: string, key: string, send: () => Promise<T>): Promise<T> {
  const until = performance.now() + place.patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await send();
    } catch (fault) {
      const outcome = outcomeOf(fault);
      const passes = outcome === "again" || outcome === "unclear";
      if (!passes || performance.now() >= until) throw s3Fault(fault, action, uriOfKey(place, key));
      await sleep(place.random() * Math.min(pauseMsFirst * 2 ** attempt, pauseMsMax));
    }
  }
}
