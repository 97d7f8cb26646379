import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { schemaOfContract } from "../src/adapters/iceberg/table-schema.ts";
import type { Contract } from "../src/core/contract.ts";
import type { Records } from "../src/core/records.ts";
import { allocateRecords, span } from "../src/core/records.ts";
import type { ResolvedSchemas } from "../src/core/registered-schema.ts";
import type { ChunkEngine } from "../src/gate/chunk-engine.ts";
import { openCompiledEngine } from "../src/gate/chunk-engine.ts";
import { passingRows, rejectedRows } from "../src/gate/settle-chunk.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { textRecords } from "./text-records.ts";
import { peerRecords, twentyRowRules, twentyRulesSchema } from "./twenty-rules.ts";

const rows = 250_000;
const rounds = 9;
/** Rounds before the measured ones: compilers warm up, producers' layouts are learned. */
const warmUps = 2;

const none: ResolvedSchemas = new Map();

/** What a contestant does with all records; answers how many rows are good. */
type Contestant = () => number;

/** Records as most clients hand them out: a Buffer each. */
function buffersOf(records: Records): readonly Buffer[] {
  return Array.from({ length: records.count }, (_, row) => Buffer.from(span(records, "value", row) as Uint8Array));
}

const partitions = [{ topic: "rows", topicId: "rows", partition: 0 }];

/** Puts Buffers into one slab: what it costs to come from such a client. */
function fill(records: Records, buffers: readonly Buffer[], from: number): void {
  let at = 0;
  for (let row = 0; row < records.count; row++) {
    const each = buffers[from + row] as Buffer;
    records.bytes.set(each, at);
    records.valueStart[row] = at;
    records.valueLength[row] = each.length;
    at += each.length;
  }
}

/** The same objects with their keys in another order each. */
function shuffled(records: Records): Records {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  return textRecords(
    "rows",
    buffersOf(records).map((text) => {
      const entries = Object.entries(JSON.parse(text.toString("utf8")) as object);
      for (let i = entries.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [entries[i], entries[j]] = [entries[j] as [string, unknown], entries[i] as [string, unknown]];
      }
      return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
    }),
  );
}

/** Buffers as runs of two thousand, what a client hands out at a time, through one slab. */
function* runsOf(buffers: readonly Buffer[]): Generator<Records> {
  const slab = new Uint8Array(2 << 20);
  for (let from = 0; from < buffers.length; from += 2048) {
    const records = allocateRecords(Math.min(2048, buffers.length - from), slab, partitions);
    records.keyLength.fill(-1);
    fill(records, buffers, from);
    yield records;
  }
}

setFlagsFromString("--expose-gc");
/** What one contestant left lying about is not collected at another's cost. */
const collect = runInNewContext("gc") as () => void;

/** Runs a window through the engine, in this thread: as far as `until`. */
function judge(engine: ChunkEngine, contract: Contract, runs: Iterable<Records>, until: "rules" | "profile" | "parquet"): number {
  const window = engine.validator.open();
  engine.profiler.reset();
  const file = until === "parquet" ? engine.openFile(schemaOfContract(contract, null).schema) : null;
  let good = 0;
  let quarantined = 0;
  for (const records of runs) {
    for (let from = 0; from < records.count;) {
      const batch = engine.decode(records, from, none);
      const validation = window.add(batch);
      const passed = passingRows(batch, validation.rejected);
      good += passed.length;
      if (until !== "rules") engine.profiler.add(batch, passed);
      if (file !== null) {
        for (const { row, reasons } of rejectedRows(engine.validator, { batch, validation, passed }))
          quarantined += reasons.length + (span(batch.records, "value", row) as Uint8Array).slice().length;
        file.append(batch, passed);
      }
      from += batch.rows;
    }
  }
  window.close();
  if (until !== "rules") engine.profiler.finish();
  if (file !== null && (file.finish().file.recordCount !== good || quarantined === 0)) throw new Error("rows were lost");
  return good;
}

