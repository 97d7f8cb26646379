import { expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import { allocateRecords } from "../../src/core/records.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import { decodeProfile, encodeProfile, profileBatch } from "../../src/sketches/index.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "../sketches/columns.ts";
import { check, planOf } from "./windows.ts";

const code = fieldOf("code", { kind: "string" });
const at = fieldOf("at", { kind: "timestamp", zoned: true, unit: "micros" });
const load = fieldOf("load", { kind: "double" });
const heat = fieldOf("heat", { kind: "double" });
const contract = contractOf(
  [code, at, load, heat],
  planOf([
    check("code", ["pattern-mix"]),
    check("at", ["event-lag", "volume"]),
    { ...check("load", ["correlation", "joint-mean"]), with: ["heat"] },
  ]),
);

interface Shape {
  readonly form?: string;
  readonly lagMs?: number;
  readonly everyMs?: number;
  readonly coupling?: number;
}

const rows = 600;

/** Windows of machines that report their load and heat; one after the other in time, with a pause between them. */
function windowOf(seed: number, { form = "M-", lagMs = 2000, everyMs = 100, coupling = 0.9 }: Shape): Batch {
  const random = seededRandom(seed);
  const came = Array.from({ length: rows }, (_, row) => 1_700_000_000_000 + seed * 600_000 + row * everyMs);
  const records = allocateRecords(rows, new Uint8Array(0), []);
  came.forEach((ms, row) => (records.timestamps[row] = BigInt(ms)));
  const loads = came.map(() => normal(random));
  const columns = [
    columnOf(
      code,
      came.map(() => `${form}${100 + Math.floor(900 * random())}`),
    ),
    columnOf(
      at,
      came.map((ms) => BigInt(ms - Math.floor(lagMs * (0.5 + random()))) * 1000n),
    ),
    columnOf(load, loads),
    columnOf(
      heat,
      loads.map((value) => coupling * value + Math.sqrt(1 - coupling ** 2) * normal(random)),
    ),
  ];
  return { ...batchOf(columns), records };
}

/** What drift says of a window of a shape, after ten of the usual one; profiles go through their bytes, as they do in the lake. */
function outcomeOf(shape: Shape): DriftOutcome {
  let state = emptyDriftState;
  for (let seed = 0; ; seed++) {
    const isLast = seed === 10;
    const profile = decodeProfile(encodeProfile(profileBatch(contract, windowOf(seed, isLast ? shape : {}), null)));
    const input = { windowId: `w${seed}`, closedAtMs: seed * 600_000, profile };
    const drift = judgeDrift(contract, state, input);
    if (isLast) return drift;
    expect(["learning", "pass"]).toContain(drift.status);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
  }
}

const drifted = (shape: Shape): readonly string[] =>
  outcomeOf(shape)
    .results.filter(({ status }) => status === "drift")
    .map(({ test: name, explanation }) => `${name} of ${explanation}`);

test("a window like the others passes, with every watched test measured", () => {
  const { status, results } = outcomeOf({});
  expect(status).toBe("pass");
  expect(results.map((result) => [result.test, result.status])).toEqual(
    ["pattern-mix", "event-lag", "volume", "correlation", "joint-mean"].map((name) => [name, "pass"]),
  );
});

test("each change is found by the test that it is for, and by no other", () => {
  expect(drifted({ form: "M" })).toEqual([
    expect.stringMatching(/^pattern-mix of code: share of values of other forms \(most often A999\) rose from 0\.\d+% to 99/),
  ]);
  expect(drifted({ lagMs: 600_000 })).toEqual([expect.stringMatching(/^event-lag of at: records reach the broker later or earlier/)]);
  expect(drifted({ everyMs: 400 })).toEqual([
    expect.stringMatching(/^volume of at: values that came in a second, .* fell from 10 to 2\.5/),
  ]);
  expect(drifted({ coupling: 0.2 })).toEqual([
    expect.stringMatching(/^correlation of load: the correlation of load and heat went from 0\.9\d? to 0\.\d+/),
  ]);
});
