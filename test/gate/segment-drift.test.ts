import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract, DriftCheckPlan, DriftSegment } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import type { Profile } from "../../src/core/profile.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { DriftLedger } from "../../src/gate/drift-ledger.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { contract as lakeContract, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { check, planOf } from "../drift/windows.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";
import { normal, seededRandom } from "../sketches/columns.ts";

interface Flight {
  readonly carrier: string | null;
  readonly delay: number;
  readonly miles: number;
  readonly code: string;
}

const carriers = ["WN", "AA", "UA", null];
const plain = makeContract({ carrier: { type: "string" }, delay: { type: "double" }, miles: { type: "long" }, code: { type: "string" } });
const isCarrier = (value: string): DriftSegment["where"] => ({ op: "eq", path: "carrier", value: { type: "string", value } });
const isOther: DriftSegment["where"] = {
  op: "not",
  of: { op: "in", path: "carrier", values: ["WN", "AA"].map((value) => ({ type: "string", value })) },
};
const isFar: DriftSegment["where"] = { op: "ge", path: "miles", value: { type: "number", text: "1000", value: 1000 } };

function segment(of: string, name: string, called: string, where: DriftSegment["where"], tests: readonly string[]): DriftCheckPlan {
  return { ...check(`${of}{${name}}`, tests), called: `${of} ${called}`, segment: { of, where } };
}

const contract: Contract = {
  ...plain,
  drift: planOf(
    [
      check("delay", ["mean"]),
      segment("delay", "carrier=WN", "where carrier is WN", isCarrier("WN"), ["mean", "volume"]),
      segment("delay", "carrier=AA", "where carrier is AA", isCarrier("AA"), ["mean", "volume"]),
      segment("delay", "other carrier", "where carrier is none of the listed", isOther, ["mean", "volume"]),
      segment("code", "far", "of far", isFar, ["pattern-mix", "psi"]),
      { ...segment("delay", "far", "of far", isFar, ["correlation"]), with: ["miles"] },
    ],
    { detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 100 } } },
  ),
};

function flightsOf(seed: number, change: (flight: Flight) => Flight = (flight) => flight, count = 800): Flight[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    change({
      carrier: carriers[Math.floor(4 * random())]!,
      delay: 10 + 5 * normal(random),
      miles: Math.floor(2000 * random()),
      code: `A${Math.floor(10 * random())}`,
    }),
  );
}

async function judged(
  flights: readonly Flight[],
  kind: EngineKind = "compiled",
  by = contract,
): Promise<{ bytes: Uint8Array; profile: Profile }> {
  const window = openInlineEngine().open({ contract: by, schema: null, kind });
  const records = makeRecords(flights.map((flight) => JSON.stringify(flight)));
  flights.forEach((_, i) => (records.timestamps[i] = 1_700_000_000_000n + BigInt(i * 100)));
  await window.add([records]);
  const { bytes } = (await window.settle(1_800_000_000_000)).profile;
  return { bytes, profile: decodeProfile(bytes) };
}

it("a segment's profile is that of its rows alone, in both engines", async () => {
  const flights = flightsOf(1, (flight) => flight, 5000);
  const { bytes, profile } = await judged(flights);
  expect(Buffer.from((await judged(flights, "reference")).bytes).equals(Buffer.from(bytes))).toBe(true);
  const rowsOf: Readonly<Record<string, (flight: Flight) => boolean>> = {
    "delay{carrier=WN}": ({ carrier }) => carrier === "WN",
    "delay{carrier=AA}": ({ carrier }) => carrier === "AA",
    "delay{other carrier}": ({ carrier }) => carrier === "UA" || carrier === null,
    "code{far}": ({ miles }) => miles >= 1000,
  };
  for (const [name, isOf] of Object.entries(rowsOf)) {
    const own = flights.filter(isOf);
    const alone = (await judged(own, "reference", plain)).profile.columns.get(name.slice(0, name.indexOf("{")))!;
    const { path, watched, moments, ...rest } = profile.columns.get(name)!;
    expect(path).toBe(name);
    expect(rest).toEqual((({ path: _path, moments: _moments, ...others }) => others)(alone));
    expect(moments?.count).toBe(alone.moments?.count);
    if (moments !== null) expect(moments?.mean).toBeCloseTo(alone.moments!.mean, 9);
    expect(name.startsWith("delay") ? watched?.arrival?.values : watched?.patterns?.total).toBe(own.length);
  }
  expect(profile.columns.get("delay{far}")?.watched?.joint).toMatchObject({ columns: ["delay", "miles"] });
  expect((await judged(flights, "compiled", { ...plain, drift: planOf([check("delay", ["mean"])]) })).profile.columns.size).toBe(4);
});