function parseAndValidate(): (records: readonly Uint8Array[]) => number {
  const ajv = new Ajv2020({ strict: false, allowUnionTypes: true });
  (addFormats as unknown as (target: Ajv2020) => void)(ajv);
  const accepts = ajv.compile(twentyRulesSchema);
  return (texts) => {
    let good = 0;
    for (const text of texts) {
      try {
        if (accepts(JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8")))) good++;
      } catch {
        // A record that is no JSON is bad.
      }
    }
    return good;
  };
}

const peer = "JSON.parse + ajv";
const shuffledPeer = "JSON.parse + ajv, keys shuffled";
const promised: Readonly<Record<string, readonly [peer: string, floor: number, aim: number]>> = {
  "decode + 20 rules, Buffers": [peer, 6, 9],
  "decode + 20 rules, slab": [peer, 8, 12],
  "+ profile of every column, Buffers": [peer, 5, 7],
  "+ profile of every column, slab": [peer, 6, 10],
  "+ Parquet + quarantine, slab": [peer, 2.2, 4],
  "decode + 20 rules, keys shuffled": [shuffledPeer, 10, 18],
};

/** One thread each on the same records in memory: what a Node program does today, and the engine, step by step. */
export const engine: Bench = {
  name: "engine",
  async run(say) {
    const contract = await twentyRowRules();
    const slab = await peerRecords(rows);
    const buffers = buffersOf(slab);
    const mixed = shuffled(slab);
    const mixedBuffers = buffersOf(mixed);
    const own = openCompiledEngine(contract);
    const other = openCompiledEngine(contract);
    if (own.fallback !== null) throw new Error(`not compiled: ${own.fallback}`);
    const validate = parseAndValidate();
    const contestants: Readonly<Record<string, Contestant>> = {
      [peer]: () => validate(buffers),
      "decode + 20 rules, Buffers": () => judge(own, contract, runsOf(buffers), "rules"),
      "decode + 20 rules, slab": () => judge(own, contract, [slab], "rules"),
      "+ profile of every column, Buffers": () => judge(own, contract, runsOf(buffers), "profile"),
      "+ profile of every column, slab": () => judge(own, contract, [slab], "profile"),
      "+ Parquet + quarantine, slab": () => judge(own, contract, [slab], "parquet"),
      [shuffledPeer]: () => validate(mixedBuffers),
      "decode + 20 rules, keys shuffled": () => judge(other, contract, [mixed], "rules"),
    };
    const seconds = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
    for (let round = -warmUps; round < rounds; round++) {
      for (const [name, run] of Object.entries(contestants)) {
        collect();
        const before = process.threadCpuUsage();
        const good = run();
        const { user, system } = process.threadCpuUsage(before);
        if (Math.abs(good - rows * 0.99) > rows * 0.002) throw new Error(`${name} found ${good} good records of ${rows}`);
        if (round >= 0) seconds.get(name)?.push((user + system) / 1e6);
      }
      say(`round ${round + 1}`);
    }
    const of = (name: string): readonly number[] => seconds.get(name) ?? [];
    return {
      setup: `${rows} flights of ${Math.round(slab.bytes.length / rows)} bytes, 20 rules and 20 type rules over 20 columns, 1% bad rows; CPU time of one thread, ${rounds} rounds in turn.`,
      measurements: [...seconds].map(([name, taken]) => ({
        name,
        rate: spread(taken.map((each) => rows / each)),
        cpuSecondsPerMillion: spread(taken.map((each) => (each / rows) * 1e6)),
        peakRssMb: null,
      })),
      comparisons: Object.entries(promised).map(([name, [against, floor, aim]]) => ({
        name: `${name} / ${against}`,
        ratio: spread(of(name).map((each, round) => (of(against)[round] as number) / each)),
        floor,
        aim,
      })),
    };
  },
};
