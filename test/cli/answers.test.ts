import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Rig } from "../crash/rig.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { deleteRecords, topicOffsets } from "../live/harness/topics.ts";
import type { CommandRun } from "./sluice.ts";
import { sluice } from "./sluice.ts";

/** Of the rig's records a tenth has an amount below zero: beyond this tolerance. */
const strict = `
    quality:
      - id: amounts_are_positive
        type: custom
        engine: sluice
        implementation: { check: range, column: amount, minimum: 0, tolerance: { percent: 5 } }
`;

interface Lists {
  readonly total: number;
  readonly byRule: Readonly<Record<string, number>>;
  readonly records: readonly { readonly id: string; readonly attempt: number; readonly state: string }[];
  readonly held: readonly { readonly windowId: string }[];
}

interface Status {
  readonly records: number;
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  readonly lag: string;
  readonly blocks: readonly { readonly code: string; readonly partition: number | null }[];
}

describe.skipIf(!kafkaHere.available)("what a person answers, seen by the conservation checker", () => {
  let rig: Rig | null = null;
  afterEach(() => rig?.close());

  const open = async (contract?: (text: string) => string, partitions = 2): Promise<Rig> =>
    (rig = await Rig.open((await sharedBroker()).bootstrap, { partitions, ...(contract !== undefined && { contract }) }));
  const command = (at: Rig, args: readonly string[], env: Record<string, string> = {}): Promise<CommandRun> =>
    sluice([...args, "--config", at.configFile], { env });
  const ask = async (at: Rig, ...args: readonly string[]): Promise<Lists> =>
    JSON.parse((await command(at, [...args, "--json"])).out) as Lists;
  const statusOf = async (at: Rig): Promise<Status> =>
    (JSON.parse((await command(at, ["status", "--json"])).out) as { datasets: readonly Status[] }).datasets[0] as Status;
  const correct = (at: Rig, change: (text: string) => string): void => {
    const file = join(at.folder, "orders.odcs.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")).replace("version: 1.0.0", "version: 1.0.1"));
  };
  const blocked = async (at: Rig, code: string): Promise<Status> => {
    // The worker may not have made the lake yet.
    while ((await command(at, ["status"])).code === 1) await sleep(200);
    for (;;) {
      const status = await statusOf(at);
      if (status.blocks.some((one) => one.code === code)) return status;
      await sleep(200);
    }
  };

  it("one held window published, one dropped, one left: each record is still in one place", async () => {
    const at = await open((text) => text + strict);
    const worker = at.worker();
    for (let window = 0; window < 3; window++) {
      await at.produce(200);
      await at.caughtUp();
    }
    const { held } = await ask(at, "hold", "list");
    expect(held.length).toBeGreaterThanOrEqual(3);
    const [first, second] = held.map((one) => one.windowId) as [string, string];
    expect((await command(at, ["hold", "publish", first, "-m", "real"])).code).toBe(0);
    expect((await command(at, ["hold", "drop", second, "-m", "resent"])).code).toBe(0);
    expect(await at.terminate(worker), at.lastLog()).toBe(0);
    const report = await at.check(true);
    expect(report.problems).toEqual([]);
    const { promoted, quarantined, held: waiting, records } = await statusOf(at);
    expect([report.promoted, report.quarantined, report.held]).toEqual([promoted, quarantined, waiting]);
    expect([records, promoted > 0, waiting > 0]).toEqual([600, true, true]);
    expect((await ask(at, "quarantine", "list")).byRule["window.held"]).toBeGreaterThan(0);
  });

  it("a window that stopped its topic is set aside, or judged again by a corrected contract", async () => {
    // One partition: what is sent at once comes in one fetch, so it is one window however slow the machine.
    const at = await open((text) => text.replace("tombstones: skip", "tombstones: skip\n          onBreach: stop") + strict, 1);
    const worker = at.worker();
    await at.produce(200);
    expect(await blocked(at, "WINDOW_STOPPED")).toMatchObject({ promoted: 0, held: 0 });
    const shown = await command(at, ["status"]);
    expect([shown.code, shown.out.includes("sluice unblock --retry"), shown.out.includes("sluice unblock --hold")]).toEqual([
      3,
      true,
      true,
    ]);
    expect((await command(at, ["unblock", "--hold", "-m", "tomorrow"])).out).toMatch(/^cleared \(hold\): /);
    await at.caughtUp();
    // Only one window was allowed to be held: the next one stops again.
    await at.produce(200);
    const again = await blocked(at, "WINDOW_STOPPED");
    expect(again.held).toBeGreaterThan(0);
    correct(at, (text) => text.replace("percent: 5", "percent: 50"));
    expect((await command(at, ["unblock", "--retry", "-m", "contract corrected"])).code).toBe(0);
    await at.caughtUp();
    expect(await at.terminate(worker), at.lastLog()).toBe(0);
    expect((await at.check(true)).problems).toEqual([]);
    const { promoted, blocks } = await statusOf(at);
    expect([promoted > 0, blocks]).toEqual([true, []]);
    expect((await command(at, ["unblock", "--retry"])).out).toMatch(/^Nothing of orders was stopped/);
  });

  it("replays promote what passes now, count what fails, and park it in the end", async () => {
    const at = await open();
    const worker = at.worker();
    await at.produce(400);
    await at.caughtUp();
    expect(await at.terminate(worker), at.lastLog()).toBe(0);
    const env = { SLUICE_QUARANTINE_ATTEMPTS_MAX: "2" };
    const replay = async (...args: readonly string[]): Promise<unknown> => {
      const { code, out } = await command(at, ["quarantine", "replay", ...args, "--json"], env);
      const { replayed, promoted, failed, parked } = JSON.parse(out) as Record<string, number>;
      return { code, replayed, promoted, failed, parked };
    };
    const before = await ask(at, "quarantine", "list");
    const amounts = before.byRule["amount.range"] as number;
    const others = before.total - amounts;
    expect([amounts, others].every((one) => one > 5)).toBe(true);

    expect(await replay()).toEqual({ code: 3, replayed: before.total, promoted: 0, failed: before.total, parked: 0 });
    expect((await ask(at, "quarantine", "list")).records.every((one) => one.attempt === 1 && one.state === "open")).toBe(true);
    correct(at, (text) => text.replace("minimum: 0", "minimum: -2"));
    expect(await replay()).toEqual({ code: 3, replayed: before.total, promoted: amounts, failed: others, parked: others });
    expect(await replay()).toEqual({ code: 0, replayed: 0, promoted: 0, failed: 0, parked: 0 });

    const parked = await ask(at, "quarantine", "list", "--state", "parked");
    expect([parked.total, parked.records.every((one) => one.attempt === 2)]).toEqual([others, true]);
    // The checker compares each promoted row with the record at its topic id, partition and offset.
    const report = await at.check(false);
    expect(report.problems).toEqual([]);
    expect([report.quarantined, report.unread]).toEqual([others, 0]);
  });

  it("a partition whose unread records were removed stops alone, and goes on where a person says", async () => {
    const at = await open();
    const first = at.worker();
    await at.produce(100);
    await at.caughtUp();
    expect(await at.terminate(first), at.lastLog()).toBe(0);
    await at.produce(100);
    const [ends] = await topicOffsets(at.bootstrap, at.topic);
    await deleteRecords(at.bootstrap, at.topic, 0, (ends?.latest ?? 0n) - 10n);
    const second = at.worker();
    const status = await blocked(at, "SOURCE_OFFSET_OUT_OF_RANGE");
    expect(status.blocks.map((one) => one.partition)).toEqual([0]);
    const shown = await command(at, ["source", "status"]);
    expect([shown.code, shown.out.includes("sluice source reset --partition 0 --to earliest")]).toEqual([3, true]);
    const reset = await command(at, ["source", "reset", "--partition", "0", "--to", "earliest", "-m", "retention", "--json"]);
    expect(JSON.parse(reset.out)).toMatchObject({ removed: [], set: [{ partition: 0, next: String((ends?.latest ?? 0n) - 10n) }] });
    await at.caughtUp();
    expect(await at.terminate(second), at.lastLog()).toBe(0);
    expect(await statusOf(at)).toMatchObject({ records: 100 + 50 + 10, lag: "0", blocks: [] });
  });
});
