import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as parquet from "parquet-wasm";
import { arrowStream } from "./arrow/parquet-arrow.ts";
import type { ColumnParts } from "./arrow/parquet-arrow.ts";
import { schemaOfContract } from "../src/adapters/iceberg/table-schema.ts";
import { codecs } from "../src/codecs/index.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Batch } from "../src/core/batch.ts";
import type { Contract } from "../src/core/contract.ts";
import type { IcebergSchema } from "../src/core/table-schema.ts";
import { openParquetFile } from "../src/parquet/parquet-file.ts";
import { sourceColumnsOf } from "./arrow/source-columns.ts";
import { Arena } from "../src/wasm/arena.ts";
import { columnView } from "../src/wasm/column-view.ts";
import { type BatchLayout, layoutBatch } from "../src/wasm/layout.ts";
import { makeResident } from "../src/wasm/resident-batch.ts";
import { makeRecords } from "../test/fixtures/contract.ts";
import { pythonHere, pythonReaders, runPython } from "../test/live/harness/python-readers.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { flightTexts } from "./flights.ts";

const rows = 500_000;
const rounds = 9;
/** Rounds before the measured ones: on a busy machine the optimising compiler takes its time. */
const warmUps = 5;
const chunkRows = 2048;
const groupRows = 262_144;

/** Chunks of columns that stand in one arena, as the engine's do one after the other. */
interface ResidentChunk {
  readonly batch: Batch;
  readonly layout: BatchLayout;
}

async function flightBatches(contract: Contract): Promise<Batch[]> {
  const decode = codecs.find(({ name }) => name === "json")?.compile(contract);
  if (decode === undefined) throw new Error("there is no JSON codec");
  const batches: Batch[] = [];
  let waiting: Buffer[] = [];
  let offset = 0;
  let arrival = 1_700_000_000_000;
  const flush = (texts: Buffer[]): void => {
    const records = makeRecords(texts, [], offset);
    // Some thousand records a second, in no even step.
    for (let row = 0; row < records.count; row++) {
      arrival += (Math.imul(offset + row, 0x9e3779b1) >>> 29) % 3;
      records.timestamps[row] = BigInt(arrival);
    }
    batches.push(decode(records));
    offset += texts.length;
  };
  for await (const texts of flightTexts(rows)) {
    waiting.push(...texts);
    for (; waiting.length >= chunkRows; waiting = waiting.slice(chunkRows)) flush(waiting.slice(0, chunkRows));
  }
  if (waiting.length > 0) flush(waiting);
  return batches;
}

function makeResidents(batches: readonly Batch[], contract: Contract, arena: Arena): ResidentChunk[] {
  const limits = { rowsMax: chunkRows, slabBytesMax: 1 << 20, areaBytesMax: 64, elementsPerRow: 1, elementsMax: chunkRows };
  return batches.map((batch) => {
    const layout = layoutBatch(contract.fields, arena, 0, limits);
    return { batch: makeResident(batch, layout, arena), layout };
  });
}

const rowCache = new Map<number, Uint32Array>();
const everyRow = (count: number): Uint32Array => {
  let known = rowCache.get(count);
  if (known === undefined) rowCache.set(count, (known = Uint32Array.from({ length: count }, (_, row) => row)));
  return known;
};

function writeOwn(chunks: readonly ResidentChunk[], schema: IcebergSchema, arena: Arena): Uint8Array[] {
  const file = openParquetFile({ schema, arena, limits: { rowsMax: groupRows, bytesMax: 1 << 30 } });
  const pieces: Uint8Array[] = [];
  for (const { batch, layout } of chunks) {
    const columns = layout.columns.map((column) => columnView(column, arena, batch.rows));
    pieces.push(...file.append({ ...batch, columns }, everyRow(batch.rows)));
  }
  pieces.push(...file.finish().pieces);
  return pieces;
}

/** The same columns as one Arrow table, ready in parquet-wasm's own input format. */
function arrowTables(batches: readonly Batch[], schema: IcebergSchema): Uint8Array {
  const columns: ColumnParts[] = schema.fields.map((field) => ({
    field,
    parts: batches.map((batch) => {
      const column = [...batch.columns, ...sourceColumnsOf(batch.records)].find((each) => each.field.name === field.name);
      if (column === undefined) throw new Error(`no column ${field.name}`);
      return { column, rows: everyRow(batch.rows), present: null };
    }),
  }));
  return arrowStream(columns, rows);
}

