import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { SluiceError } from "../../core/errors.ts";
import { s3Fault } from "./s3-fault.ts";
import type { S3Credentials } from "./s3-storage.ts";

/** Where keys are made, and in whose name (AWS Security Token Service, `AssumeRole`). */
export interface SessionPlace {
  readonly roleArn: string;
  /** Null: Amazon's own. */
  readonly endpoint: string | null;
  /** Null: as the environment says. */
  readonly region: string | null;
  readonly lifeSeconds: number;
  /** The keys that may take on the role; null: the chain of environment, shared files, web identity, container and instance. */
  readonly credentials: S3Credentials | null;
}

/** What keys are to reach: folders by their URIs, without slashes at their ends. */
export interface SessionReach {
  readonly name: string;
  readonly folders: readonly string[];
  readonly mayWrite: boolean;
  readonly mayDelete: boolean;
  /** Whether whole buckets may be listed: S3 tells a missing file from a forbidden one only to those. */
  readonly mayListAll: boolean;
}

/** Keys that end, with their token and end. */
interface MadeKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly endsAtMs: number;
}

interface Folder {
  readonly bucket: string;
  /** With a slash at its end; empty: the whole bucket. */
  readonly prefix: string;
}

function folderOf(uri: string): Folder {
  const [, bucket = "", key = ""] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? [];
  if (bucket === "") throw new SluiceError("STORAGE_UNSUPPORTED", `keys can be made for folders in S3 only, not for ${uri}`);
  // Policies have no way to write these as themselves within a path.
  if (/[*?$]/.test(key)) throw new SluiceError("STORAGE_UNSUPPORTED", `keys can't be cut to ${uri}: it has a *, ? or $`);
  return { bucket, prefix: key === "" ? "" : `${key}/` };
}

/** The policy of a session: it may do no more than this, and no more than its role. */
export function sessionPolicy({ folders, mayWrite, mayDelete, mayListAll }: SessionReach): string {
  const all = folders.map(folderOf);
  const buckets = [...new Set(all.map(({ bucket }) => bucket))];
  const actions = [
    "s3:GetObject",
    ...(mayWrite ? ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] : []),
    ...(mayDelete ? ["s3:DeleteObject"] : []),
  ];
  const lists = buckets.map((bucket) => {
    const prefixes = all.filter((each) => each.bucket === bucket).map(({ prefix }) => `${prefix}*`);
    return {
      Effect: "Allow",
      Action: ["s3:ListBucket"],
      Resource: [`arn:aws:s3:::${bucket}`],
      ...(!mayListAll && { Condition: { StringLike: { "s3:prefix": prefixes } } }),
    };
  });
  const files = { Effect: "Allow", Action: actions, Resource: all.map(({ bucket, prefix }) => `arn:aws:s3:::${bucket}/${prefix}*`) };
  return JSON.stringify({ Version: "2012-10-17", Statement: [files, ...lists] });
}

/** Makes keys by taking on a role for a while. Rejects with STORAGE_REFUSED where that is not allowed, and STORAGE_FAILED. */
export function sessionKeys(place: SessionPlace): { make(reach: SessionReach): Promise<MadeKeys>; close(): void } {
  const { roleArn, endpoint, region, lifeSeconds, credentials } = place;
  const client = new STSClient({
    ...(region !== null ? { region } : endpoint !== null && { region: process.env["AWS_REGION"] ?? "us-east-1" }),
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== null && { credentials }),
  });
  return {
    make: async (reach) => {
      const ask = new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: `sluice-${reach.name}`.slice(0, 64),
        Policy: sessionPolicy(reach),
        DurationSeconds: lifeSeconds,
      });
      const answer = await client.send(ask).catch((cause: unknown) => {
        throw s3Fault(cause, "take on", roleArn);
      });
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
      if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined || Expiration === undefined) {
        throw new SluiceError("STORAGE_UNSUPPORTED", `taking on ${roleArn} gave no keys that end`);
      }
      return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, endsAtMs: Expiration.getTime() };
    },
    close: () => client.destroy(),
  };
}
