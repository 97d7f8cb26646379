import { jsonCodec } from "../../src/codecs/json.ts";
import type { Contract, DriftPlan } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { DriftState } from "../../src/drift/index.ts";
import { emptyDriftState, foldDrift, judgeDrift, pinBaseline } from "../../src/drift/index.ts";
import { mergeProfiles, profileBatch } from "../../src/sketches/index.ts";
import { textRecords } from "../text-records.ts";
import { windowsOfReference } from "./counted-rule.ts";
import type { Random } from "./random.ts";
import { randomOf } from "./random.ts";

/** Standard deviations that the first column's mean moves by. */
export const shifts = [0.05, 0.1, 0.25] as const;

const quietWindows = 200;
const changedWindows = 20;

/** A stream of records whose columns are standard normal but for their means. */
export interface RawStream {
  readonly contract: Contract;
  readonly plan: (baseline: DriftPlan["baseline"], tests: readonly string[]) => DriftPlan;
  readonly draw: (random: Random, means: readonly number[]) => readonly Buffer[];
  readonly columns: number;
  /** Standard deviations by which means vary. */
  readonly deviation: number;
}

interface Judged {
  readonly contract: Contract;
  readonly state: DriftState;
}

const pinnedRef = "the first windows";

/** What contracts say, any effect asked for. */
export const rawSettings: readonly {
  readonly name: string;
  readonly baseline: DriftPlan["baseline"];
  readonly tests: readonly string[];
}[] = [
  { name: "rolling, psi", baseline: { kind: "rolling", windows: windowsOfReference }, tests: ["psi"] },
  { name: "pinned, psi", baseline: { kind: "pinned", ref: pinnedRef }, tests: ["psi"] },
  { name: "pinned, psi and mean", baseline: { kind: "pinned", ref: pinnedRef }, tests: ["psi", "mean"] },
];

function step(judged: Judged, profile: Profile, at: number): { readonly next: Judged; readonly flagged: readonly string[] } {
  const { contract } = judged;
  const closedAtMs = at * 60_000;
  const input = { windowId: `w${at}`, openedAtMs: closedAtMs, closedAtMs, profile };
  const drift = judgeDrift(contract, judged.state, input);
  const state = foldDrift(contract, judged.state, { ...input, kind: "window", verdict: "promote", drift });
  const flagged = drift.results.filter(({ status }) => status === "drift").map(({ column }) => column);
  return { next: { contract, state }, flagged };
}

/**
 * One seeded run: quiet windows, and from there each shift of the first column `c0`. Answers of each setting the delays by shift in windows, null where it was not
 * found, and the quiet windows that were flagged.
 */
export function playRawChanges(
  stream: RawStream,
  seed: number,
): readonly { readonly delays: (number | null)[]; readonly flagged: number }[] {
  const random = randomOf(seed);
  const decode = jsonCodec.compile(stream.contract);
  const profileOf = (shift: number): Profile => {
    const means = Array.from({ length: stream.columns }, (_, column) => stream.deviation * random.normal() + (column === 0 ? shift : 0));
    return profileBatch(stream.contract, decode(textRecords("rows", stream.draw(random, means))), null);
  };
  let judged: Judged[] = rawSettings.map(({ baseline, tests }) => ({
    contract: { ...stream.contract, drift: stream.plan(baseline, tests) },
    state: emptyDriftState,
  }));
  const flagged = rawSettings.map(() => 0);
  let first: Profile | null = null;
  for (let window = 0; window < quietWindows; window++) {
    const profile = profileOf(0);
    if (window < windowsOfReference) first = first === null ? profile : mergeProfiles(first, profile);
    judged = judged.map((each, i) => {
      const { next, flagged: found } = step(each, profile, window);
      if (found.length > 0) flagged[i] = (flagged[i] as number) + 1;
      return next;
    });
    if (window === windowsOfReference - 1) {
      const pinned = { ref: pinnedRef, profile: first as Profile, windows: windowsOfReference };
      judged = judged.map((each, i) => {
        return rawSettings[i]?.baseline.kind === "pinned" ? { ...each, state: pinBaseline(each.state, pinned) } : each;
      });
    }
  }
  const delays = rawSettings.map(() => shifts.map((): number | null => null));
  shifts.forEach((shift, at) => {
    let changed = judged;
    for (let window = 0; window < changedWindows; window++) {
      const profile = profileOf(shift);
      changed = changed.map((each, i) => {
        const { next, flagged: found } = step(each, profile, quietWindows + window);
        const own = delays[i] as (number | null)[];
        if (found.includes("c0")) own[at] ??= window + 1;
        return next;
      });
    }
  });
  return rawSettings.map((_, i) => ({ delays: delays[i] as (number | null)[], flagged: flagged[i] as number }));
}
