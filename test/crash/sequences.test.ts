import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLake } from "../adapters/lake/lake-fixture.ts";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { exited, Rig } from "./rig.ts";

const partitions = 3;
const customers = 40;
const rule = `    quality:
      - { id: counts, type: custom, engine: sluice, implementation: { check: sequence, column: id, by: [customer] } }
    properties:`;

/** What is expected of the records of all partitions: how many break their sequence, and what is said of those that are rejected. */
class Reference {
  breaks = 0;
  readonly rejected: string[] = [];
  readonly #last = new Map<number, number>();

  take(customer: number, id: number): void {
    const last = this.#last.get(customer);
    if (last !== undefined && id !== last + 1) this.breaks++;
    if (last !== undefined && id <= last) this.rejected.push(`id is ${id}, expected ${last + 1}, after ${last}`);
    if (last === undefined || id > last) this.#last.set(customer, id);
  }

  next(customer: number): number {
    return (this.#last.get(customer) ?? 0) + 1;
  }
}

describe.skipIf(!kafkaHere.available)("numbers that count up per key", () => {
  let rig: Rig;
  const reference = new Reference();
  beforeAll(async () => {
    const contract = (text: string): string => text.replace("    properties:", rule);
    rig = await Rig.open((await sharedBroker()).bootstrap, { partitions, contract });
  });
  afterAll(() => rig.close());

  /** The next numbers of every customer, whose records all come by one partition; now and then one is left out, sent twice, or sent again late. */
  async function count(rounds: number, seed: number): Promise<void> {
    const records: { key: string; value: string; partition: number }[] = [];
    const send = (customer: number, id: number): void => {
      reference.take(customer, id);
      const value = `{"id":${id},"customer":"c${customer}","amount":1,"placed_at":"2026-01-01T00:00:00Z"}`;
      records.push({ key: `c${customer}`, value, partition: customer % partitions });
    };
    for (let i = 0; i < rounds * customers; i++) {
      const customer = i % customers;
      const kind = (i * 31 + seed * 7) % 53;
      const next = reference.next(customer);
      send(customer, kind === 1 ? next + 3 : next);
      if (kind === 2) send(customer, next);
      if (kind === 3) send(customer, Math.max(1, next - 2));
    }
    await produce(rig.bootstrap, rig.topic, records);
  }

  it("are judged alike whatever is killed on the way: each break once, in its place", { timeout: 300_000 }, async () => {
    let seed = 0;
    for (const step of ["data-file.written", "metadata.written", "catalog.before-commit", "catalog.after-commit"]) {
      await count(15, seed++);
      expect(await exited(rig.worker({ SLUICE_CRASH_AT: `${step}:2` })), rig.lastLog()).toBe("SIGKILL");
    }
    for (const wait of [800, 1300]) {
      await count(15, seed++);
      const doomed = rig.worker();
      await sleep(wait);
      doomed.kill("SIGKILL");
      await exited(doomed);
    }
    const last = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(last), rig.lastLog()).toBe(0);
    const lake = await openLake(join(rig.folder, "lake"), { namespace: "sluice" });
    let breaks = 0;
    let windows = 0;
    for await (const { decision } of lake.history("orders", 0n)) {
      windows++;
      breaks += decision.rules.find(({ rule: id }) => id === "counts")?.failed ?? 0;
    }
    const rejected: string[] = [];
    for await (const { reasons } of lake.quarantined("orders", {})) rejected.push(...reasons.map(({ message }) => message));
    await lake.close();
    expect(windows).toBeGreaterThan(5);
    expect(reference.breaks).toBeGreaterThan(100);
    expect(rejected.toSorted()).toEqual(reference.rejected.toSorted());
    expect(breaks).toBe(reference.breaks);
    expect((await rig.check(true)).problems).toEqual([]);
  });
});
