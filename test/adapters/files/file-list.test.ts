import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listInputFiles } from "../../../src/adapters/files/file-list.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-files-"));
  mkdirSync(join(folder, "day"));
  for (const name of ["b.ndjson.gz", "a.json", "_SUCCESS", ".hidden", "day/c.feather"]) writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "one.msgpack"), "");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("names say what files are, and the format does whatever their names", async () => {
  const given = [join(folder, "day"), join(folder, "b.ndjson.gz"), join(folder, "a.json")];
  expect(await listInputFiles(given)).toEqual([
    { path: join(folder, "day", "c.feather"), format: "arrow", compression: null },
    { path: join(folder, "b.ndjson.gz"), format: "ndjson", compression: "gzip" },
    { path: join(folder, "a.json"), format: "ndjson", compression: null },
  ]);
  expect((await listInputFiles([folder], "raw")).map(({ path, format }) => [path.slice(folder.length + 1), format])).toEqual([
    ["a.json", "raw"],
    ["b.ndjson.gz", "raw"],
    ["day/c.feather", "raw"],
    ["one.msgpack", "raw"],
  ]);
});

it("a file of another name is not passed over: what to do about it is said", async () => {
  await expect(listInputFiles([folder])).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringMatching(/one\.msgpack does not say its format: .*MessagePack.*read with the format raw$/) as string,
  });
  await expect(listInputFiles([join(folder, "none.json")])).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});
