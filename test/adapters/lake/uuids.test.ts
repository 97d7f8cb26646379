import { describe, expect, it } from "vitest";
import { currentSchema } from "../../../src/adapters/iceberg/table-metadata.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Lake } from "../../../src/core/ports.ts";
import type { RulePlan } from "../../../src/core/rule.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { ForeignKeys } from "../../../src/gate/foreign-keys.ts";
import { columnKeys } from "../../../src/rules/deferred/column-keys.ts";
import { makeRecords } from "../../fixtures/contract.ts";
import { pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { commitDeletes } from "./delete-files.ts";
import { collect, commitNext, openLake, scratchFolder, startedWith, textOf } from "./lake-fixture.ts";
import { odcs } from "./odcs-fixture.ts";
import { loadBoth } from "./table-content.ts";

const column = "{ name: u, logicalType: string, physicalType: uuid }";
const id = "{ name: id, logicalType: integer, required: true }";
const [one, two, three] = [
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "0f8fad5b-d9cb-469f-a165-70867728950e",
  // Sixteen letters as bytes, which JSON can bring to Python.
  "61626364-6566-6768-696a-6b6c6d6e6f70",
] as const;
const least = "00000000-0000-0000-0000-000000000000";
const row = (n: number, u: string | null): string => JSON.stringify({ id: n, u });

/** What the table says of `id` and `u`, by id. */
async function cellsOf(lake: Lake, contract: Contract): Promise<(readonly [bigint, string | null])[]> {
  const fields = contract.fields.filter(({ name }) => name === "id" || name === "u");
  const parts = await collect(lake.promotedColumns("orders", fields, { after: 0n, held: false }));
  const cells = parts.flatMap(({ columns, count }) => {
    const [ids, values] = columns;
    if (ids?.kind !== "integer" || values?.kind !== "bytes") throw new Error("columns of other kinds");
    return Array.from({ length: count }, (_, i) => {
      const text = values.state[i] === 0 ? uuidText(values.bytes, values.starts[i]) : null;
      return [ids.exact[i] as bigint, text] as const;
    });
  });
  return cells.toSorted(([a], [b]) => Number(a - b));
}

describe("uuid columns", () => {
  it.skipIf(!pythonHere)("make the buckets that PyIceberg makes, in byte order, without bounds", async () => {
    using scratch = scratchFolder();
    const contract = await odcs(1, [id, column], "{ partitionBy: [{ column: u, transform: bucket(7) }], sortBy: [{ column: u }] }");
    const lake = await startedWith(scratch.folder, contract);
    const texts = Array.from(
      { length: 40 },
      (_, i) => `${((i * 2654435761) >>> 0).toString(16).padStart(8, "0")}-0000-4000-8000-${String(i).padStart(12, "0")}`,
    );
    await commitNext(lake, contract, [...texts.map((u, i) => row(i, u)), row(40, null)]);
    await lake.close();
    const script = `
import sys, json, uuid, pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
t = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false").load_table("db.orders")
field = t.schema().find_field("u")
wrong, files, sorted_all, bounds = [], 0, True, 0
for task in t.scan().plan_files():
    files += 1
    transform = t.specs()[task.file.spec_id].fields[0].transform.transform(field.field_type)
    read = [None if v is None else uuid.UUID(bytes=v) if isinstance(v, bytes) else v for v in pq.read_table(task.file.file_path.replace("file://", ""))["u"].to_pylist()]
    if {transform(v) for v in read} != {task.file.partition[0]}: wrong.append(str(task.file.partition[0]))
    if [v for v in read if v] != sorted(v for v in read if v): sorted_all = False
    bounds += sum(field.field_id in each for each in (task.file.lower_bounds, task.file.upper_bounds))
print(json.dumps({"wrong": wrong, "files": files, "sorted": sorted_all, "bounds": bounds, "rows": t.scan().to_arrow().num_rows, "one": t.scan(row_filter="u == '00000000-0000-4000-8000-000000000000'").to_arrow()["id"].to_pylist()}))
`;
    expect(JSON.parse(await runPython((await pythonReaders()) as string, script, [scratch.folder]))).toEqual({
      wrong: [],
      files: 8,
      sorted: true,
      bounds: 0,
      rows: 41,
      one: [0],
    });
  });

  it("are erased by text of either case, in tables, quarantine and what was decided", async () => {
    using scratch = scratchFolder();
    const contract = await odcs(1, [id, column]);
    const lake = await startedWith(scratch.folder, contract);
    await commitNext(lake, contract, [row(1, one), row(2, two.toUpperCase()), row(3, one.toUpperCase()), row(4, null)]);
    await commitNext(lake, contract, [row(5, two.toUpperCase()), row(6, three)], { rejected: [0] });
    const erase = (value: string): Promise<unknown> =>
      lake.maintenance.erase("orders", { target: { kind: "column", column: "u", value }, author: "ann", reason: "asked" });
    await expect(erase(one.replaceAll("-", ""))).rejects.toMatchObject({ code: "ERASURE_REFUSED" });
    expect((await collect(lake.quarantined("orders", {}))).map(textOf)).toEqual([row(5, two.toUpperCase())]);
    await erase(one.toUpperCase());
    expect(await cellsOf(lake, contract)).toEqual([
      [2n, two],
      [4n, null],
      [6n, three],
    ]);
    await erase(two);
    expect(await cellsOf(lake, contract)).toEqual([
      [4n, null],
      [6n, three],
    ]);
    expect((await collect(lake.quarantined("orders", {}))).map(textOf)).toEqual([]);
    await lake.close();
  });

  it("have defaults in earlier rows, are deleted by value, counted, and stay where files are put together", async () => {
    using scratch = scratchFolder();
    const plain = await odcs(1, [id], "{ formatVersion: 3 }");
    const lake = await startedWith(scratch.folder, plain);
    for (const n of [1, 2]) await commitNext(lake, plain, [`{"id":${n}}`]);
    const value = `customProperties: [{ property: sluice, value: { default: ${three.toUpperCase()} } }]`;
    const grown = await odcs(
      2,
      [id, `{ name: u, logicalType: string, physicalType: uuid, required: true, ${value} }`],
      "{ formatVersion: 3, sortBy: [{ column: u }] }",
    );
    await lake.activate(grown);
    const { promoted } = await loadBoth(scratch.folder, "orders");
    const field = currentSchema(promoted).fields.find(({ name }) => name === "u");
    expect(field).toMatchObject({ type: "uuid", required: true, "initial-default": three });
    for (const [n, u] of [one, least, three, two].entries()) await commitNext(lake, grown, [row(n + 3, u)]);
    const all = [three, three, one, least, three, two];
    expect(await cellsOf(lake, grown)).toEqual(all.map((u, n) => [BigInt(n + 1), u]));
    const { columns } = await lake.maintenance.describe("orders");
    expect(columns.find(({ name }) => name === "u")?.distinct).toBe(4);
    const compacted = await lake.maintenance.compact("orders", { fileBytesTarget: 2 ** 20, filesMin: 2 }, false);
    expect(compacted[0]?.filesAfter).toBe(1);
    expect(await cellsOf(lake, grown)).toEqual(all.map((u, n) => [BigInt(n + 1), u]));
    if (pythonHere) {
      const deleted = [{ id: field?.id as number, name: "u", type: "binary", values: ["abcdefghijklmnop", "ABCDEFGHIJKLMNOP"] }];
      await commitDeletes((await pythonReaders()) as string, scratch.folder, [{ kind: "values", name: "e.parquet", columns: deleted }]);
      expect((await cellsOf(lake, grown)).map(([n]) => n)).toEqual([3n, 4n, 6n]);
    }
    await lake.close();
  });

  it("are keys of other datasets, however records write them", async () => {
    using scratch = scratchFolder();
    const contract = await odcs(1, [id, column]);
    const lake = await startedWith(scratch.folder, contract);
    await commitNext(lake, contract, [row(1, one), row(2, two.toUpperCase()), row(3, null)]);
    const field = contract.fields[1] as (typeof contract.fields)[number];
    const texts = [one.toUpperCase(), two, three, null];
    const batch = jsonCodec.compile(contract)(makeRecords(texts.map((u, n) => row(n, u))));
    const { keys, rows } = columnKeys(batch.columns.slice(1), batch.rows);
    const plan = { id: "known", check: { family: "foreignKey", dataset: "orders", column: "u" } } as unknown as RulePlan;
    const { rows: missing } = await new ForeignKeys(lake).offenders(plan, field, { rule: 0, rows, keys });
    expect([...missing]).toEqual([2]);
    await lake.close();
  });

  it("do not come of text, by another contract or by another version of Sluice, nor text of them", async () => {
    using scratch = scratchFolder();
    const text = await odcs(1, [id, "{ name: u, logicalType: string, logicalTypeOptions: { format: uuid } }"]);
    const lake = await startedWith(scratch.folder, text);
    await commitNext(lake, text, [row(1, one)]);
    const bits = await odcs(2, [id, column]);
    await expect(lake.activate(bits)).rejects.toMatchObject({
      code: "CONTRACT_INVALID",
      message: expect.stringContaining("column u is string in the table, and can't become uuid"),
    });
    await lake.close();
    // What the same contract said when `physicalType: uuid` was text.
    const again = await openLake(scratch.folder);
    await expect(again.activate({ ...bits, hash: text.hash })).rejects.toMatchObject({
      code: "CONTRACT_INVALID",
      message: expect.stringContaining("column u is string in the table, which this contract made, and can't become uuid"),
    });
    const asked = collect(again.promotedColumns("orders", bits.fields.slice(1), { after: 0n, held: false }));
    await expect(asked).rejects.toMatchObject({
      code: "CONTRACT_INVALID",
      message: "orders.u is a string, not a uuid: they are not compared",
    });
    await again.close();
  });
});
