import { describe, expect, it } from "vitest";
import type { Contract } from "../../../src/core/contract.ts";
import type { DocumentError } from "../../../src/core/errors.ts";
import type { Lake } from "../../../src/core/ports.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { commitNext, makeWindow, scratchFolder, startedWith } from "./lake-fixture.ts";
import { odcs, past } from "./odcs-fixture.ts";

async function promote(lake: Lake, contract: Contract, rows: readonly object[]): Promise<void> {
  // Decimals beyond doubles are given as text.
  const values = rows.map((row) => JSON.stringify(row).replace(/"total":"([^"]+)"/, '"total":$1'));
  await commitNext(lake, contract, values);
}

const first = [
  "{ name: id, logicalType: integer, physicalType: int, required: true }",
  "{ name: price, logicalType: number, physicalType: float }",
  '{ name: total, logicalType: number, physicalType: "decimal(9,2)" }',
  "{ name: note, logicalType: string }",
  "{ name: gone, logicalType: string, required: true }",
  "{ name: place, logicalType: object, properties: [{ name: city, logicalType: string }, { name: zip, logicalType: integer, physicalType: int }] }",
  "{ name: items, logicalType: array, items: { logicalType: object, properties: [{ name: sku, logicalType: string }, { name: n, logicalType: integer, physicalType: int }] } }",
];

const second = [
  `{ name: remark, logicalType: string, ${past("{ previousName: note }")} }`,
  "{ name: id, logicalType: integer, required: true }",
  "{ name: price, logicalType: number }",
  '{ name: total, logicalType: number, physicalType: "decimal(20,2)" }',
  `{ name: place, logicalType: object, properties: [{ name: zip, logicalType: integer }, { name: town, logicalType: string, ${past("{ previousName: [village, city] }")} }, { name: country, logicalType: string }] }`,
  `{ name: items, logicalType: array, items: { logicalType: object, properties: [{ name: article, logicalType: string, ${past("{ previousName: sku }")} }, { name: n, logicalType: integer }] } }`,
  `{ name: added, logicalType: integer, required: true, ${past("{ earlierRows: empty }")} }`,
];

const readers = `${duckdbWithIceberg}
import sys, json, decimal
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import GreaterThanOrEqual
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
t = catalog.load_table("db.orders")
def plain(value):
    if isinstance(value, decimal.Decimal): return format(value, "f")
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items() if not k.startswith("_sluice")}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    return value
windows = [s for s in t.snapshots() if s.summary.additional_properties.get("sluice.change") == "window"]
def py(**at): return plain(t.scan(**at).to_arrow().sort_by("id").to_pylist())
def ddb(sql):
    found = duck.sql(sql)
    return [plain(dict(zip(found.columns, row))) for row in found.fetchall()]
scan = f"select columns(c -> not starts_with(c, '_sluice')) from iceberg_scan('{t.metadata_location}'"
print(json.dumps({
    "py": py(),
    "duck": ddb(f"{scan}) order by id"),
    "then": py(snapshot_id=windows[0].snapshot_id),
    "filtered": [r["id"] for r in py(row_filter=GreaterThanOrEqual("total", decimal.Decimal("100.50")))],
    "wide": [r["id"] for r in py(row_filter="id > 2147483648")] + [r["id"] for r in py(row_filter="id = 2")],
    "renamed": [r["id"] for r in py(row_filter="remark = 'one'")],
    "names": [f.name for f in t.schema().fields],
}))
`;

