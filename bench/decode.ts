import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Batch } from "../src/core/batch.ts";
import { span } from "../src/core/records.ts";
import type { ResolvedSchemas } from "../src/core/registered-schema.ts";
import { openCompiledEngine } from "../src/gate/chunk-engine.ts";
import { passingRows } from "../src/gate/settle-chunk.ts";
import { makeRecords } from "../test/fixtures/contract.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { flightsSchema, flightTexts } from "./flights.ts";

const rows = 8192;
const rounds = 15;
/** Rounds before the measured ones: the compiler warms up. */
const warmUps = 3;

/** The pure part of the path on one batch of real flights, beside JSON.parse and ajv on the same bytes: CPU time of this process, in turn. */
export const decode: Bench = {
  name: "decode",
  async run() {
    const texts: Buffer[] = [];
    for await (const chunk of flightTexts(rows)) texts.push(...chunk);
    const records = makeRecords(texts);
    const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
    const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const engine = openCompiledEngine(contract);
    const none: ResolvedSchemas = new Map();
    /** Chunk by chunk, as a window takes them. */
    const judge = (take: (batch: Batch) => number): number => {
      let good = 0;
      for (let from = 0; from < rows;) {
        const batch = engine.decode(records, from, none);
        good += take(batch);
        from += batch.rows;
      }
      return good;
    };
    const ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (target: Ajv2020) => void)(ajv);
    const accepts = ajv.compile(flightsSchema);
    const contestants: Readonly<Record<string, () => number>> = {
      "JSON.parse + ajv": () => {
        let good = 0;
        for (let row = 0; row < rows; row++) {
          const bytes = span(records, "value", row) as Uint8Array;
          if (accepts(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")))) good++;
        }
        return good;
      },
      "decode to columns": () => judge((batch) => batch.rows),
      "decode + rules": () => {
        const rules = engine.validator.open();
        return judge((batch) => passingRows(batch, rules.add(batch).rejected).length);
      },
      "decode + rules + profile": () => {
        const rules = engine.validator.open();
        engine.profiler.reset();
        judge((batch) => {
          engine.profiler.add(batch, passingRows(batch, rules.add(batch).rejected));
          return 0;
        });
        return engine.profiler.finish().rows;
      },
    };
    const seconds = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
    for (let round = -warmUps; round < rounds; round++) {
      for (const [name, run] of Object.entries(contestants)) {
        const before = process.cpuUsage();
        const good = run();
        const { user, system } = process.cpuUsage(before);
        if (good < rows * 0.99) throw new Error(`${name} refused good records`);
        if (round >= 0) seconds.get(name)?.push((user + system) / 1e6);
      }
    }
    const peer = seconds.get("JSON.parse + ajv") ?? [];
    return {
      setup: `${rows} flights of ${Math.round(records.bytes.length / rows)} bytes as one batch, ${contract.rules.length} rules; CPU time, ${rounds} rounds in turn.`,
      measurements: [...seconds].map(([name, taken]) => ({
        name,
        rate: spread(taken.map((each) => rows / each)),
        cpuSecondsPerMillion: spread(taken.map((each) => (each / rows) * 1e6)),
        peakRssMb: null,
      })),
      comparisons: [...seconds]
        .filter(([name]) => name !== "JSON.parse + ajv")
        .map(([name, taken]) => ({
          name: `${name} / JSON.parse + ajv`,
          ratio: spread(taken.map((each, round) => (peer[round] as number) / each)),
          floor: null,
          aim: null,
        })),
    };
  },
};
