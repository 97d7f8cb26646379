import type { Batch } from "../src/core/batch.ts";
import type { ChunkDecoder } from "../src/core/codec.ts";
import type { Records } from "../src/core/records.ts";
import type { BenchResult } from "./bench.ts";
import { spread } from "./bench.ts";

const rounds = 15;
/** Rounds before the measured ones: the compilers warm up. */
const warmUps = 4;

export interface DecoderComparison {
  readonly rows: number;
  /** What is decoded, in a few words. */
  readonly setup: string;
  /** The library that makes an object a record; answers how many it has read. */
  readonly peer: { readonly name: string; readonly run: () => number };
  readonly records: Records;
  readonly decoder: ChunkDecoder;
  readonly interpreter: (records: Records) => Batch;
}

/** Measures a compiled decoder and its interpreter against a library on the same records, in turn: CPU seconds of this process. */
export function compareDecoders({ rows, setup, peer, records, decoder, interpreter }: DecoderComparison): BenchResult {
  const contestants: Readonly<Record<string, () => number>> = {
    [peer.name]: peer.run,
    compiled: () => {
      let good = 0;
      for (let from = 0; from < records.count;) {
        const batch = decoder.decode(records, from);
        from += batch.rows;
        good += batch.rows - batch.faults.length;
      }
      return good;
    },
    interpreter: () => {
      const batch = interpreter(records);
      return batch.rows - batch.faults.length;
    },
  };
  const seconds = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const before = process.cpuUsage();
      const good = run();
      const { user, system } = process.cpuUsage(before);
      if (good !== rows) throw new Error(`${name} read ${good} of ${rows} records`);
      if (round >= 0) seconds.get(name)?.push((user + system) / 1e6);
    }
  }
  const base = seconds.get(peer.name) ?? [];
  return {
    setup: `${setup}; CPU time, ${rounds} rounds in turn.`,
    measurements: [...seconds].map(([name, taken]) => ({
      name,
      rate: spread(taken.map((each) => rows / each)),
      cpuSecondsPerMillion: spread(taken.map((each) => (each / rows) * 1e6)),
      peakRssMb: null,
    })),
    comparisons: ["compiled", "interpreter"].map((name) => ({
      name: `${name} / ${peer.name}`,
      ratio: spread((seconds.get(name) ?? []).map((each, round) => (base[round] as number) / each)),
      floor: name === "compiled" ? 4 : null,
      aim: name === "compiled" ? 8 : null,
    })),
  };
}
