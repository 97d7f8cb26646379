import { describe, expect, it } from "vitest";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "./python-readers.ts";

describe.skipIf(!pythonHere)("pythonReaders", () => {
  it("has PyIceberg, PyArrow and DuckDB of the pinned versions, and DuckDB's iceberg extension loads", { timeout: 900_000 }, async () => {
    const script = `${duckdbWithIceberg}
import sys, pyiceberg, pyarrow
from pyiceberg.catalog.sql import SqlCatalog
loaded = duck.sql("select count(*) from duckdb_extensions() where loaded and extension_name in ('avro', 'iceberg')").fetchone()[0]
print(pyiceberg.__version__, duckdb.__version__, loaded, sys.argv[1])`;
    const interpreter = await pythonReaders();
    expect(await runPython(interpreter!, script, ["given"])).toBe("0.12.0 1.5.5 2 given\n");
  });

  it("rejects with the script's own error", { timeout: 900_000 }, async () => {
    const interpreter = await pythonReaders();
    await expect(runPython(interpreter!, "raise ValueError('no such thing')")).rejects.toThrow("no such thing");
  });
});
