import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-check-uuids-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = join(folder, "ids.odcs.yaml");
writeFileSync(
  contract,
  `apiVersion: v3.1.0
kind: DataContract
id: ids
version: 1.0.0
status: active
schema:
  - name: ids
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: u, logicalType: string, physicalType: uuid }
`,
);

const make = `
import sys, uuid, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
values = [uuid.UUID(each).bytes for each in sys.argv[2:]] + [None]
uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16)))
table = pa.table({"id": pa.array(range(len(values)), pa.int64()), "u": uuids})
pq.write_table(table, folder + "/ids.parquet")
for name, new in (("ids.arrow", pa.ipc.new_file), ("ids.arrows", pa.ipc.new_stream)):
    with pa.OSFile(folder + "/" + name, "wb") as sink:
        with new(sink, table.schema) as writer: writer.write_table(table)
`;

const read = `
import sys, json, uuid, pyarrow.parquet as pq, pyarrow.ipc as ipc
def cells(table): return [None if each is None else str(uuid.UUID(bytes=each) if isinstance(each, bytes) else each) for each in table["u"].to_pylist()]
with open(sys.argv[2], "rb") as source: arrow = ipc.open_file(source).read_all()
print(json.dumps([cells(pq.read_table(sys.argv[1])), cells(arrow)]))
`;

const ids = ["f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"];

it.skipIf(!pythonHere)("UUIDs of Parquet, Arrow and text go through a check to the same ones, and others fail", async () => {
  const python = (await pythonReaders()) as string;
  await runPython(python, make, [folder, ...ids]);
  const lines = [...ids.map((u, id) => JSON.stringify({ id, u: u.toUpperCase() })), '{"id":3,"u":null}'];
  writeFileSync(join(folder, "ids.ndjson"), `${lines.join("\n")}\n`);
  for (const name of ["ids.parquet", "ids.arrow", "ids.arrows", "ids.ndjson"]) {
    const out = join(folder, `out-${name}`);
    mkdirSync(out);
    const places = [join(out, "passed.parquet"), join(out, "passed.arrow")] as const;
    const checked = await sluice(["check", contract, join(folder, name), "--parquet", places[0], "--arrow", places[1]]);
    expect([name, checked.code, checked.err]).toEqual([name, 0, ""]);
    expect(JSON.parse(await runPython(python, read, [...places]))).toEqual([
      [...ids, null],
      [...ids, null],
    ]);
  }
  writeFileSync(join(folder, "bad.ndjson"), '{"id":1,"u":"f81d4fae7dec41d0a76500a0c91e6bf6"}\n');
  const bad = await sluice(["check", contract, join(folder, "bad.ndjson")]);
  expect(bad.code).toBe(3);
  expect(bad.out).toContain("a UUID such as");
});
