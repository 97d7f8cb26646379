import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../../src/core/storage.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytesOf = (value: string): Uint8Array => Buffer.from(value);

/** A storage to judge: `open` makes an empty one. `largeBytes` is a size beyond whatever the storage sends at once. */
export interface StorageSubject {
  readonly name: string;
  readonly largeBytes: number;
  readonly open: () => Promise<Storage>;
  readonly close: () => Promise<void>;
}

/** What every storage does: files that are written once, appear whole, and are never replaced. */
export function describeStorage(subject: StorageSubject): void {
  describe(`${subject.name} as storage`, () => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await subject.open();
    });
    afterAll(() => subject.close());

    test("a written file reads back, whole and by range", async () => {
      await storage.write("a/b/c.txt", bytesOf("0123456789"));
      expect(text(await storage.read("a/b/c.txt"))).toBe("0123456789");
      expect(text(await storage.readRange("a/b/c.txt", 2, 5))).toBe("234");
      expect(text(await storage.readRange("a/b/c.txt", 8, 50))).toBe("89");
      expect(text(await storage.readRange("a/b/c.txt", 50, 60))).toBe("");
      expect(text(await storage.readRange("a/b/c.txt", 4, 4))).toBe("");
      expect(await storage.sizeBytes("a/b/c.txt")).toBe(10);
      expect(await storage.exists("a/b/c.txt")).toBe(true);
      expect(await storage.exists("a/b")).toBe(false);
      expect(await storage.exists("a/b/c.txt/d")).toBe(false);
    });

    test("an empty file is a file", async () => {
      await storage.write("empty", new Uint8Array());
      expect(await storage.exists("empty")).toBe(true);
      expect(await storage.read("empty")).toHaveLength(0);
      expect(await storage.sizeBytes("empty")).toBe(0);
    });

    test("names are taken as they are", async () => {
      const names = ["n/plus+and space", "n/per%20cent", "n/ümläut-データ", "n/a=1&b=2"];
      for (const name of names) await storage.write(name, bytesOf(name));
      for (const name of names) expect(text(await storage.read(name))).toBe(name);
      const listed: string[] = [];
      for await (const path of storage.list("n")) listed.push(path);
      expect(listed.toSorted()).toEqual(names.toSorted());
    });

    test("a file in pieces appears only when closed, and an aborted one leaves nothing", async () => {
      const file = await storage.create("x/part");
      const piece = Buffer.from("one ");
      await file.write(piece);
      piece.fill(0);
      await file.write(bytesOf("two"));
      expect(await storage.exists("x/part")).toBe(false);
      await file.close();
      expect(text(await storage.read("x/part"))).toBe("one two");
      await expect(file.write(piece)).rejects.toThrow("closed");
      const other = await storage.create("x/other");
      await other.write(bytesOf("gone"));
      await other.abort();
      expect(await storage.exists("x/other")).toBe(false);
    });

    test("a large file goes in many pieces and comes back byte for byte", async () => {
      const bytes = Buffer.alloc(subject.largeBytes);
      for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE((i * 2_654_435_761) >>> 0, i - (i + 4 > bytes.length ? 4 : 0));
      const file = await storage.create("x/large");
      for (let from = 0; from < bytes.length; from += 1_000_003) await file.write(bytes.subarray(from, from + 1_000_003));
      expect(await storage.exists("x/large")).toBe(false);
      await file.close();
      expect(await storage.sizeBytes("x/large")).toBe(bytes.length);
      expect(Buffer.compare(await storage.read("x/large"), bytes)).toBe(0);
      const middle = bytes.length >> 1;
      expect(Buffer.compare(await storage.readRange("x/large", middle, middle + 77), bytes.subarray(middle, middle + 77))).toBe(0);
      const late = await storage.create("x/large");
      await late.write(bytes);
      await expect(late.close()).rejects.toMatchObject({ code: "FILE_EXISTS" });
      const aborted = await storage.create("x/aborted");
      await aborted.write(bytes);
      await aborted.abort();
      expect(await storage.exists("x/aborted")).toBe(false);
    });

    test("nothing is overwritten: of eight writers of one path one wins, and its bytes stay", async () => {
      const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => storage.write("race", bytesOf(`writer ${i}`))));
      const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
      expect(winners).toHaveLength(1);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "FILE_EXISTS" });
      expect(text(await storage.read("race"))).toBe(`writer ${winners[0]}`);
    });

    test("missing files are NOT_FOUND, deleting one is no fault", async () => {
      await expect(storage.read("no")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(storage.readRange("no", 0, 1)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(storage.sizeBytes("no")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await storage.delete("no");
      await storage.write("yes", bytesOf("1"));
      await storage.delete("yes");
      expect(await storage.exists("yes")).toBe(false);
      await storage.write("yes", bytesOf("2"));
      expect(text(await storage.read("yes"))).toBe("2");
    });

    test("lists deep, in name order, with sizes and times, without unfinished files", async () => {
      const before = Date.now();
      for (const path of ["t/b/2", "t/a", "t/b/1", "t2/z"]) await storage.write(path, bytesOf(path));
      const open = await storage.create("t/b/3");
      await open.write(bytesOf("open"));
      const listed: string[] = [];
      for await (const path of storage.list("t")) listed.push(path);
      expect(listed).toEqual(["t/a", "t/b/1", "t/b/2"]);
      for await (const file of storage.files("t")) {
        expect(file.bytes).toBe(file.path.length);
        // Services tell times in whole seconds.
        expect(file.writtenAtMs).toBeGreaterThan(before - 2000);
        expect(file.writtenAtMs).toBeLessThan(Date.now() + 2000);
      }
      for await (const path of storage.list("nothing")) listed.push(path);
      expect(listed).toHaveLength(3);
      await open.abort();
    });

    test("paths never leave the root", async () => {
      for (const path of ["../x", "/etc/passwd", "a//b", "a/../../b", "", ".", "a/\0"]) {
        await expect(async () => storage.read(path)).rejects.toThrow("not a path inside a storage");
        await expect(async () => storage.write(path, bytesOf("x"))).rejects.toThrow("not a path inside a storage");
      }
    });
  });
}
