import type { DriftCheckPlan, DriftPlan } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import type { TestValue } from "../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf } from "../sketches/columns.ts";

export const carrier = fieldOf("carrier", { kind: "string" });
export const delay = fieldOf("delay", { kind: "double" });
export const fields = [carrier, delay];

export function check(
  column: string,
  tests: readonly string[],
  policy: DriftCheckPlan["policy"] = "warn",
  limit: number | null = null,
): DriftCheckPlan {
  return { column, tests, policy, limit };
}

export function planOf(checks: readonly DriftCheckPlan[], change: Partial<DriftPlan> = {}): DriftPlan {
  return { baseline: { kind: "rolling", windows: 10 }, tick: { rows: 1, seconds: 3600 }, warmupWindows: 5, checks, ...change };
}

/** A profile of the given columns of carriers and delays; the shorter is missing at its end. */
export function profileOf(carriers: readonly TestValue[], delays: readonly TestValue[]): Profile {
  const rows = Math.max(carriers.length, delays.length);
  const filled = (values: readonly TestValue[]): TestValue[] => Array.from({ length: rows }, (_, row) => values[row]);
  return profileBatch(contractOf(fields), batchOf([columnOf(carrier, filled(carriers)), columnOf(delay, filled(delays))]), null);
}

/** One of `shares`' keys by their shares. */
export function draw(random: () => number, shares: Readonly<Record<string, number>>): string {
  let rest = random();
  for (const [value, share] of Object.entries(shares)) if ((rest -= share) < 0) return value;
  return Object.keys(shares).at(-1)!;
}
