import { turnLimits } from "../../src/adapters/catalog/turns.ts";
import type { Random } from "../drift/random.ts";
import type { CommitCost, Delays } from "./commit-costs.ts";
import type { Contended, Contention } from "./simulate.ts";
import { simulateContention } from "./simulate.ts";

/** How often a commit waits for an answer, one wait after another, and what it takes besides. */
export interface CostModel {
  readonly before: Waits;
  readonly turn: Waits;
  readonly cpuMs: number;
  readonly storageReads: number;
  readonly storageWrites: number;
  readonly bytesWritten: number;
}

export interface Waits {
  /** ms, of the commits without delays, each drawn as it was measured. */
  readonly measuredMs: readonly number[];
  /** Rounds of calls, those made at once being one. */
  readonly storage: number;
  readonly catalog: number;
}

export function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * Rounds from what commits gained by delays; the first delays are none, the second of storage, the third of the catalog. `hidden`: rounds of storage that a
 * catalog's server makes in the turn, behind its own walls.
 */
export function modelOf(delays: readonly [Delays, Delays, Delays], costs: readonly (readonly CommitCost[])[], hidden: number): CostModel {
  const [plain = [], byStorage = [], byCatalog = []] = costs;
  const waits = (key: "beforeMs" | "turnMs"): Waits => {
    const measuredMs = plain.map((each) => each[key]);
    const gained = (slowed: readonly CommitCost[], delayMs: number): number =>
      Math.max(0, Math.round((middle(slowed.map((each) => each[key])) - middle(measuredMs)) / delayMs));
    return { measuredMs, storage: gained(byStorage, delays[1].storageMs), catalog: gained(byCatalog, delays[2].catalogMs) };
  };
  const of = (key: "cpuMs" | "reads" | "writes" | "bytesWritten"): number => middle(plain.map((each) => each[key]));
  const turn = waits("turnMs");
  return {
    before: waits("beforeMs"),
    turn: { ...turn, storage: turn.storage + hidden },
    cpuMs: of("cpuMs"),
    storageReads: of("reads"),
    storageWrites: of("writes"),
    bytesWritten: of("bytesWritten"),
  };
}

/** How long a call takes more than on this machine: ms, log-normal around the median. */
export interface Distance {
  readonly storageMs: number;
  readonly catalogMs: number;
  /** Of the logarithm: .6 has one call in a hundred take four times the median. */
  readonly sigma: number;
}

function drawWaits(waits: Waits, distance: Distance, random: Random): number {
  const drawn = (medianMs: number): number => (medianMs === 0 ? 0 : medianMs * Math.exp(distance.sigma * random.normal()));
  let ms = waits.measuredMs[Math.floor(random.uniform() * waits.measuredMs.length)] ?? 0;
  // Both tables' files go out together: the slower one counts.
  for (let i = 0; i < waits.storage; i++) ms += Math.max(drawn(distance.storageMs), drawn(distance.storageMs));
  for (let i = 0; i < waits.catalog; i++) ms += drawn(distance.catalogMs);
  return ms;
}

/** Workers of one dataset whose windows close every so often. */
export interface Scenario {
  readonly workers: number;
  readonly everyMs: number;
  readonly distance: Distance;
  readonly order: Contention["order"];
}

/** CPU of one more window in a shared turn, ms: a guess, half of what a turn takes here without any wait. */
const sharedMs = 5;
const durationMs = 1_800_000;

/** Half an hour of commits; a window that is due while the one before is not settled closes right after that. */
export function playScenario(model: CostModel, scenario: Scenario, random: Random): Contended {
  const { workers, everyMs, distance, order } = scenario;
  return simulateContention(
    {
      workers,
      partitions: workers,
      firstAtMs: () => random.uniform() * everyMs,
      nextAtMs: (closedAtMs) => closedAtMs + everyMs,
      beforeMs: () => drawWaits(model.before, distance, random),
      turnMs: (windows) => drawWaits(model.turn, distance, random) + (windows - 1) * sharedMs,
      order,
      patienceMs: turnLimits.waitMsMax,
      durationMs,
    },
    random,
  );
}

/** What the real writers do, played. */
export function playSaturated(
  model: CostModel,
  saturated: Pick<Contention, "order" | "workers"> & { readonly restMsMax: number; readonly storageMs: number; readonly seconds: number },
  random: Random,
): Contended {
  const { order, workers, restMsMax, storageMs, seconds } = saturated;
  const distance: Distance = { storageMs, catalogMs: 0, sigma: 0 };
  return simulateContention(
    {
      workers,
      partitions: workers,
      firstAtMs: () => random.uniform() * restMsMax,
      nextAtMs: (_, settledAtMs) => settledAtMs + random.uniform() * restMsMax,
      beforeMs: () => drawWaits(model.before, distance, random),
      turnMs: () => drawWaits(model.turn, distance, random),
      order,
      patienceMs: turnLimits.waitMsMax,
      durationMs: seconds * 1000,
    },
    random,
  );
}