/** What drift says of a window after ten usual ones. */
async function outcomeOf(change: (flight: Flight) => Flight): Promise<DriftOutcome> {
  let state = emptyDriftState;
  for (let n = 0; n < 10; n++) {
    const input = { windowId: `w${n}`, closedAtMs: n * 60_000, profile: (await judged(flightsOf(n))).profile };
    const drift = judgeDrift(contract, state, input);
    expect(["learning", "pass"]).toContain(drift.status);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
  }
  return judgeDrift(contract, state, { windowId: "next", closedAtMs: 600_000, profile: (await judged(flightsOf(99, change))).profile });
}

it("what moves in one segment and against it in another is found there, and not in the column", async () => {
  const outcome = await outcomeOf((flight) => {
    const later = flight.carrier === "WN" ? 10 : flight.carrier === "AA" ? -10 : 0;
    return { ...flight, delay: flight.delay + later };
  });
  expect(outcome.results.filter(({ status }) => status === "drift").map(({ column, test }) => [column, test])).toEqual([
    ["delay{carrier=WN}", "mean"],
    ["delay{carrier=AA}", "mean"],
  ]);
  expect(outcome.results[1]?.explanation).toMatch(/^delay where carrier is WN: the mean rose from (9|10)\.\d+ to (19|20)\.\d+; the median/);
  // One stream each, of the one budget.
  expect(outcome.results.filter(({ evidence }) => evidence !== undefined)).toHaveLength(10);
  const far = await outcomeOf((flight) => (flight.miles >= 1000 ? { ...flight, code: flight.code.toLowerCase() } : flight));
  expect(far.results.filter(({ status }) => status === "drift").map(({ column, test }) => [column, test])).toEqual([
    ["code{far}", "pattern-mix"],
    ["code{far}", "psi"],
  ]);
  expect(far.results.find(({ test }) => test === "psi")?.explanation).toMatch(/^code of far: share of /);
});

it("a segment that nothing came of is not judged", async () => {
  const outcome = await outcomeOf((flight) => (flight.carrier === "WN" ? { ...flight, carrier: "UA" } : flight));
  expect(outcome.results[1]).toMatchObject({
    column: "delay{carrier=WN}",
    status: "skipped",
    explanation: "0 values are too few to compare; 30 are needed",
  });
});

it("a worker that begins anew knows of the segments what the one before it knew", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const held: Contract = { ...lakeContract, fields: contract.fields, drift: contract.drift };
  const running = new DriftLedger(lake, held);
  for (let n = 0; n < 8; n++) {
    const window = makeWindow({ id: `orders${n}`, from: BigInt(n), values: [row(n)], contract: lakeContract });
    const { bytes, profile } = await judged(flightsOf(n));
    await running.catchUp();
    const { windowId, closedAtMs } = window.decision;
    const drift = running.judge({ windowId, closedAtMs, profile });
    const hash = createHash("sha256").update(bytes).digest("hex");
    await lake.commitWindow({
      ...window,
      profile: bytes,
      decision: { ...window.decision, drift, profile: { rows: profile.rows, columns: [], hash } },
    });
  }
  await running.catchUp();
  const begun = new DriftLedger(lake, held);
  await begun.catchUp();
  const late = (flight: Flight): Flight => (flight.carrier === "WN" ? { ...flight, delay: flight.delay + 10 } : flight);
  const input = { windowId: "next", closedAtMs: 1_700_000_020_000, profile: (await judged(flightsOf(50, late))).profile };
  const outcome = running.judge(input);
  expect(outcome.results[1]).toMatchObject({ column: "delay{carrier=WN}", status: "drift" });
  expect(begun.judge(input)).toEqual(outcome);
  await lake.close();
});
