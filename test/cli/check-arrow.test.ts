import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-check-arrow-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = join(folder, "t.odcs.yaml");
const rows = join(folder, "rows.ndjson");
const many = join(folder, "many.ndjson");
/** Enough for engine threads. */
const count = 60_000;
const isGood = (i: number): boolean => i % 7 !== 0;
const line = (i: number): string =>
  JSON.stringify({
    id: isGood(i) ? i : -1,
    kind: i % 2 === 0 ? "even" : "odd",
    note: "n".repeat(i % 90),
    tags: i % 3 === 0 ? null : [`t${i}`],
  });

beforeAll(() => {
  writeFileSync(
    contract,
    `apiVersion: v3.2.0
kind: DataContract
id: t
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - { name: id, logicalType: integer, required: true, logicalTypeOptions: { minimum: 0 } }
      - name: kind
        logicalType: string
        quality: [{ metric: invalidValues, arguments: { validValues: [odd, even] }, mustBe: 0 }]
      - { name: note, logicalType: string }
      - { name: tags, logicalType: array, items: { logicalType: string } }
    customProperties: [{ property: sluice, value: { window: { rows: 25000, bytes: 1 GiB, seconds: 3600 } } }]
`,
  );
  writeFileSync(rows, `${[1, 2, 7, 4].map(line).join("\n")}\n`);
  writeFileSync(many, Array.from({ length: count }, (_, i) => `${line(i)}\n`).join(""));
});

describe("sluice check --arrow", () => {
  it.each(["rows.arrow", "rows.arrows"])("writes the rows that pass as one file, or as a stream: %s", async (name) => {
    const out = join(folder, name);
    const { code } = await sluice(["check", contract, rows, "--arrow", out, "--limit", "0"]);
    expect(code).toBe(3);
    const bytes = readFileSync(out);
    expect(bytes.subarray(0, 6).toString("latin1") === "ARROW1").toBe(name === "rows.arrow");
    const table = tableFromIPC(bytes);
    expect(table.toArray().map((row) => [row.id, row.kind, row.note, row.tags?.toArray() ?? null])).toEqual([
      [1n, "odd", "n", ["t1"]],
      [2n, "even", "nn", ["t2"]],
      [4n, "even", "nnnn", ["t4"]],
    ]);
  });

  it("has a schema where no row passes", async () => {
    const none = join(folder, "none.ndjson");
    writeFileSync(none, "{}\n");
    const out = join(folder, "none.arrow");
    await sluice(["check", contract, none, "--arrow", out]);
    const table = tableFromIPC(readFileSync(out));
    expect([table.numRows, table.schema.names]).toEqual([0, ["id", "kind", "note", "tags"]]);
    expect(String(table.schema.fields[1]?.type)).toBe("Dictionary<Int8, Utf8>");
  });

  it.skipIf(!pythonHere)(
    "writes what engine threads judged, window after window; PyArrow reads it, and check reads it again",
    { timeout: 300_000 },
    async () => {
      const out = join(folder, "many.arrow");
      const parquet = join(folder, "parquet");
      const { code, err } = await sluice(["check", contract, many, "--arrow", out, "--parquet", parquet, "--limit", "0"]);
      expect([code, err]).toEqual([3, ""]);
      const python = (await pythonReaders()) as string;
      const script = `
import sys, json, pyarrow as pa, pyarrow.ipc as ipc, pyarrow.parquet as pq
with pa.memory_map(sys.argv[1]) as source:
    table = ipc.open_file(source).read_all()
table.validate(full=True)
plain = table.set_column(1, "kind", table["kind"].cast(pa.string()))
parquet = pq.read_table(sys.argv[2], columns=table.column_names)
same = all(plain[name].to_pylist() == parquet[name].to_pylist() for name in ("id", "kind", "note", "tags"))
print(json.dumps([table.num_rows, table["id"].to_pylist() == [i for i in range(${count}) if i % 7 != 0], same]))
`;
      const good = Array.from({ length: count }, (_, i) => i).filter(isGood).length;
      expect(JSON.parse(await runPython(python, script, [out, parquet]))).toEqual([good, true, true]);
      const again = JSON.parse((await sluice(["check", contract, out, "--json"])).out) as { records: number; passed: number };
      expect([again.records, again.passed]).toEqual([good, good]);
    },
  );
});
