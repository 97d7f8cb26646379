import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../src/adapters/broker/run-command.ts";
import type { Bench, BenchTable } from "../bench.ts";
import type { PeerEnvironment } from "../peers/environment.ts";
import { peerPython } from "../peers/environment.ts";
import { columnContract, kindsOf, profileColumns } from "./column-profiles.ts";
import type { Histogram } from "./histogram-divergence.ts";
import { histogramDivergence } from "./histogram-divergence.ts";
import type { PeerVerdict } from "./peer-rules.ts";
import { peerRules } from "./peer-rules.ts";
import type { PeerSample } from "./peer-sample.ts";
import { sampleOfProfile, sampleOfValues } from "./peer-sample.ts";
import type { SamplePair } from "./peer-samples.ts";
import { samplePairs } from "./peer-samples.ts";

/** What a package says of one pair. */
interface Told {
  readonly score: number;
  readonly drift: boolean;
  /** Evidently's choice of a test. */
  readonly method?: string;
  /** TFDV's, of both samples. */
  readonly histograms?: readonly [Histogram, Histogram];
}

type Answers = Readonly<Record<string, Readonly<Record<string, Told>>>>;

/** Where what the packages said is kept. */
export const peerAnswers = new URL("../results/drift-peer-answers.json", import.meta.url);

const script = fileURLToPath(new URL("../peers/drift_rules.py", import.meta.url));

async function ask(environment: PeerEnvironment, tools: string, file: string, say: (line: string) => void): Promise<Answers> {
  const python = await peerPython(environment, say);
  const { status, stdout, stderr } = await runCommand(python, [script, tools, file]);
  if (status !== 0) throw new Error(`${tools}: ${stderr.slice(-4000)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string) as Answers;
}

/** Scores and verdicts of every rule's package, as a test compares them without the packages. */
function recorded(pair: SamplePair, told: (pair: SamplePair, rule: string) => Told | undefined): Record<string, object> {
  return Object.fromEntries(
    peerRules.flatMap(({ name }) => {
      const theirs = told(pair, name);
      return theirs === undefined ? [] : [[name, { score: theirs.score, drift: theirs.drift }]];
    }),
  );
}

/** How one rule of ours compares with the package, over all pairs. */
class Tally {
  pairs = 0;
  equal = 0;
  drifts = 0;
  worst = 0;
  readonly differing: string[] = [];

  add(name: string, own: PeerVerdict | null, told: Told): void {
    if (own === null) return;
    this.pairs++;
    if (told.drift) this.drifts++;
    if (own.isDrift === told.drift) this.equal++;
    else this.differing.push(`${name}: ${own.score} here, ${told.score} there`);
    // Equal infinities differ in nothing.
    const difference = own.score === told.score ? 0 : Math.abs(own.score - told.score) / Math.max(1, Math.abs(told.score));
    this.worst = Math.max(this.worst, difference);
  }
}

async function profilesOf({ before, now }: SamplePair): Promise<readonly (PeerSample | null)[]> {
  const columns = new Map([["value", [...before, ...now]]]);
  const contract = await columnContract(kindsOf(columns));
  return [
    [0, before.length],
    [before.length, before.length + now.length],
  ].map(([from = 0, until = 0]) => {
    const column = profileColumns(contract, columns, from, until).columns.get("value");
    return column === undefined ? null : sampleOfProfile(column);
  });
}

/** The rules of other tools, as recomputed here, beside the packages: every score, and every verdict. */
export const driftPeers: Bench = {
  name: "drift-peers",
  onDemand: true,
  async run(say) {
    const pairs = samplePairs();
    const folder = mkdtempSync(join(tmpdir(), "sluice-bench-drift-peers-"));
    const answers: Answers[] = [];
    try {
      const file = join(folder, "samples.json");
      writeFileSync(file, JSON.stringify(pairs));
      answers.push(await ask("drift", "packages", file, say), await ask("tfdv", "tfdv", file, say));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const told = (pair: SamplePair, rule: string): Told | undefined => answers.map((each) => each[pair.name]?.[rule]).find(Boolean);
    writeFileSync(peerAnswers, `${JSON.stringify(Object.fromEntries(pairs.map((pair) => [pair.name, recorded(pair, told)])), null, 2)}\n`);
    const table: BenchTable = { title: "rules recomputed, beside the packages", rows: [] };
    const add = (rule: string, over: string, tally: Tally): void => {
      const { pairs: count, equal, drifts, worst } = tally;
      for (const line of tally.differing) say(`${rule}, ${over}: ${line}`);
      table.rows.push({
        rule,
        over,
        pairs: count,
        "package says drift": drifts,
        "same verdict": equal,
        "largest difference of scores": worst.toExponential(1),
      });
    };
    const profiles = await Promise.all(pairs.map(profilesOf));
    for (const { name, judge } of peerRules) {
      const [numbers, texts, sketches, own] = [new Tally(), new Tally(), new Tally(), new Tally()];
      pairs.forEach((pair, i) => {
        const theirs = told(pair, name);
        if (theirs === undefined) throw new Error(`${name} says nothing of ${pair.name}`);
        const [a, b] = [sampleOfValues(pair.before), sampleOfValues(pair.now)];
        (a.numbers === null ? texts : numbers).add(pair.name, judge(a, b), theirs);
        const [before, now] = profiles[i] as readonly (PeerSample | null)[];
        if (before && now) sketches.add(pair.name, judge(before, now), theirs);
        if (theirs.histograms === undefined) return;
        const score = histogramDivergence(...theirs.histograms);
        own.add(pair.name, { score, isDrift: score > 0.01 }, theirs);
      });
      add(name, "numbers", numbers);
      add(name, "categories", texts);
      add(name, "profiles", sketches);
      if (own.pairs > 0) add(name, "TFDV's own histograms", own);
    }
    return {
      setup: `${pairs.length} pairs of samples: numbers and categories, heavy tails, few values, nulls, 45 to 20,000 rows, half of them drifting. Each rule as recomputed here over every value, and over profiles as the benches take it, beside what the package says. Differences of scores are relative where these exceed 1.`,
      comparisons: [],
      measurements: [],
      tables: [table],
    };
  },
};
