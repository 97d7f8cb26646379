import { describe, expect, it } from "vitest";
import { sessionPolicy } from "../../../src/adapters/storage/session-keys.ts";

const table = { name: "lab", folders: ["s3://b/lake/tables/1"], mayWrite: false, mayDelete: false, mayListAll: false };

describe("what a session may", () => {
  it("is to read and list one folder", () => {
    expect(JSON.parse(sessionPolicy(table))).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/lake/tables/1/*"] },
        {
          Effect: "Allow",
          Action: ["s3:ListBucket"],
          Resource: ["arn:aws:s3:::b"],
          Condition: { StringLike: { "s3:prefix": ["lake/tables/1/*"] } },
        },
      ],
    });
  });

  it("is to write and delete where it should, in archives too", () => {
    const wide = { ...table, folders: ["s3://b", "s3a://cold/archive"], mayWrite: true, mayDelete: true, mayListAll: true };
    const { Statement: statements } = JSON.parse(sessionPolicy(wide)) as { Statement: { Action: string[]; Resource: string[] }[] };
    expect(statements[0]).toMatchObject({ Resource: ["arn:aws:s3:::b/*", "arn:aws:s3:::cold/archive/*"] });
    expect(statements[0]?.Action).toEqual([
      "s3:GetObject",
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
      "s3:DeleteObject",
    ]);
    expect(statements.slice(1)).toEqual([
      { Effect: "Allow", Action: ["s3:ListBucket"], Resource: ["arn:aws:s3:::b"] },
      { Effect: "Allow", Action: ["s3:ListBucket"], Resource: ["arn:aws:s3:::cold"] },
    ]);
  });

  it.each(["file:///data/lake", "s3://b/lake*", "s3://b/${aws:username}", "s3://b/a?"])("can't be cut to %s", (uri) => {
    expect(() => sessionPolicy({ ...table, folders: [uri] })).toThrow(/can('t be cut| be made for folders in S3 only)/);
  });
});
