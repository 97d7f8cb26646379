import { describe, expect, it } from "vitest";
import { currentSchema } from "../../../src/adapters/iceberg/table-metadata.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { commitDeletes } from "./delete-files.ts";
import { collect, commitNext, scratchFolder, startedWith } from "./lake-fixture.ts";
import { odcs, past } from "./odcs-fixture.ts";
import { loadBoth } from "./table-content.ts";

const v3 = "{ formatVersion: 3 }";
const first = ["{ name: id, logicalType: integer, required: true }"];
/** Columns with defaults of every plain type, required ones; each with what rows that came before must have. */
const later: readonly (readonly [property: string, value: string, seen: unknown])[] = [
  ["name: flag, logicalType: boolean", "true", true],
  ["name: small, logicalType: integer, physicalType: int", "-7", -7],
  ["name: big, logicalType: integer", "9223372036854775807", "9223372036854775807"],
  ["name: real, logicalType: number, physicalType: float", "1.5", 1.5],
  ["name: wide, logicalType: number", "-0.1", -0.1],
  ['name: price, logicalType: number, physicalType: "decimal(20, 2)"', "1234567890123456.5", "1234567890123456.50"],
  ["name: day, logicalType: date", '"1969-12-31"', "1969-12-31"],
  ["name: moment, logicalType: timestamp", '"2026-03-01T01:00:00.000001Z"', "2026-03-01T01:00:00.000001+00:00"],
  ["name: clock, logicalType: time", '"23:59:59.5"', "23:59:59.500000"],
  ["name: text, logicalType: string", '"größe \\"x\\""', 'größe "x"'],
];
const second = [
  ...first,
  ...later.map(([property, value]) => `{ ${property}, required: true, ${past(`{ default: ${value} }`)} }`),
  `{ name: note, logicalType: string, ${past("{ default: none }")} }`,
];
const defaults = Object.fromEntries([
  ...later.map(([property, , seen]) => [/name: (\w+)/.exec(property)?.[1] as string, seen]),
  ["note", "none"],
]);

const readers = `${duckdbWithIceberg}
import sys, json, datetime, decimal
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
t = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false").load_table("db.orders")
def plain(v):
    if isinstance(v, decimal.Decimal): return format(v, "f")
    if isinstance(v, datetime.datetime): return (v if v.tzinfo else v.replace(tzinfo=datetime.timezone.utc)).astimezone(datetime.timezone.utc).isoformat()
    if isinstance(v, datetime.date): return v.isoformat()
    if isinstance(v, int) and abs(v) > 2**53: return str(v)
    return v
def rows(names, values): return [{k: plain(v) for k, v in zip(names, row) if not k.startswith("_sluice")} for row in values]
arrow = t.scan().to_arrow().sort_by("id")
duck.sql("set timezone = 'UTC'")
try:
    found = duck.sql(f"select * exclude (_sluice_timestamp) replace (timezone('UTC', moment) as moment) from iceberg_scan('{t.metadata_location}') order by id")
    ours = rows(found.columns, found.fetchall())
except duckdb.Error as error: ours = str(error).splitlines()[0]
print(json.dumps({"py": rows(arrow.column_names, zip(*[arrow[n].to_pylist() for n in arrow.column_names])), "duck": ours}))
`;

const full =
  '{"id":3,"flag":false,"small":1,"big":2,"real":3,"wide":4,"price":5.25,"day":"2026-01-01","moment":"2026-01-01T00:00:00Z","clock":"01:02:03","text":"t"}';

