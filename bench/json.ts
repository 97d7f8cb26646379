import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { compileJsonDecoder } from "../src/codecs/json-compiled/compile-json-decoder.ts";
import { jsonCodec } from "../src/codecs/json.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Contract } from "../src/core/contract.ts";
import { span, type Records } from "../src/core/records.ts";
import { Arena } from "../src/wasm/arena.ts";
import { layoutBatch } from "../src/wasm/layout.ts";
import { makeContract, makeRecords } from "../test/fixtures/contract.ts";
import type { Bench, Comparison, Measurement } from "./bench.ts";
import { spread } from "./bench.ts";
import { flightsSchema, flightTexts } from "./flights.ts";
import { curvePoints } from "./json-curves.ts";

const rows = 16_384;
const rounds = 9;
const warmUps = 3;

/** What a contestant does with all records, some times over so that it can be timed. */
interface Contestant {
  readonly name: string;
  readonly times: number;
  readonly run: () => void;
}

function textOf(records: Records, row: number): string {
  const bytes = span(records, "value", row) as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function compiledDecoder(contract: Contract, records: Records): () => void {
  const arena = new Arena();
  const decoder = compileJsonDecoder(contract, layoutBatch(contract.fields, arena), arena);
  return () => {
    for (let from = 0; from < records.count;) from += decoder.decode(records, from).rows;
  };
}

/** CPU seconds of each contestant in each round, in turn. */
function compete(contestants: readonly Contestant[]): Map<string, number[]> {
  const seconds = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < rounds; round++)
    for (const { name, times, run } of contestants) {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) run();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) seconds.get(name)?.push((user + system) / 1e6 / times);
    }
  return seconds;
}

/** Measurements of all contestants, and what the first takes over what each other takes. */
function judged(contestants: readonly Contestant[], count: number, aims: Readonly<Record<string, readonly [number, number]>>) {
  const seconds = compete(contestants);
  const measurements = [...seconds].map(([name, taken]): Measurement => ({
    name,
    rate: spread(taken.map((each) => count / each)),
    cpuSecondsPerMillion: spread(taken.map((each) => (each / count) * 1e6)),
    peakRssMb: null,
  }));
  const [first, ...others] = contestants.map(({ name }) => name);
  const peer = seconds.get(first as string) as number[];
  const comparisons = others.map((name): Comparison => {
    const [floor, aim] = aims[name] ?? [null, null];
    return {
      name: `${name} / ${first}`,
      ratio: spread((seconds.get(name) as number[]).map((each, i) => (peer[i] as number) / each)),
      floor,
      aim,
    };
  });
  return { measurements, comparisons };
}

/** The same objects, each with its keys in an order of its own. */
function shuffled(texts: readonly Buffer[]): Buffer[] {
  let seed = 1;
  return texts.map((text) => {
    const entries = Object.entries(JSON.parse(text.toString("utf8")) as object);
    for (let i = entries.length - 1; i > 0; i--) {
      seed = (seed * 48_271) % 2_147_483_647;
      const j = seed % (i + 1);
      [entries[i], entries[j]] = [entries[j] as [string, unknown], entries[i] as [string, unknown]];
    }
    return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  });
}

/** JSON to columns alone, against JSON.parse + ajv on real flights, and against JSON.parse along the scale curves. */
export const json: Bench = {
  name: "json",
  async run(say) {
    const texts: Buffer[] = [];
    for await (const chunk of flightTexts(rows)) texts.push(...chunk);
    const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
    const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (target: Ajv2020) => void)(ajv);
    const accepts = ajv.compile(flightsSchema);
    const measurements: Measurement[] = [];
    const comparisons: Comparison[] = [];
    for (const [order, values, aim] of [
      ["in order", texts, [8, 10]],
      ["shuffled", shuffled(texts), [10, 15]],
    ] as const) {
      say(`flights, keys ${order}`);
      const records = makeRecords(values);
      const reference = jsonCodec.compile(contract);
      const found = judged(
        [
          {
            name: `JSON.parse + ajv, ${order}`,
            times: 1,
            run: () => {
              for (let row = 0; row < rows; row++) accepts(JSON.parse(textOf(records, row)));
            },
          },
          { name: `interpreter, ${order}`, times: 1, run: () => void reference(records) },
          { name: `compiled, ${order}`, times: 4, run: compiledDecoder(contract, records) },
        ],
        rows,
        { [`compiled, ${order}`]: aim },
      );
      measurements.push(...found.measurements);
      comparisons.push(...found.comparisons);
    }
    for (const point of curvePoints) {
      say(point.name);
      const records = makeRecords(point.texts);
      const policies = { unknownFields: point.unknownFields ?? "ignore" } as const;
      const parse = (): void => {
        for (let row = 0; row < records.count; row++) {
          try {
            JSON.parse(textOf(records, row));
          } catch {
            // A record that is broken off: what it costs to find that is part of the comparison.
          }
        }
      };
      const found = judged(
        [
          { name: `JSON.parse, ${point.name}`, times: 1, run: parse },
          {
            name: `compiled, ${point.name}`,
            times: 3,
            run: compiledDecoder(makeContract(point.fields, { policies }), records),
          },
        ],
        records.count,
        {},
      );
      measurements.push(...found.measurements);
      comparisons.push(...found.comparisons);
    }
    return {
      setup: `${rows} flights of ${Math.round(texts.reduce((sum, text) => sum + text.length, 0) / rows)} bytes in one slab, decoded to columns; CPU time, ${rounds} rounds in turn. Curves: JSON.parse alone is the peer.`,
      measurements,
      comparisons,
    };
  },
};