describe("a table that follows its contract", () => {
  it.skipIf(!pythonHere)(
    "renames, widens, moves, adds and drops columns, nested ones too, and readers find every cell",
    { timeout: 300_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const one = await odcs(1, first);
      const lake = await startedWith(scratch.folder, one);
      await promote(lake, one, [
        {
          id: 1,
          price: 1.5,
          total: "99.50",
          note: "one",
          gone: "x",
          place: { city: "Ulm", zip: 89073 },
          items: [{ sku: "a", n: 2147483647 }, { sku: "b" }],
        },
        { id: 2, price: null, total: "-0.01", note: null, gone: "y", place: null, items: [] },
      ]);
      const before = (await lake.state("orders")).schema;
      const two = await odcs(2, second);
      const { schema } = await lake.activate(two);
      const idOf = (fields: typeof schema.fields, name: string): number | undefined => fields.find((field) => field.name === name)?.id;
      expect(idOf(schema.fields, "remark")).toBe(idOf(before.fields, "note"));
      await promote(lake, two, [
        {
          id: 9007199254740992,
          price: 0.1,
          total: "123456789012345678.90",
          remark: "big",
          place: { town: "Bern", zip: 8589934592, country: "CH" },
          items: [{ article: "c", n: 8589934592 }],
          added: 7,
        },
      ]);
      // The window of a predecessor that was open when the contract changed.
      await lake.commitWindow(
        makeWindow({ id: "w3", from: 3n, values: ['{"id":3,"note":"late","gone":"z"}'], contract: one, schema: before }),
      );
      await lake.activate(await odcs(3, [...second, "{ name: gone, logicalType: string }"]));
      await lake.close();
      const seen = JSON.parse(await runPython(python, readers, [scratch.folder]));
      const row = (cells: object): object => ({ remark: null, price: null, total: null, place: null, added: null, gone: null, ...cells });
      const ulm = { zip: 89073, town: "Ulm", country: null };
      const expected = [
        row({
          id: 1,
          price: 1.5,
          total: "99.50",
          remark: "one",
          place: ulm,
          items: [
            { article: "a", n: 2147483647 },
            { article: "b", n: null },
          ],
        }),
        row({ id: 2, total: "-0.01", items: [] }),
        row({ id: 3, remark: "late", items: null }),
        row({
          id: 9007199254740992,
          price: 0.1,
          total: "123456789012345678.90",
          remark: "big",
          place: { zip: 8589934592, town: "Bern", country: "CH" },
          items: [{ article: "c", n: 8589934592 }],
          added: 7,
        }),
      ] as { readonly items: unknown }[];
      // PyIceberg gives a null list of objects as an empty one.
      expect(seen.py).toEqual(expected.map((each) => ({ ...each, items: each.items ?? [] })));
      expect(seen.duck).toEqual(expected);
      expect(seen.then.map((each: { note: string; gone: string }) => [each.note, each.gone])).toEqual([
        ["one", "x"],
        [null, "y"],
      ]);
      expect(seen.filtered).toEqual([9007199254740992]);
      expect(seen.wide).toEqual([9007199254740992, 2]);
      expect(seen.renamed).toEqual([1]);
      expect(seen.names.slice(0, 8)).toEqual(["remark", "id", "price", "total", "place", "items", "added", "gone"]);
    },
  );

  const refused: readonly (readonly [string, string, string])[] = [
    ["text that becomes a number", "{ name: note, logicalType: integer }", "column note is string in the table, and can't become long"],
    ["a narrower number", "{ name: id, logicalType: integer, physicalType: int }", "column id is long in the table, and can't become int"],
    ["fewer digits", '{ name: total, logicalType: number, physicalType: "decimal(8,2)" }', "column total is decimal(9, 2) in the table"],
    ["another scale", '{ name: total, logicalType: number, physicalType: "decimal(12,3)" }', "column total is decimal(9, 2) in the table"],
    ["a list that becomes a scalar", "{ name: tags, logicalType: string }", "column tags is list in the table, and can't become string"],
    [
      "a scalar that becomes a list",
      "{ name: note, logicalType: array, items: { logicalType: string } }",
      "column note is string in the table, and can't become list",
    ],
    [
      "a required column that earlier rows lack",
      "{ name: fresh, logicalType: integer, required: true }",
      "column fresh is new and required, and the table has rows without it",
    ],
    [
      "a move out of an object",
      `{ name: city, logicalType: string, ${past("{ previousName: place.city }")} }`,
      "a column does not move from one object to another",
    ],
    [
      "a typing error in a name",
      `{ name: remark, logicalType: string, ${past("{ previousName: noot }")} }`,
      "the table has no column noot that remark could have been",
    ],
  ];
  const base = [
    "{ name: id, logicalType: integer }",
    '{ name: total, logicalType: number, physicalType: "decimal(9,2)" }',
    "{ name: note, logicalType: string }",
    "{ name: tags, logicalType: array, items: { logicalType: string } }",
    "{ name: place, logicalType: object, properties: [{ name: city, logicalType: string }] }",
  ];

  it.each(refused)("refuses %s, with its reason and place, and goes on as it was", async (_, property, message) => {
    using scratch = scratchFolder();
    const one = await odcs(1, base);
    const lake = await startedWith(scratch.folder, one);
    await promote(lake, one, [{ id: 1, total: "1.00", note: "n", tags: ["t"], place: { city: "Ulm" } }]);
    const before = await lake.state("orders");
    const name = /name: (\w+)/.exec(property)?.[1] as string;
    const others = base.filter((each) => !each.startsWith(`{ name: ${name},`) && !(name === "remark" && each.includes("note")));
    const two = await odcs(2, [property, ...others]);
    const fault = (await lake.activate(two).catch((error: unknown) => error)) as DocumentError;
    expect(fault.code).toBe("CONTRACT_INVALID");
    expect(fault.message).toContain(message);
    expect(fault.diagnostics[0]?.location).toEqual({ file: "orders.odcs.yaml", line: 11, column: 11 });
    expect(await lake.state("orders")).toEqual(before);
    await promote(lake, one, [{ id: 2 }]);
    await lake.close();
  });

  it("refuses names that could be two columns: what is renamed is never guessed", async () => {
    using scratch = scratchFolder();
    const one = await odcs(1, ["{ name: a, logicalType: integer }", "{ name: b, logicalType: integer }"]);
    const lake = await startedWith(scratch.folder, one);
    const both = await odcs(2, [`{ name: b, logicalType: integer, ${past("{ previousName: a }")} }`]);
    await expect(lake.activate(both)).rejects.toThrow(/has both b and a, its previous name/);
    const twice = await odcs(2, ["{ name: a, logicalType: integer }", `{ name: c, logicalType: integer, ${past("{ previousName: a }")} }`]);
    await expect(lake.activate(twice)).rejects.toThrow(/the contract has a column a too/);
    await lake.close();
  });

  it("keeps what other programs added, and gives a dropped column's name to a new column", async () => {
    using scratch = scratchFolder();
    const one = await odcs(1, ["{ name: a, logicalType: integer }", "{ name: b, logicalType: integer }"]);
    const lake = await startedWith(scratch.folder, one);
    const ids = async (): Promise<[string, number][]> =>
      (await lake.state("orders")).schema.fields.filter(({ name }) => !name.startsWith("_")).map(({ name, id }) => [name, id]);
    expect(await ids()).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    await lake.activate(await odcs(2, ["{ name: a, logicalType: integer }"]));
    expect(await ids()).toEqual([["a", 1]]);
    await lake.activate(await odcs(3, ["{ name: a, logicalType: integer }", "{ name: b, logicalType: string }"]));
    expect(await ids()).toEqual([
      ["a", 1],
      ["b", 7],
    ]);
    await lake.close();
  });
});
