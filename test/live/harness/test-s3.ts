import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../../src/adapters/broker/ports.ts";
import type { S3Options } from "../../../src/adapters/storage/s3-storage.ts";
import { pythonS3 } from "./python-readers.ts";

/** Keys that reach a lake's content, and no table. */
export const contentKeys = { accessKeyId: "content-only", secretAccessKey: "content-only-secret" } as const;

/**
 * Moto's server; it ends when its standard input does, so that it never outlives the test run. It takes long-lived keys as they come; of keys made by
 * AssumeRole, which Moto alone does not look at, it takes those whose token is right, for what their session's policy says.
 */
const script = `
import os, sys, threading, json, re, fnmatch
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.s3.responses import S3Response
from moto.s3.exceptions import S3ClientError
from moto.sts.models import sts_backends
class Denied(S3ClientError):
    code = 403
    def __init__(self, why): super().__init__("AccessDenied", why)
names = {"HeadObject": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
         "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "ListParts": "ListMultipartUploadParts"}
def among(patterns, text): return any(fnmatch.fnmatchcase(text, each) for each in patterns)
def check(self, bucket_name=None, key_name=None):
    key = re.search("Credential=([^/]+)/", self.headers.get("Authorization", ""))
    key = key.group(1) if key else ""
    if key == "content-only" and "/tables/" in "/" + (key_name or (self.querystring.get("prefix") or [""])[0]): raise Denied("content only")
    role = next((r for r in sts_backends["123456789012"]["aws"].assumed_roles if r.access_key_id == key), None)
    if role is None: return
    if self.headers.get("X-Amz-Security-Token") != role.session_token: raise Denied("the token is wrong")
    action = self.data.get("Action", "")
    action = "s3:" + names.get(action, action)
    resource = "arn:aws:s3:::" + (bucket_name or self.bucket_name or "") + ("/" + key_name if key_name else "")
    prefix = (self.querystring.get("prefix") or [""])[0]
    for each in json.loads(role.policy)["Statement"]:
        wanted = each.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
        if action in each["Action"] and among(each["Resource"], resource) and (wanted is None or among(wanted, prefix)): return
    raise Denied(action + " on " + resource + " is not in the session's policy")
S3Response._authenticate_and_authorize_s3_action = check
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
`;

/** An S3 service of the test's own on loopback, in memory: conditional writes, multipart uploads, checksums, pages. */
export interface TestS3 {
  readonly endpoint: string;
  /** Makes a bucket; answers how to reach it, with nothing written yet. */
  readonly bucket: (changes?: Partial<S3Options>) => Promise<S3Options>;
  readonly close: () => Promise<void>;
}

export const s3Keys = { accessKeyId: "sluice-test", secretAccessKey: "sluice-test-secret" } as const;

/** Starts an S3 service (2 s); null, with a plain message, where Python or pip can't give it. Close it in `afterAll`. */
export async function testS3(): Promise<TestS3 | null> {
  const python = await pythonS3();
  if (python === null) return null;
  const [port = 0] = await freePorts(1);
  const child = spawn(python, ["-c", script, String(port)], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const answer = await fetch(endpoint).catch(() => null);
    if (answer?.ok === true) break;
    if (tries > 300 || child.exitCode !== null) throw new Error("the S3 service for tests does not start");
    await sleep(100);
  }
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: s3Keys });
  return {
    endpoint,
    bucket: async (changes = {}) => {
      const bucket = `lake-${randomUUID()}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const settings = { region: "us-east-1", endpoint, pathStyle: true, credentials: s3Keys, random: Math.random, patienceMs: 5000 };
      return { bucket, prefix: "", ...settings, ...changes };
    },
    close: async () => {
      client.destroy();
      child.stdin.end();
      await ended;
    },
  };
}