describe("default values of version 3", () => {
  it.skipIf(!pythonHere)(
    "are what earlier rows have in required columns, for other programs and for our own readers",
    { timeout: 900_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const one = await odcs(1, first, v3);
      const lake = await startedWith(scratch.folder, one);
      await commitNext(lake, one, ['{"id":1}', '{"id":2}']);
      const two = await odcs(2, second, v3);
      await lake.activate(two);
      const { promoted } = await loadBoth(scratch.folder, "orders");
      const fields = currentSchema(promoted).fields.filter(({ name }) => !name.startsWith("_") && name !== "id");
      expect(fields.map(({ name, required }) => [name, required])).toEqual(Object.keys(defaults).map((name) => [name, name !== "note"]));
      // The same contract again changes nothing.
      await lake.activate(two);
      expect((await loadBoth(scratch.folder, "orders")).promoted["schemas"]).toHaveLength(promoted.schemas.length);
      await commitNext(lake, two, [full]);

      const seen = JSON.parse(await runPython(python, readers, [scratch.folder])) as { py: object[]; duck: unknown };
      const own = { ...JSON.parse(full), price: "5.25", moment: "2026-01-01T00:00:00+00:00", clock: "01:02:03", note: null };
      const rows = [{ id: 1, ...defaults }, { id: 2, ...defaults }, own];
      expect(seen.py).toEqual(rows);
      expect(seen.duck).toEqual(rows);

      // Times of day are not compared.
      const compared = two.fields.filter(({ name }) => name !== "clock");
      const columns = await collect(lake.promotedColumns("orders", compared, { after: 0n, held: false }));
      const old = columns[0]?.columns ?? [];
      const cells = Object.fromEntries(
        old.map((column) => {
          if (column.kind === "integer") return [column.field.name, column.exact[1]];
          if (column.kind === "bytes")
            return [
              column.field.name,
              Buffer.from(column.bytes.subarray(column.starts[1], (column.starts[1] ?? 0) + (column.lengths[1] ?? 0))).toString(),
            ];
          if (column.kind === "decimal")
            return [column.field.name, BigInt(column.unscaled[4] ?? 0) | (BigInt(column.unscaled[5] ?? 0) << 32n)];
          return [column.field.name, column.kind === "boolean" || column.kind === "float" ? column.values[1] : null];
        }),
      );
      expect(cells).toEqual({
        id: 2n,
        flag: 1,
        small: -7n,
        big: 2n ** 63n - 1n,
        real: 1.5,
        wide: -0.1,
        price: 123_456_789_012_345_650n,
        day: -1n,
        moment: 1_772_326_800_000_001n,
        text: 'größe "x"',
        note: "none",
      });
      const { columns: counted } = await lake.maintenance.describe("orders");
      expect(
        Object.fromEntries(counted.filter(({ name }) => !name.startsWith("_")).map((each) => [each.name, each.distinct])),
      ).toMatchObject({ flag: 2, big: 2, text: 2, note: 1, price: 2 });
      // Deletes by a value that older files only have by default.
      const text = fields.find(({ name }) => name === "text")?.id as number;
      await commitDeletes(python, scratch.folder, [
        { kind: "values", name: "e.parquet", columns: [{ id: text, name: "text", type: "string", values: ['größe "x"'] }] },
      ]);
      const left = await collect(lake.promotedColumns("orders", two.fields.slice(0, 1), { after: 0n, held: false }));
      expect(left.flatMap(({ columns: [id] }) => (id?.kind === "integer" ? [...id.exact] : []))).toEqual([3n]);
      await lake.close();
    },
  );

  it("stay what they were, and are refused where the column or the table can't have them", async () => {
    using scratch = scratchFolder();
    const lake = await startedWith(scratch.folder, await odcs(1, first, v3));
    await commitNext(lake, await odcs(1, first, v3), ['{"id":1}']);
    const column = (value: string): string => `{ name: n, logicalType: integer, required: true, ${past(`{ default: ${value} }`)} }`;
    await lake.activate(await odcs(2, [...first, column("5")], v3));
    await lake.activate(await odcs(3, [...first, column("6")], v3));
    const last = await odcs(4, [...first, "{ name: n, logicalType: integer, required: true }"], v3);
    await lake.activate(last);
    const { promoted } = await loadBoth(scratch.folder, "orders");
    expect(currentSchema(promoted).fields[1]).toMatchObject({ name: "n", required: true, "initial-default": 5, "write-default": 6 });
    await commitNext(lake, last, ['{"id":2,"n":9}']);
    const numbers = async (): Promise<unknown> => {
      const found = await collect(lake.promotedColumns("orders", last.fields.slice(1), { after: 0n, held: false }));
      return found.map(({ columns: [n] }) => (n?.kind === "integer" ? [...n.exact] : null));
    };
    expect(await numbers()).toEqual([[5n], [9n]]);
    // A file that is written anew holds what was only said of it before.
    const [compacted] = await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
    expect([compacted?.filesBefore, compacted?.filesAfter]).toEqual([2, 1]);
    expect(await numbers()).toEqual([[5n, 9n]]);
    await lake.close();
    const refused: readonly (readonly [string, string, RegExp])[] = [
      [column("5"), "{ formatVersion: 2 }", /take Iceberg's format version 3/],
      [column("5"), "{}", /take Iceberg's format version 3/],
      [column("1.5"), v3, /whole numbers that fit long/],
      [column("9223372036854775808"), v3, /whole numbers that fit long/],
      [column("null"), v3, /can't stand in the column/],
      [column("x"), v3, /can't stand in the column/],
      [`{ name: n, logicalType: integer, ${past("{ default: 1, earlierRows: empty }")} }`, v3, /not both/],
      [`{ name: d, logicalType: number, physicalType: "decimal(4, 2)", ${past("{ default: 123.4 }")} }`, v3, /at most 4 digits/],
      [`{ name: d, logicalType: date, ${past('{ default: "2026-02-30" }')} }`, v3, /a date such as/],
      [
        `{ name: o, logicalType: object, properties: [{ name: n, logicalType: integer, ${past("{ default: 1 }")} }] }`,
        v3,
        /only columns at the top/,
      ],
    ];
    for (const [property, settings, words] of refused)
      await expect(odcs(2, [...first, property], settings), property).rejects.toThrow(words);
  });
});
