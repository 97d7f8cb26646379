import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createContentStore } from "../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-content-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => createContentStore(createLocalStorage(folder), "content");

test("contents come back by the SHA-256 of their bytes, and putting twice changes nothing", async () => {
  const store = open();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 9000 }), async (bytes) => {
      const hash = await store.put("profile", bytes);
      expect(hash).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(await store.put("profile", bytes)).toBe(hash);
      expect(Buffer.from(await store.get("profile", hash)).equals(Buffer.from(bytes))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("long text is kept compressed, short or random contents as they are", async () => {
  const store = open();
  const text = Buffer.from("rows pass, rows fail\n".repeat(2000));
  const hash = await store.put("contract", text);
  const path = join(folder, "content", "contract", hash.slice(0, 2), `${hash}.zst`);
  expect(readFileSync(path).length).toBeLessThan(text.length / 10);
  const short = await store.put("contract", Buffer.from("short"));
  expect(existsSync(join(folder, "content", "contract", short.slice(0, 2), short))).toBe(true);
});

test("a damaged content is CONTENT_CORRUPT on reading and on putting it again; an unknown one NOT_FOUND", async () => {
  const store = open();
  const long = Buffer.from("a decision ".repeat(1000));
  const short = Buffer.from("a decision");
  const paths: string[] = [];
  for (const [bytes, end] of [
    [long, ".zst"],
    [short, ""],
  ] as const) {
    const hash = await store.put("decision", bytes);
    const path = join(folder, "content", "decision", hash.slice(0, 2), `${hash}${end}`);
    const stored = readFileSync(path);
    stored[stored.length - 1] = (stored[stored.length - 1] ?? 0) ^ 1;
    writeFileSync(path, stored);
    await expect(store.get("decision", hash)).rejects.toMatchObject({ code: "CONTENT_CORRUPT" });
    await expect(store.put("decision", bytes)).rejects.toMatchObject({ code: "CONTENT_CORRUPT" });
    paths.push(path);
  }
  expect(new Set(paths).size).toBe(2);
  await expect(store.get("decision", "0".repeat(64))).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(store.get("decision", "../../etc/passwd")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
