import { fileURLToPath } from "node:url";
import type { Bench, Comparison, Measurement } from "./bench.ts";
import { spread } from "./bench.ts";
import { runScript } from "./child.ts";
import type { ScalePoint, ScaleReport } from "./scale-child.ts";

const base: ScalePoint = { columns: 20, rules: 20, bad: 0.01, bytes: 100, kind: "mixed", depth: 0, rows: 20_000 };

/** Each curve changes one thing. */
const curves: Readonly<Record<string, readonly Partial<ScalePoint>[]>> = {
  columns: [10, 50, 100, 200, 500].map((columns) => ({ columns, rules: columns, rows: Math.floor(400_000 / columns) })),
  rules: [0, 20, 100, 200, 500].map((rules) => ({ rules })),
  "share of bad rows": [0, 0.01, 0.1, 0.25, 0.5].map((bad) => ({ bad })),
  "text bytes a record": [100, 1000, 10_000, 100_000].map((bytes) => ({
    bytes,
    rows: Math.max(500, Math.floor(20_000_000 / (bytes + 300))),
  })),
  kind: (["number", "mixed", "text"] as const).map((kind) => ({ kind, bytes: 300 })),
  "nested depth": [0, 1, 5, 20, 28].map((depth) => ({ depth })),
};

function label(curve: string, change: Partial<ScalePoint>): string {
  const shown = {
    columns: change.columns,
    rules: change.rules,
    "share of bad rows": change.bad,
    "text bytes a record": change.bytes,
    kind: change.kind,
    "nested depth": change.depth,
  };
  return `${curve} ${shown[curve as keyof typeof shown]}`;
}

/** How speed and memory go with the size of contract and record: each point in a process of its own, one thread. */
export const scale: Bench = {
  name: "scale",
  onDemand: true,
  async run(say) {
    const child = fileURLToPath(new URL("scale-child.ts", import.meta.url));
    const measurements: Measurement[] = [];
    const comparisons: Comparison[] = [];
    for (const [curve, changes] of Object.entries(curves)) {
      for (const change of changes) {
        const name = label(curve, change);
        const report = (await runScript(child, [JSON.stringify({ ...base, ...change })])) as ScaleReport;
        const peakRssMb = spread([report.peakRssMb]);
        const measured = (what: string, taken: readonly number[]): Measurement => ({
          name: `${name}: ${what}`,
          rate: spread(taken.map((each) => 1e6 / each)),
          cpuSecondsPerMillion: spread(taken),
          peakRssMb,
        });
        const median = (taken: readonly number[]): string => spread(taken).median.toFixed(2);
        say(
          `${name}: ${report.recordBytes} bytes a record, ${median(report.judged)} CPU us, with Parquet ${median(report.written)}, peer ${median(report.peer)}; first chunk ${Math.round(report.compileMs)} ms, ${Math.round(report.peakRssMb)} MB`,
        );
        measurements.push(measured("decode + rules + profile", report.judged), measured("+ Parquet", report.written), {
          ...measured("JSON.parse + ajv", report.peer),
          peakRssMb: null,
        });
        comparisons.push({
          name: `${name}: decode + rules + profile / JSON.parse + ajv`,
          ratio: spread(report.peer.map((each, round) => each / (report.judged[round] as number))),
          floor: null,
          aim: null,
        });
      }
    }
    return {
      setup: `Generated records; ${base.columns} columns, ${base.rules} rules, ${base.bad * 100}% bad rows, about ${base.bytes} bytes of text where nothing else is said. CPU time of 5 rounds, one thread, one process a point; peak memory includes the records themselves.`,
      measurements,
      comparisons,
    };
  },
};
