import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Records } from "../../src/core/records.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import type { ChunkEngine } from "../../src/gate/chunk-engine.ts";
import { openCompiledEngine } from "../../src/gate/chunk-engine.ts";
import { passingRows } from "../../src/gate/settle-chunk.ts";
import { decodeProfile, encodeProfile } from "../../src/sketches/index.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { spread } from "../bench.ts";
import { textRecords } from "../text-records.ts";
import { randomOf } from "./random.ts";

const columns = 200;
const windowsOfBaseline = 20;
const rounds = 25;
/** Different windows, used in turn. */
const different = 4;

const isText = (column: number): boolean => column % 4 === 3;

async function wideContract(rows: number): Promise<Contract> {
  const property = (column: number): string =>
    isText(column)
      ? `{ name: c${column}, logicalType: string }`
      : `{ name: c${column}, logicalType: number, physicalType: double, logicalTypeOptions: { minimum: -1000 } }`;
  const each = Array.from({ length: columns }, (_, column) => column);
  const text = `apiVersion: v3.1.0
kind: DataContract
id: wide
version: 1.0.0
status: active
schema:
  - name: wide
    physicalName: wide
    physicalType: topic
    logicalType: object
    customProperties:
      - property: sluice
        value:
          drift:
            baseline: { rolling: ${windowsOfBaseline} }
            tick: { rows: ${rows} }
            columns: [${each.map((column) => `{ column: c${column}, tests: [psi] }`).join(", ")}]
    properties: [${each.map(property).join(", ")}]
`;
  return (await loadContract("wide.odcs.yaml", () => Promise.resolve(text))).contract;
}

function windowOf(rows: number, seed: number): Records {
  const random = randomOf(seed);
  const texts = Array.from({ length: rows }, () => {
    const values = Array.from({ length: columns }, (_, column) =>
      isText(column) ? `"v${Math.floor(30 * random.uniform() ** 2)}"` : (100 * random.uniform()).toFixed(2),
    );
    return Buffer.from(`{${values.map((value, column) => `"c${column}":${value}`).join(",")}}`);
  });
  return textRecords("wide", texts);
}

/** All that a window costs but drift: decoding, rules, profile, Parquet. The profile comes as the gate has it, encoded. */
function settle(engine: ChunkEngine, contract: Contract, records: Records): Uint8Array {
  const window = engine.validator.open();
  engine.profiler.reset();
  const file = engine.openFile(schemaOfContract(contract, null).schema);
  for (let from = 0; from < records.count;) {
    const batch = engine.decode(records, from, new Map());
    const passed = passingRows(batch, window.add(batch).rejected);
    engine.profiler.add(batch, passed);
    file.append(batch, passed);
    from += batch.rows;
  }
  window.close();
  file.finish();
  return encodeProfile(engine.profiler.finish());
}

function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

async function measure(rows: number): Promise<BenchTable["rows"][number]> {
  const contract = await wideContract(rows);
  const engine = openCompiledEngine(contract);
  const windows = Array.from({ length: different }, (_, i) => windowOf(rows, i + 1));
  const took = { window: [] as number[], drift: [] as number[], share: [] as number[] };
  let state = emptyDriftState;
  for (let round = 0; round < windowsOfBaseline + rounds; round++) {
    let bytes: Uint8Array = new Uint8Array();
    const windowMs = cpuMs(() => (bytes = settle(engine, contract, windows[round % different] as Records)));
    const window = { windowId: `w${round}`, openedAtMs: round, closedAtMs: round };
    const driftMs = cpuMs(() => {
      // As the ledger does: decoded once, for both.
      const input = { ...window, profile: decodeProfile(bytes, true) };
      const drift = judgeDrift(contract, state, input);
      state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
    });
    if (round < windowsOfBaseline) continue;
    took.window.push(windowMs);
    took.drift.push(driftMs);
    took.share.push((100 * driftMs) / windowMs);
  }
  const text = (values: readonly number[], digits: number): string => {
    const { min, median, max } = spread(values);
    return [min, median, max].map((value) => value.toFixed(digits)).join(" / ");
  };
  return {
    "rows a window": rows,
    "window, CPU ms": text(took.window, 0),
    "drift, CPU ms": text(took.drift, 1),
    "drift, % of it": text(took.share, 1),
  };
}

/** What drift adds to a window of 200 columns, each window a tick. */
export const driftCost: Bench = {
  name: "drift-cost",
  onDemand: true,
  async run(say) {
    const rows: BenchTable["rows"] = [];
    for (const size of [5000, 10_000, 20_000]) {
      const row = await measure(size);
      say(JSON.stringify(row));
      rows.push(row);
    }
    return {
      setup: `${columns} columns, PSI of each against ${windowsOfBaseline} rolling windows, every window a tick; CPU time of one thread, ${rounds} windows, min / median / max. The window is decoded, judged, profiled and written as Parquet; for drift its profile is decoded and judged, and the state goes on.`,
      comparisons: [],
      measurements: [],
      tables: [{ title: "drift beside the rest of a window", rows }],
    };
  },
};
