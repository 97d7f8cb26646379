import type { CountedRule } from "./counted-rule.ts";
import { PeerStatistics, peersAsShipped } from "./fixed-rule.ts";
import { flightSplits } from "./flight-splits.ts";
import type { QuietStream } from "./quiet-streams.ts";
import { normalStreams } from "./quiet-streams.ts";
import { randomOf } from "./random.ts";
import { SluiceRule } from "./sluice-rule.ts";

/** What one rule said of one run. */
export interface Tally {
  readonly rule: string;
  /** An alarm that goes on is one. */
  alarms: number;
  /** Windows with an alarm. */
  flagged: number;
}

/** Windows of a run. */
export const windowsOfRun = 3000;
/** Windows of a dataset to which a false alarm is asked for. */
export const wantedTicks = 200;
const seasonWindows = 168;
/** Windows of each season. */
const depthOfSeason = 4;

/** Every stream without drift, in a fixed order. */
export async function quietStreams(): Promise<readonly QuietStream[]> {
  return [...normalStreams, ...(await flightSplits([1000, 10_000]))];
}

/** Plays one run of a stream to all rules. */
export function playQuietRun(stream: QuietStream, seed: number): readonly Tally[] {
  const draw = stream.open(randomOf(100_003 * seed + 7 * stream.columns + stream.rows));
  const isSeasonal = stream.isSeasonal === true;
  const depth = isSeasonal ? { depth: depthOfSeason } : {};
  const rules: CountedRule[] = [
    new SluiceRule("rolling, any effect", wantedTicks, { baseline: "rolling", limit: 0, hasGate: true, ...depth }),
    new SluiceRule("pinned, any effect", wantedTicks, { baseline: "pinned", limit: 0, hasGate: true, ...depth }),
    new SluiceRule("as shipped (rolling, limit .1)", wantedTicks, { baseline: "rolling", limit: 0.1, hasGate: true, ...depth }),
    ...peersAsShipped(new PeerStatistics()),
  ];
  const tallies = rules.map(({ name }): Tally => ({ rule: name, alarms: 0, flagged: 0 }));
  const alarmed = rules.map(() => false);
  for (let window = 0; window < windowsOfRun; window++) {
    const counted = draw(window);
    const season = isSeasonal ? String(window % seasonWindows) : "";
    rules.forEach((rule, i) => {
      const isAlarm = rule.judge(counted, season).length > 0;
      const tally = tallies[i] as Tally;
      if (isAlarm) tally.flagged++;
      if (isAlarm && alarmed[i] === false) tally.alarms++;
      alarmed[i] = isAlarm;
    });
  }
  return tallies;
}
