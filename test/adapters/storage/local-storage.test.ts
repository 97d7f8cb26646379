import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLocalStorage, sweepUnfinished } from "../../../src/adapters/storage/local-storage.ts";
import { describeStorage } from "../../contract-suites/storage.ts";

let folder = "";
const suiteFolders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-storage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytesOf = (value: string): Uint8Array => Buffer.from(value);

describeStorage({
  name: "a folder",
  largeBytes: 6_000_000,
  open: async () => {
    const root = mkdtempSync(join(tmpdir(), "sluice-storage-"));
    suiteFolders.push(root);
    return createLocalStorage(root);
  },
  close: async () => {
    for (const root of suiteFolders) rmSync(root, { recursive: true, force: true });
  },
});

test("a file in pieces leaves no other file behind, closed or aborted", async () => {
  expect(createLocalStorage(folder).root).toBe(`file://${folder}`);
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

test("a folder that was removed meanwhile is made again; a file in a folder's place is a typed fault", async () => {
  const storage = createLocalStorage(join(folder, "deep/root"));
  await storage.write("a/b/1", bytesOf("1"));
  rmSync(join(folder, "deep"), { recursive: true });
  await storage.write("a/b/2", bytesOf("2"));
  expect(text(await storage.read("a/b/2"))).toBe("2");
  await storage.write("plain", bytesOf("3"));
  await expect(storage.write("plain/4", bytesOf("4"))).rejects.toMatchObject({ code: "NOT_FOUND" });
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