function writeWasm(stream: Uint8Array): Uint8Array {
  const properties = new parquet.WriterPropertiesBuilder().setCompression(parquet.Compression.ZSTD).setMaxRowGroupSize(groupRows).build();
  return parquet.writeParquet(parquet.Table.fromIPCStream(stream), properties);
}

/** Bytes of the same table written by PyArrow at its defaults with zstd and the same row groups, and its version; null where there is no Python. */
async function writtenByPyarrow(file: readonly Uint8Array[]): Promise<{ readonly bytes: number; readonly version: string } | null> {
  const python = pythonHere ? await pythonReaders() : null;
  if (python === null) return null;
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  try {
    writeFileSync(join(folder, "own.parquet"), Buffer.concat(file));
    const script = `
import sys, os, json, pyarrow, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1] + "/own.parquet")
pq.write_table(table, sys.argv[1] + "/pyarrow.parquet", compression="zstd", row_group_size=int(sys.argv[2]))
print(json.dumps({"bytes": os.path.getsize(sys.argv[1] + "/pyarrow.parquet"), "version": pyarrow.__version__}))
`;
    return JSON.parse(await runPython(python, script, [folder, String(groupRows)])) as { bytes: number; version: string };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Parquet from columns in memory, each writer from its own form of them: CPU time of this process, in turn. */
export const parquetPages: Bench = {
  name: "parquet",
  async run(say) {
    const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
    const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const { schema } = schemaOfContract(contract, null);
    const batches = await flightBatches(contract);
    const stream = arrowTables(batches, schema);
    const arena = new Arena();
    const chunks = makeResidents(batches, contract, arena);
    say(`${rows} rows, ${schema.fields.length} columns, ${Math.round(stream.length / rows)} bytes a row in Arrow`);
    const bytes = { own: 0, wasm: 0 };
    const contestants = {
      own: () => (bytes.own = writeOwn(chunks, schema, arena).reduce((sum, piece) => sum + piece.length, 0)),
      wasm: () => (bytes.wasm = writeWasm(stream).length),
    } as const;
    const seconds: Record<keyof typeof contestants, number[]> = { own: [], wasm: [] };
    for (let round = -warmUps; round < rounds; round++) {
      for (const name of ["own", "wasm"] as const) {
        const before = process.cpuUsage();
        contestants[name]();
        const { user, system } = process.cpuUsage(before);
        if (round >= 0) seconds[name].push((user + system) / 1e6);
      }
    }
    const pyarrow = await writtenByPyarrow(writeOwn(chunks, schema, arena));
    const perRow = (size: number): string => (size / rows).toFixed(2);
    const peers = `parquet-wasm ${perRow(bytes.wasm)}, PyArrow ${pyarrow === null ? "not here" : perRow(pyarrow.bytes)}`;
    say(`bytes a row: own ${perRow(bytes.own)}, ${peers}`);
    return {
      setup: `${rows} flights of ${schema.fields.length} columns in memory to one Parquet file, zstd, row groups of ${groupRows}, each from its own form of the columns (an arena; Arrow IPC), statistics and page indexes as each writes them; CPU time, ${rounds} rounds in turn. Bytes a row: own ${perRow(bytes.own)}, ${peers}.`,
      versions: pyarrow === null ? {} : { "pyarrow (Python)": pyarrow.version },
      measurements: (["own", "wasm"] as const).map((name) => ({
        name: name === "own" ? "own pages" : "parquet-wasm",
        rate: spread(seconds[name].map((each) => rows / each)),
        cpuSecondsPerMillion: spread(seconds[name].map((each) => (each / rows) * 1e6)),
        peakRssMb: null,
      })),
      comparisons: [
        {
          name: "rows/s, own pages / parquet-wasm",
          ratio: spread(seconds.own.map((each, round) => (seconds.wasm[round] as number) / each)),
          floor: 3,
          aim: 5,
        },
        { name: "bytes, parquet-wasm / own pages", ratio: spread([bytes.wasm / bytes.own]), floor: 1, aim: null },
        ...(pyarrow === null
          ? []
          : [{ name: "bytes, PyArrow (zstd) / own pages", ratio: spread([pyarrow.bytes / bytes.own]), floor: 1, aim: null }]),
      ],
    };
  },
};
