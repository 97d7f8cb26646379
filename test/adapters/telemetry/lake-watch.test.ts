import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { LakeWatch } from "../../../src/adapters/telemetry/lake-watch.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import type { HeldWindow } from "../../../src/core/ports.ts";
import { makeDecision } from "../../fixtures/decision.ts";

const heldWindow = (windowId: string, heldAtMs: number): HeldWindow => ({
  windowId,
  dataset: "flights",
  heldAtMs,
  rows: 1,
  rejected: 0,
  decision: makeDecision(),
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

it("tells what is held and how full the disk is; what can't be looked up stands as it was last seen", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-watch-"));
  let looks = 0;
  const held = (dataset: string): Promise<readonly HeldWindow[]> => {
    looks++;
    if (dataset === "new") return Promise.reject(new SluiceError("NOT_FOUND", "no table yet"));
    if (looks > 2) return Promise.reject(new SluiceError("STORAGE_FAILED", "out of reach"));
    return Promise.resolve([heldWindow("w1", 1000), heldWindow("w2", 2000)]);
  };
  const watch = new LakeWatch({ lake: { held }, datasets: ["flights", "new"], folder, everyMs: 1 });
  expect([watch.standing.held.size, watch.standing.disk]).toEqual([0, null]);
  watch.start();
  await until(() => looks > 6);
  await watch.stop();
  const { held: found, disk } = watch.standing;
  expect([...found]).toEqual([["flights", { windows: 2, oldestMs: 1000 }]]);
  expect(disk?.sizeBytes).toBeGreaterThan(disk?.freeBytes ?? Number.NaN);
  const after = looks;
  await sleep(20);
  expect(looks).toBe(after);
  rmSync(folder, { recursive: true });
});

it("a lake on no disk of this host has no disk, and a folder that is gone has none any more", async () => {
  let looks = 0;
  const held = (): Promise<readonly HeldWindow[]> => Promise.resolve((looks++, []));
  for (const folder of [null, join(tmpdir(), "sluice-no-such-folder")]) {
    looks = 0;
    const watch = new LakeWatch({ lake: { held }, datasets: ["flights"], folder, everyMs: 1 });
    watch.start();
    await until(() => looks > 2);
    await watch.stop();
    expect(watch.standing.disk).toBeNull();
    expect(watch.standing.held.get("flights")).toEqual({ windows: 0, oldestMs: null });
  }
});
