import { afterAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import type { S3Options } from "../../../src/adapters/storage/s3-storage.ts";
import { createS3Storage } from "../../../src/adapters/storage/s3-storage.ts";
import type { Storage } from "../../../src/core/storage.ts";
import { describeStorage } from "../../contract-suites/storage.ts";
import { testS3 } from "../../live/harness/test-s3.ts";
import type { ToxicHttp, Toxic } from "../../fixtures/toxic-http.ts";
import { toxicHttp } from "../../fixtures/toxic-http.ts";

const s3 = await testS3();
afterAll(() => s3?.close());
const partBytes = 5 * 1024 * 1024;
const bytesOf = (value: string): Uint8Array => Buffer.from(value);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe.skipIf(s3 === null)("S3", () => {
  let open: (Storage & { close(): void })[] = [];
  const storageOn = async (changes: Partial<S3Options> = {}): Promise<Storage> => {
    const storage = createS3Storage(await s3!.bucket({ partBytes, ...changes }));
    open.push(storage);
    return storage;
  };
  const closeAll = async (): Promise<void> => {
    for (const storage of open) storage.close();
    open = [];
  };

  describeStorage({ name: "a bucket", largeBytes: 2 * partBytes + 12_345, open: () => storageOn(), close: closeAll });
  describeStorage({
    name: "a folder of a bucket",
    largeBytes: partBytes + 1,
    open: () => storageOn({ prefix: "team/lake" }),
    close: closeAll,
  });

  test("a listing of more than one page is whole", async () => {
    const storage = await storageOn();
    const names = Array.from({ length: 1003 }, (_, i) => `many/${String(i).padStart(4, "0")}`);
    for (let from = 0; from < names.length; from += 100) {
      await Promise.all(names.slice(from, from + 100).map((name) => storage.write(name, bytesOf(name))));
    }
    const listed: string[] = [];
    for await (const path of storage.list("many")) listed.push(path);
    expect(listed).toEqual(names);
    await closeAll();
  });

  test("roots are URIs as readers of Iceberg take them", async () => {
    expect((await storageOn()).root).toMatch(/^s3:\/\/lake-[-0-9a-f]{36}$/);
    expect((await storageOn({ prefix: "a/b" })).root).toMatch(/^s3:\/\/lake-[-0-9a-f]{36}\/a\/b$/);
    await closeAll();
  });

  test("a bucket that is not there, and a service that is not there, are typed", async () => {
    const options = await s3!.bucket();
    const missing = createS3Storage({ ...options, bucket: "no-such-bucket" });
    await expect(missing.write("a", bytesOf("1"))).rejects.toMatchObject({
      code: "STORAGE_REFUSED",
      message: expect.stringContaining("NoSuchBucket"),
    });
    await expect(missing.read("a")).rejects.toMatchObject({ code: "STORAGE_REFUSED" });
    const away = createS3Storage({ ...options, endpoint: "http://127.0.0.1:1", patienceMs: 200 });
    await expect(away.read("a")).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      retryable: true,
      message: expect.stringContaining("ECONNREFUSED"),
    });
    missing.close();
    away.close();
  });

  describe("through a network that fails", () => {
    let proxy: ToxicHttp;
    let storage: Storage & { close(): void };
    beforeEach(async () => {
      proxy = await toxicHttp(s3!.endpoint);
      storage = createS3Storage(await s3!.bucket({ endpoint: proxy.endpoint, partBytes, timeoutMs: 400, patienceMs: 1500 }));
      // What every storage writes first is not what these tests are about.
      await storage.write("first", bytesOf("1"));
    });
    afterEach(async () => {
      storage.close();
      await proxy.close();
    });

    const passing: readonly Toxic[] = [
      { kind: "status", status: 503, code: "SlowDown" },
      { kind: "status", status: 429, code: "TooManyRequests" },
      { kind: "status", status: 500, code: "InternalError" },
      { kind: "status", status: 400, code: "RequestTimeout" },
      { kind: "status", status: 409, code: "ConditionalRequestConflict" },
      { kind: "lost-reply" },
      { kind: "bad-gateway-after" },
      { kind: "truncated-request" },
      { kind: "truncated-reply" },
      { kind: "silence" },
    ];

    test.each(passing)("a write meets $kind $code and is made once", async (toxic) => {
      proxy.poison("PUT", /\/w\?/, [toxic]);
      await storage.write("w", bytesOf("once"));
      expect(text(await storage.read("w"))).toBe("once");
      await expect(storage.write("w", bytesOf("again"))).rejects.toMatchObject({ code: "FILE_EXISTS" });
      expect(text(await storage.read("w"))).toBe("once");
    });

    test.each(passing)("a large write meets $kind $code at every request and is made once", async (toxic) => {
      for (const [method, url] of [
        ["POST", /uploads/],
        ["PUT", /partNumber=2/],
        ["POST", /uploadId/],
      ] as const)
        proxy.poison(method, url, [toxic]);
      const bytes = Buffer.alloc(partBytes + 100, 7);
      await storage.write("large", bytes);
      expect(Buffer.compare(await storage.read("large"), bytes)).toBe(0);
      await expect(storage.write("large", bytes)).rejects.toMatchObject({ code: "FILE_EXISTS" });
    });

    test.each(passing)("reading, listing and deleting meet $kind $code and go on", async (toxic) => {
      await storage.write("d/r", bytesOf("0123456789"));
      proxy.poison("GET", /\/d\/r/, [toxic, toxic]);
      proxy.poison("HEAD", /\/d\/r/, [toxic]);
      proxy.poison("GET", /list-type=2/, [toxic]);
      proxy.poison("DELETE", /\/d\/r/, [toxic]);
      expect(text(await storage.read("d/r"))).toBe("0123456789");
      expect(await storage.sizeBytes("d/r")).toBe(10);
      const listed: string[] = [];
      for await (const path of storage.list("d")) listed.push(path);
      expect(listed).toEqual(["d/r"]);
      await storage.delete("d/r");
      expect(await storage.exists("d/r")).toBe(false);
    });

    test("someone else's file under the name of a write whose reply was lost is FILE_EXISTS", async () => {
      proxy.poison("PUT", /\/w\?/, [{ kind: "status", status: 500, code: "InternalError" }]);
      const direct = createS3Storage({ ...(await s3!.bucket()), bucket: bucketOf(storage) });
      await direct.write("w", bytesOf("theirs"));
      await expect(storage.write("w", bytesOf("ours"))).rejects.toMatchObject({ code: "FILE_EXISTS" });
      expect(text(await storage.read("w"))).toBe("theirs");
      direct.close();
    });

    test("a write whose every reply is lost is settled by reading back", async () => {
      proxy.poison(
        "PUT",
        /\/w\?/,
        Array.from({ length: 500 }, () => ({ kind: "bad-gateway-after" })),
      );
      await storage.write("w", bytesOf("there"));
      expect(text(await storage.read("w"))).toBe("there");
    });

    test("403 is told at once, and a file that only seems missing is not", async () => {
      proxy.poison("PUT", /\/w\?/, [{ kind: "status", status: 403, code: "AccessDenied" }]);
      await expect(storage.write("w", bytesOf("1"))).rejects.toMatchObject({
        code: "STORAGE_REFUSED",
        retryable: true,
        message: expect.stringContaining("AccessDenied"),
      });
      expect(proxy.seen.filter((each) => each.startsWith("PUT") && /\/w\?/.test(each))).toHaveLength(1);
      proxy.poison("GET", /\/first/, [{ kind: "status", status: 403, code: "AccessDenied" }]);
      await expect(storage.read("first")).rejects.toMatchObject({ code: "STORAGE_REFUSED" });
      proxy.poison("HEAD", /\/first/, [{ kind: "status", status: 403, code: "AccessDenied" }]);
      await expect(storage.exists("first")).rejects.toMatchObject({ code: "STORAGE_REFUSED" });
    });

    test("a service that stays down is given up after a while, and may be asked again", async () => {
      proxy.poison(
        "PUT",
        /\/w\?/,
        Array.from({ length: 500 }, () => ({ kind: "status", status: 503, code: "SlowDown" })),
      );
      await expect(storage.write("w", bytesOf("1"))).rejects.toMatchObject({ code: "STORAGE_FAILED", retryable: true });
      expect(await storage.exists("w")).toBe(false);
    });

    test("a service that replaces objects is refused", async () => {
      const careless = createS3Storage(await s3!.bucket({ endpoint: proxy.endpoint }));
      proxy.poison("PUT", /conditional-write/, [{ kind: "unconditional" }, { kind: "unconditional" }]);
      await expect(careless.write("a", bytesOf("1"))).rejects.toMatchObject({ code: "STORAGE_UNSUPPORTED", retryable: false });
      careless.close();
    });
  });
});

function bucketOf(storage: Storage): string {
  return storage.root.slice("s3://".length);
}
