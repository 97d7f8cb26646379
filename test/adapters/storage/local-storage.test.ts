import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLocalStorage, sweepUnfinished } from "../../../src/adapters/storage/local-storage.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-storage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytesOf = (value: string): Uint8Array => Buffer.from(value);

test("a written file reads back, whole and by range", async () => {
  const storage = createLocalStorage(folder);
  expect(storage.root).toBe(`file://${folder}`);
  await storage.write("a/b/c.txt", bytesOf("0123456789"));
  expect(text(await storage.read("a/b/c.txt"))).toBe("0123456789");
  expect(text(await storage.readRange("a/b/c.txt", 2, 5))).toBe("234");
  expect(text(await storage.readRange("a/b/c.txt", 8, 50))).toBe("89");
  expect(text(await storage.readRange("a/b/c.txt", 50, 60))).toBe("");
  expect(await storage.sizeBytes("a/b/c.txt")).toBe(10);
  expect(await storage.exists("a/b/c.txt")).toBe(true);
  expect(await storage.exists("a/b")).toBe(false);
  expect(await storage.exists("a/b/c.txt/d")).toBe(false);
});

test("a file in pieces appears only when closed, and an aborted one leaves nothing", async () => {
  const storage = createLocalStorage(folder);
  const file = await storage.create("x/part");
  await file.write(bytesOf("one "));
  await file.write(bytesOf("two"));
  expect(await storage.exists("x/part")).toBe(false);
  await file.close();
  expect(text(await storage.read("x/part"))).toBe("one two");
  const other = await storage.create("x/other");
  await other.write(bytesOf("gone"));
  await other.abort();
  expect(readdirSync(join(folder, "x"))).toEqual(["part"]);
});

test("nothing is overwritten: of eight writers of one path one wins, and its bytes stay", async () => {
  const storage = createLocalStorage(folder);
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => storage.write("race", bytesOf(`writer ${i}`))));
  const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
  expect(winners).toHaveLength(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "FILE_EXISTS" });
  expect(text(await storage.read("race"))).toBe(`writer ${winners[0]}`);
  expect(readdirSync(folder)).toEqual(["race"]);
});

test("a folder that was removed meanwhile is made again; a file in a folder's place is a typed fault", async () => {
  const storage = createLocalStorage(join(folder, "deep/root"));
  await storage.write("a/b/1", bytesOf("1"));
  rmSync(join(folder, "deep"), { recursive: true });
  await storage.write("a/b/2", bytesOf("2"));
  expect(text(await storage.read("a/b/2"))).toBe("2");
  await storage.write("plain", bytesOf("3"));
  await expect(storage.write("plain/4", bytesOf("4"))).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("missing files are NOT_FOUND, deleting one is no fault", async () => {
  const storage = createLocalStorage(folder);
  await expect(storage.read("no")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(storage.readRange("no", 0, 1)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(storage.sizeBytes("no")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await storage.delete("no");
  await storage.write("yes", bytesOf("1"));
  await storage.delete("yes");
  expect(await storage.exists("yes")).toBe(false);
});

test("lists deep, in name order, without unfinished files", async () => {
  const storage = createLocalStorage(folder);
  for (const path of ["t/b/2", "t/a", "t/b/1", "u/z"]) await storage.write(path, bytesOf(path));
  const open = await storage.create("t/b/3");
  const listed: string[] = [];
  for await (const path of storage.list("t")) listed.push(path);
  expect(listed).toEqual(["t/a", "t/b/1", "t/b/2"]);
  for await (const path of storage.list("nothing")) listed.push(path);
  expect(listed).toHaveLength(3);
  await open.abort();
});

test("paths never leave the root", async () => {
  const storage = createLocalStorage(folder);
  for (const path of ["../x", "/etc/passwd", "a//b", "a/../../b", "", ".", "a/\0"]) {
    await expect(async () => storage.read(path)).rejects.toThrow("not a path inside a storage");
    await expect(storage.write(path, bytesOf("x"))).rejects.toThrow("not a path inside a storage");
  }
});

test("what a killed process left half written goes once it is old enough", async () => {
  const storage = createLocalStorage(folder);
  await storage.write("t/kept", bytesOf("1"));
  const left = join(folder, "t", ".sluice-0123456789abcdef.tmp");
  writeFileSync(left, "half");
  utimesSync(left, 1000, 1000);
  expect(await sweepUnfinished(folder, { nowMs: 1_000_000 + 59_000, ageMsMin: 60_000 })).toBe(0);
  expect(await sweepUnfinished(folder, { nowMs: 1_000_000 + 61_000, ageMsMin: 60_000 })).toBe(1);
  expect(readdirSync(join(folder, "t"))).toEqual(["kept"]);
});

test("a write past the file size limit is STORAGE_FULL and leaves nothing", () => {
  const script = `
    import { createLocalStorage } from ${JSON.stringify(join(import.meta.dirname, "../../../src/adapters/storage/local-storage.ts"))};
    process.on("SIGXFSZ", () => undefined);
    const storage = createLocalStorage(${JSON.stringify(folder)});
    await storage.write("large", new Uint8Array(4 << 20)).then(() => console.log("written"), (fault) => console.log(fault.code, fault.retryable));
    await storage.write("small", new Uint8Array(10));
  `;
  const output = execFileSync("bash", ["-c", `ulimit -f 1024; exec "$0" --input-type=module -e "$1"`, process.execPath, script], {
    encoding: "utf8",
  });
  expect(output.trim()).toBe("STORAGE_FULL true");
  expect(readdirSync(folder)).toEqual(["small"]);
});
