import { describe, expect, it } from "vitest";
import { SluiceError } from "../../../src/core/errors.ts";
import type { VendedGrant } from "../../../src/adapters/storage/vended-keys.ts";
import { VendedKeys } from "../../../src/adapters/storage/vended-keys.ts";

const minute = 60_000;

function grant(prefix: string, name: string, endsAtMs?: number): VendedGrant {
  const keys = { accessKeyId: name, secretAccessKey: `${name}-secret` };
  return { prefix, keys: endsAtMs === undefined ? keys : { ...keys, sessionToken: "t", expiration: new Date(endsAtMs) } };
}

const never = async (): Promise<readonly VendedGrant[]> => {
  throw new Error("asked again");
};

describe("keys that a catalog hands out", () => {
  it("are those of the longest prefix, whatever the scheme is called", () => {
    const keys = new VendedKeys({ now: () => 0 });
    expect(keys.prefixOf("s3://b/lake/tables/1/data/x")).toBeNull();
    keys.take([grant("s3://b/lake/", "wide"), grant("s3a://b/lake/tables/1/", "narrow")], never);
    expect(keys.prefixOf("s3://b/lake/tables/1/data/x")).toBe("s3://b/lake/tables/1/");
    expect(keys.prefixOf("s3n://b/lake/tables/1/data/x")).toBe("s3://b/lake/tables/1/");
    expect(keys.prefixOf("s3://b/lake/tables/12/data/x")).toBe("s3://b/lake/");
    expect(keys.prefixOf("s3://b/lakes/x")).toBeNull();
  });

  it("of a folder whose prefix ends without a slash are not those of one whose name begins like it", () => {
    const keys = new VendedKeys({ now: () => 0 });
    keys.take([grant("s3://b/db/orders", "orders")], never);
    expect(keys.prefixOf("s3://b/db/orders__quarantine/data/x")).toBeNull();
    expect(keys.prefixOf("s3://b/db/orders/data/x")).toBe("s3://b/db/orders");
    expect(keys.prefixOf("s3://b/db/orders")).toBe("s3://b/db/orders");
    for (const all of ["s3://", "s3"]) {
      const every = new VendedKeys({ now: () => 0 });
      every.take([grant(all, "all")], never);
      expect(every.prefixOf("s3://b/db/orders/data/x")).toBe(all);
    }
  });

  it("are renewed five minutes before they end, once for all who wait", async () => {
    let nowMs = 0;
    let asked = 0;
    const keys = new VendedKeys({ now: () => nowMs });
    const renew = async (): Promise<readonly VendedGrant[]> => [grant("s3://b/", `renewed${++asked}`, nowMs + 60 * minute)];
    keys.take([grant("s3://b/", "first", 60 * minute)], renew);
    nowMs = 55 * minute - 1;
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("first");
    nowMs = 55 * minute;
    const both = await Promise.all([keys.keysOf("s3://b/"), keys.keysOf("s3://b/")]);
    expect(both.map((each) => each.accessKeyId)).toEqual(["renewed1", "renewed1"]);
    nowMs += 55 * minute;
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("renewed2");
  });

  it("are used to their end where none are given, and then the fault is told", async () => {
    let nowMs = 0;
    let asked = 0;
    const keys = new VendedKeys({ now: () => nowMs });
    keys.take([grant("s3://b/", "first", 4 * minute)], async () => {
      asked++;
      throw new SluiceError("CATALOG_FAILED", "away");
    });
    nowMs = 2 * minute;
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("first");
    nowMs += 5000;
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("first");
    expect(asked).toBe(1);
    nowMs += 5000;
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("first");
    expect(asked).toBe(2);
    nowMs = 4 * minute;
    await expect(keys.keysOf("s3://b/")).rejects.toMatchObject({ code: "CATALOG_FAILED", message: "away" });
  });

  it("end where the catalog answers without any", async () => {
    let nowMs = 0;
    const keys = new VendedKeys({ now: () => nowMs });
    keys.take([grant("s3://b/", "first", minute)], async () => []);
    nowMs = minute;
    await expect(keys.keysOf("s3://b/")).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
  });

  it("without an end give way to others, also for a client that keeps what has none", async () => {
    const keys = new VendedKeys({ now: () => 1000 });
    keys.take([grant("s3://b/", "first")], never);
    expect((await keys.keysOf("s3://b/")).expiration?.getTime()).toBe(11_000);
    keys.take([grant("s3://b/", "second")], never);
    expect((await keys.keysOf("s3://b/")).accessKeyId).toBe("second");
  });
});
