import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-check-outputs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = join(folder, "t.odcs.yaml");
writeFileSync(
  contract,
  "apiVersion: v3.2.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    properties: [{ name: id, logicalType: integer }]\n",
);
const rows = join(folder, "rows.ndjson");
writeFileSync(rows, '{"id":1}\n{"id":"x"}\n{"id":"y"}\n');

const nowhere = join(folder, "none", "out");
const places = [
  ["--failures", nowhere] as const,
  ["--profile", nowhere] as const,
  ["--arrow", nowhere] as const,
  ["--parquet", rows] as const,
];
// A disk without room, where the system has one.
const full = existsSync("/dev/full")
  ? (["--failures", "--profile", "--arrow"] as const).map((option) => [option, "/dev/full"] as const)
  : [];

it.each([...places, ...full])("a place that can't be written is told as that, not as a bug: %s", async (option, path) => {
  const { code, err } = await sluice(["check", contract, rows, option, path]);
  expect(code).toBe(1);
  expect(err).toMatch(new RegExp(`^error: cannot write ${path}: E.* \\[FILE_UNWRITABLE\\]\nCheck that the folder is there`));
});

it("failing rows are written over what the file had", async () => {
  const failures = join(folder, "failures.ndjson");
  writeFileSync(failures, "something longer than what comes\n".repeat(100));
  expect((await sluice(["check", contract, rows, "--failures", failures, "--limit", "0"])).code).toBe(3);
  const lines = readFileSync(failures, "utf8").trimEnd().split("\n");
  expect(lines.map((each) => (JSON.parse(each) as { line: number }).line)).toEqual([2, 3]);
});
