import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openLake } from "../../src/cli/session.ts";
import type { ColumnDiff, VersionDiff } from "../../src/cli/version-diff.ts";
import { diffVersions } from "../../src/cli/version-diff.ts";
import { loadConfig } from "../../src/config/config.ts";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-diff-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, "sluice.yaml");
const contract = join(folder, "orders.odcs.yaml");

async function command(...args: string[]): Promise<string> {
  const { code, out, err } = await sluice([...args, "--config", config]);
  expect(code, err + out).toBe(0);
  return out;
}
/** What `sluice diff` would print as JSON, without a process for each. */
async function diff(a: string, b: string, isRead: boolean): Promise<VersionDiff> {
  const { config: loaded } = loadConfig(config, {});
  const lake = await openLake(loaded, () => {});
  try {
    return await diffVersions(lake, "orders", a, b, isRead);
  } finally {
    await lake.close();
  }
}

async function deliver(name: string, ids: readonly number[], amount: number): Promise<void> {
  const lines = ids.map(
    (id) => `{"id": ${id}, "customer": "c${id}", "amount": ${amount}, "placed_at": "2024-01-01T00:00:0${id}Z", "tags": ["a"]}\n`,
  );
  writeFileSync(join(folder, "input", name), lines.join(""));
  await command("run");
}

const experiment = `
import sys, datetime, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
table = catalog.load_table("sluice.orders")
at = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
rows = [{"id": 100 + i, "customer": None, "amount": 1000.0, "placed_at": at, "tags": ["b"], "_sluice_source": "hand", "_sluice_partition": 0, "_sluice_offset": i, "_sluice_timestamp": None} for i in range(3)]
table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()), branch="exp/a")
`;

it.skipIf(!pythonHere)("a branch that PyIceberg wrote is compared column by column, by the rows themselves", async () => {
  const python = (await pythonReaders()) as string;
  mkdirSync(join(folder, "input"));
  const text = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
  const first = `${text}      - { name: tags, logicalType: array, items: { logicalType: string } }\n`;
  writeFileSync(contract, first);
  writeFileSync(
    config,
    "lake: { folder: lake }\nsource: { kind: files, paths: [input] }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n",
  );
  await deliver("1.ndjson", [1, 2, 3], 10);
  await command("tag", "create", "v1");
  await command("branch", "create", "exp/a", "--from", "v1");
  await runPython(python, experiment, [join(folder, "lake")]);

  // By what windows left behind there is nothing to be seen, and that is said.
  const blind = await command("diff", "v1", "exp/a");
  expect(blind).toContain("+ 3 rows; 1 files");
  expect(blind).toContain("no difference that profiles show");
  expect(blind).toContain("--read reads the rows");
  const seen = await diff("v1", "exp/a", true);
  expect([seen.added.rows, seen.profile.a.rows, seen.profile.b.rows, seen.profile.added.rows]).toEqual([3n, 3, 6, 3]);
  expect(seen.profile.unread).toEqual(["tags"]);
  const column = (found: VersionDiff, path: string): ColumnDiff => found.profile.columns.find((each) => each.path === path)!;
  expect(column(seen, "amount")).toMatchObject({
    a: { mean: 10, distinct: 1 },
    b: { mean: 505, count: 6 },
    added: { mean: 1000, count: 3 },
  });
  expect(column(seen, "customer")).toMatchObject({
    a: { nulls: 0, distinct: 3 },
    b: { nulls: 3, distinct: 3 },
    added: { nulls: 3, distinct: 0 },
  });
  expect(column(seen, "placed_at").b?.max).toBe("2024-05-01T00:00:00Z");
  expect(column(seen, "tags")).toBeUndefined();
  const shown = await command("diff", "v1", "exp/a", "--read");
  expect(shown).toContain("amount: distinct 1 -> 2 (added: 1), mean 10 -> 505 (added: 1000)");
  expect(shown).toContain("by the rows themselves: A 3, B 6; not read: tags");

  // Of versions that are windows alone, both ways say the same.
  await deliver("2.ndjson", [4, 5], 30);
  const [stored, read] = [await diff("v1", "main", false), await diff("v1", "main", true)];
  const flat = stored.profile.columns.filter(({ path }) => !path.startsWith("tags"));
  expect(read.profile.columns).toEqual(flat);
  expect(read.profile.columns.map(({ path }) => path)).toEqual(["id", "customer", "amount", "placed_at"]);

  // A column that is called otherwise now is read under both of its names.
  const renamed = first
    .replace("- name: customer\n", "- name: client\n        customProperties: [{ property: sluice, value: { previousName: customer } }]\n")
    .replace("version: 1.0.0", "version: 1.1.0");
  writeFileSync(contract, renamed);
  await command("run");
  const across = await diff("v1", "main", true);
  expect([across.profile.a.rows, across.profile.b.rows]).toEqual([3, 5]);
  expect(column(across, "customer")).toMatchObject({ a: { distinct: 3 }, b: null });
  expect(column(across, "client")).toMatchObject({ a: null, b: { distinct: 5, count: 5 }, added: { distinct: 2 } });
});
