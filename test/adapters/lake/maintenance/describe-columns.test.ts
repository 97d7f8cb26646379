import { describe, expect, it } from "vitest";
import type { Contract } from "../../../../src/core/contract.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import { decodePuffin } from "../../../../src/adapters/iceberg/puffin-file.ts";
import { pathOfUri } from "../../../../src/adapters/iceberg/storage-path.ts";
import { createLocalStorage } from "../../../../src/adapters/storage/local-storage.ts";
import { pythonHere, pythonReaders, pythonSketches, runPython } from "../../../live/harness/python-readers.ts";
import { commitDeletes } from "../delete-files.ts";
import { makeWindow, row, scratchFolder, startedLake, startedWith } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { loadBoth } from "../table-content.ts";

const distinct = async (lake: Lake): Promise<unknown> => {
  const { snapshotId, isCurrent, filesRead, files, columns } = await lake.maintenance.describe("orders");
  const counts = Object.fromEntries(columns.filter(({ name }) => !name.startsWith("_")).map((each) => [each.name, each.distinct]));
  return { isThere: snapshotId !== null, isCurrent, filesRead, files, ...counts };
};
const found = (filesRead: number, files: number, counts: object): object => ({
  isThere: true,
  isCurrent: false,
  filesRead,
  files,
  ...counts,
});

async function blobs(folder: string): Promise<ReturnType<typeof decodePuffin>> {
  const { promoted } = await loadBoth(folder, "orders");
  const statistics = promoted.statistics?.find((each) => each["snapshot-id"] === promoted.refs["main"]?.["snapshot-id"]);
  const storage = createLocalStorage(folder);
  return decodePuffin(await storage.read(pathOfUri(storage, statistics?.["statistics-path"] ?? "")));
}

describe("distinct values of main's columns", () => {
  it("are counted once a file: appends and compactions add to what was counted, and nothing is read twice", async () => {
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    expect(await distinct(lake)).toEqual({ isThere: false, isCurrent: false, filesRead: 0, files: 0 });
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), row(2), '{"n":3}'] }));
    await lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(2, "other"), row(4)] }));
    expect(await distinct(lake)).toEqual(found(2, 2, { n: 4, s: 4 }));
    expect(await distinct(lake)).toEqual({ isThere: true, isCurrent: true, filesRead: 0, files: 0 });
    await lake.commitWindow(makeWindow({ id: "w3", from: 6n, values: [row(5), row(1)] }));
    expect(await distinct(lake)).toEqual(found(1, 3, { n: 5, s: 5 }));
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
    expect(await distinct(lake)).toEqual(found(0, 1, { n: 5, s: 5 }));
    // A window came between: the file that took its place and that of counted ones is read.
    await lake.commitWindow(makeWindow({ id: "w4", from: 8n, values: [row(6, "a long enough text")] }));
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
    expect(await distinct(lake)).toEqual(found(1, 1, { n: 6, s: 6 }));
    // Rows went: a union with what was counted before would still have them.
    await lake.maintenance.erase("orders", {
      target: { kind: "column", column: "s", value: "a long enough text" },
      author: "ann",
      reason: "asked",
    });
    expect(await distinct(lake)).toEqual(found(1, 1, { n: 5, s: 5 }));
    const { promoted } = await loadBoth(scratch.folder, "orders");
    const described = promoted.statistics?.at(-1);
    expect(described?.["blob-metadata"]?.map(({ fields, properties }) => [fields, properties])).toContainEqual([
      [1],
      { ndv: "5", "sluice.type": "long" },
    ]);
    await lake.close();
  });

  it("are counted anew after a widening, and stand beside the window's own statistics", async () => {
    using scratch = scratchFolder();
    const first = await odcs(1, ["{ name: n, logicalType: integer, physicalType: int }"], "{ statistics: window }");
    const lake = await startedWith(scratch.folder, first);
    const commit = async (contract: Contract, from: number): Promise<void> => {
      const { schema, layout } = await lake.state("orders");
      await lake.commitWindow(
        makeWindow({ id: `w${from}`, from: BigInt(from), values: ['{"n":7}', '{"n":-1}'], contract, schema, layout }),
      );
    };
    await commit(first, 0);
    expect(await distinct(lake)).toEqual(found(1, 1, { n: 2 }));
    const second = await odcs(2, ["{ name: n, logicalType: integer }"], "{ statistics: window }");
    await lake.activate(second);
    await commit(second, 2);
    expect(await distinct(lake)).toEqual(found(2, 2, { n: 2 }));
    await lake.close();
  });

  it.skipIf(!pythonHere)(
    "leave out rows that delete files take, and are Apache DataSketches' sketches of the same bytes",
    { timeout: 900_000 },
    async (context) => {
      const [python, sketches] = [(await pythonReaders()) as string, await pythonSketches()];
      if (sketches === null) return context.skip();
      using scratch = scratchFolder();
      const columns = [
        "{ name: n, logicalType: integer, physicalType: int }",
        "{ name: big, logicalType: integer }",
        "{ name: flag, logicalType: boolean }",
        "{ name: real, logicalType: number, physicalType: float }",
        "{ name: wide, logicalType: number, physicalType: double }",
        '{ name: price, logicalType: number, physicalType: "decimal(20, 2)" }',
        "{ name: day, logicalType: date }",
        "{ name: at, logicalType: timestamp }",
        "{ name: s, logicalType: string }",
      ];
      const contract = await odcs(1, columns, "{ formatVersion: 3 }");
      const lake = await startedWith(scratch.folder, contract);
      const { schema, layout } = await lake.state("orders");
      const line = (i: number): string =>
        JSON.stringify({
          n: i - 5,
          big: 2 ** 40 + i,
          flag: i % 2 === 0,
          real: i / 4,
          wide: i / 3,
          day: `2026-01-${10 + (i % 9)}`,
          at: `2026-01-01T00:00:0${i % 10}Z`,
          s: i === 3 ? "" : `text ${i}`,
        }).replace(/}$/, `,"price":${i - 200}.25}`);
      const values = Array.from({ length: 400 }, (_, i) => line(i));
      await lake.commitWindow(makeWindow({ id: "w", from: 0n, values: [...values, "{}"], contract, schema, layout }));
      const file = (await lake.traces.findRow("orders", { topicId: "topic-a", partition: 0, offset: 0n }))[0]?.file as string;
      await commitDeletes(python, scratch.folder, [{ kind: "vector", name: "v.puffin", referenced: file, rows: [0, 399] }]);
      expect(await distinct(lake)).toEqual(
        found(1, 1, { n: 398, big: 398, flag: 2, real: 398, wide: 398, price: 398, day: 9, at: 10, s: 397 }),
      );
      const images = Object.fromEntries(
        (await blobs(scratch.folder)).map(({ fields, bytes }) => [fields[0], Buffer.from(bytes).toString("hex")]),
      );
      const script = `
import json
from datasketches import update_theta_sketch
rows = range(1, 399)
columns = {
  "2": lambda i: 2**40 + i, "5": lambda i: i / 3, "8": lambda i: 1767225600000000 + (i % 10) * 1000000, "9": lambda i: "" if i == 3 else f"text {i}",
}
out = {}
for id, value in columns.items():
    sketch = update_theta_sketch(12)
    for i in rows: sketch.update(value(i))
    out[id] = sketch.compact(True).serialize().hex()
print(json.dumps(out))
`;
      const theirs = JSON.parse(await runPython(sketches, script)) as Record<string, string>;
      expect(Object.keys(theirs).map((id) => [id, images[id]])).toEqual(Object.entries(theirs));
      await lake.close();
    },
  );
});
