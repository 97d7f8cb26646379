import type { ChildProcess } from "node:child_process";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ownBroker } from "../live/harness/own-brokers.ts";
import { kafkaHere, ownBrokersHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { exited, Rig } from "./rig.ts";

const rigs: Rig[] = [];

async function openRig(bootstrap: string, options: Parameters<typeof Rig.open>[1] = {}): Promise<Rig> {
  const rig = await Rig.open(bootstrap, options);
  rigs.push(rig);
  return rig;
}

afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.close()));
});

async function finish(rig: Rig): Promise<void> {
  await rig.caughtUp();
  await rig.stop();
  const report = await rig.check(true);
  expect(report.problems, rig.lastLog()).toEqual([]);
}

/** SIGSTOP, but not within a catalog transaction: SQLite's lock would freeze everybody, as it must. */
async function freeze(worker: ChildProcess, catalogFile: string): Promise<void> {
  for (;;) {
    worker.kill("SIGSTOP");
    await sleep(50);
    const database = new DatabaseSync(catalogFile, { timeout: 200 });
    try {
      database.exec("BEGIN IMMEDIATE");
      database.exec("ROLLBACK");
      return;
    } catch {
      worker.kill("SIGCONT");
      await sleep(20);
    } finally {
      database.close();
    }
  }
}

/** A folder on a small file system of its own; null where the machine does not let us. */
function smallDisk(bytes: number): { folder: string; unmount: () => void } | null {
  const folder = mkdtempSync(join(tmpdir(), "sluice-small-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    folder,
    unmount: () => {
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

describe.skipIf(!kafkaHere.available)("faults around real workers", () => {
  it("a zombie (frozen past its session, its records committed by another) loses and doubles nothing", { timeout: 400_000 }, async () => {
    const rig = await openRig((await sharedBroker()).bootstrap, { source: "" });
    await rig.produce(3000);
    const zombie = rig.worker({ SLUICE_SOURCE_INSTANCE_ID: "zombie" });
    while ((await rig.lag()) > 2600n) await sleep(20);
    await freeze(zombie, rig.catalogFile);
    const heir = rig.worker({ SLUICE_SOURCE_INSTANCE_ID: "heir" });
    await rig.produce(2000);
    await rig.caughtUp();
    zombie.kill("SIGCONT");
    await rig.produce(1000);
    await sleep(3000);
    expect(heir.exitCode).toBeNull();
    await finish(rig);
  });

  it("two workers under rebalances every few seconds", { timeout: 400_000 }, async () => {
    const rig = await openRig((await sharedBroker()).bootstrap, { partitions: 6 });
    await rig.produce(1000);
    rig.worker({ SLUICE_SOURCE_INSTANCE_ID: "steady" });
    for (let round = 0; round < 4; round++) {
      const guest = rig.worker({ SLUICE_SOURCE_INSTANCE_ID: `guest-${round}` });
      await rig.produce(1500);
      await sleep(2500);
      const over = exited(guest);
      guest.kill(round % 2 === 0 ? "SIGTERM" : "SIGKILL");
      await over;
      await rig.produce(500);
    }
    await finish(rig);
  });

  it("a catalog locked by somebody else for seconds", { timeout: 400_000 }, async () => {
    const rig = await openRig((await sharedBroker()).bootstrap);
    await rig.produce(800);
    const worker = rig.worker();
    await rig.caughtUp();
    const database = new DatabaseSync(rig.catalogFile);
    database.exec("BEGIN EXCLUSIVE");
    await rig.produce(1200);
    await sleep(5000);
    expect(worker.exitCode, rig.lastLog()).toBeNull();
    database.exec("ROLLBACK");
    database.close();
    await finish(rig);
  });

  it("a full disk holds the window, and nothing is lost when there is room again", { timeout: 400_000 }, async (context) => {
    const disk = smallDisk(3 << 20);
    if (disk === null) {
      context.skip("this machine mounts no tmpfs");
      return;
    }
    try {
      const rig = await openRig((await sharedBroker()).bootstrap, { folder: join(disk.folder, "rig") });
      await rig.produce(400);
      const worker = rig.worker();
      await rig.caughtUp();
      spawnSync("sh", ["-c", `head -c 100000000 /dev/zero > ${join(disk.folder, "filler")}`]);
      await rig.produce(1500);
      await sleep(4000);
      expect(worker.exitCode, rig.lastLog()).toBeNull();
      expect(await rig.lag()).toBeGreaterThan(0n);
      rmSync(join(disk.folder, "filler"));
      await finish(rig);
    } finally {
      await Promise.all(rigs.splice(0).map((rig) => rig.close()));
      disk.unmount();
    }
  });
});

describe.skipIf(!ownBrokersHere)("a broker that goes away", () => {
  it("comes back, and the worker goes on by itself", { timeout: 400_000 }, async () => {
    const broker = await ownBroker();
    try {
      const rig = await openRig(broker.bootstrap);
      await rig.produce(1500);
      const worker = rig.worker();
      while ((await rig.lag()) > 1000n) await sleep(20);
      await broker.kill();
      await sleep(4000);
      await broker.restart();
      await rig.produce(1500);
      expect(worker.exitCode, rig.lastLog()).toBeNull();
      await finish(rig);
    } finally {
      await Promise.all(rigs.splice(0).map((rig) => rig.close()));
      await broker.stop();
    }
  });
});
