import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stepNames } from "../../src/core/ports.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { exited, Rig } from "./rig.ts";

/** 10 in `npm test`, 50 in `npm run test:crash`. */
const randomKills = Number(process.env["SLUICE_RANDOM_KILLS"] ?? "10");

/** mulberry32: the same kills again by the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe.skipIf(!kafkaHere.available)("a worker killed with -9", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.open((await sharedBroker()).bootstrap);
    await rig.produce(1500);
  });
  afterAll(() => rig.close());

  it.each(stepNames)("at %s loses and doubles nothing", { timeout: 300_000 }, async (step) => {
    await rig.produce(900);
    const doomed = rig.worker({ SLUICE_CRASH_AT: `${step}:2` });
    expect(await exited(doomed), rig.lastLog()).toBe("SIGKILL");
    const next = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(next), rig.lastLog()).toBe(0);
    const report = await rig.check(true);
    expect(report.problems).toEqual([]);
    expect(report.promoted).toBeGreaterThan(0);
    expect(report.quarantined).toBeGreaterThan(0);
  });

  it(`at ${randomKills} random moments loses and doubles nothing`, { timeout: 60_000 * Math.max(10, randomKills) }, async () => {
    const next = random(20_261_122);
    for (let kill = 0; kill < randomKills; kill++) {
      await rig.produce(400);
      const doomed = rig.worker();
      await sleep(300 + next() * 2200);
      doomed.kill("SIGKILL");
      await exited(doomed);
      if (kill % 5 === 4) expect((await rig.check(false)).problems).toEqual([]);
    }
    const last = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(last), rig.lastLog()).toBe(0);
    expect((await rig.check(true)).problems).toEqual([]);
  });
});
