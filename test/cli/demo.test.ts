import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countFaults, faultOf, isDrifted } from "../../src/cli/demo/faults.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface DemoJson {
  readonly produced: number;
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  readonly skipped: number;
  readonly faults: Readonly<Record<string, number>>;
}

interface HeldJson {
  readonly held: readonly { readonly windowId: string; readonly rows: number; readonly rejected: number }[];
}

const sum = (counts: DemoJson): number => counts.promoted + counts.quarantined + counts.held + counts.skipped;
const total = (faults: DemoJson["faults"]): number => Object.values(faults).reduce((a, b) => a + b, 0);

it("faults follow from the index alone, in their declared shares", () => {
  const counts = countFaults(336_776);
  expect(Object.fromEntries(counts)).toEqual({
    "carrier missing": 688,
    "unknown carrier": 641,
    "distance below zero": 650,
    "delay as text": 650,
    "broken JSON": 479,
    tombstone: 149,
  });
  expect([faultOf(5)?.name, faultOf(5)?.name]).toEqual([faultOf(5)?.name, faultOf(5)?.name]);
  expect([isDrifted(599, 1000), isDrifted(600, 1000), isDrifted(699, 1000), isDrifted(700, 1000)]).toEqual([false, true, true, false]);
});

describe("the demo over files, and what a person does after it", () => {
  const place = join(folder, "files");
  const config = ["--config", join(place, "sluice.yaml")];
  const ask = async <T>(...args: readonly string[]): Promise<T> => JSON.parse((await sluice([...args, ...config, "--json"])).out) as T;
  let result: DemoJson;

  beforeAll(async () => {
    const { code, out, err } = await sluice(["demo", "--files", "--rows", "80000", "--folder", place, "--json"]);
    expect([code, err.includes("NDJSON files are read instead")]).toEqual([0, true]);
    result = JSON.parse(out) as DemoJson;
  });

  it("puts every record in one place, and finds every declared fault", async () => {
    expect(sum(result)).toBe(result.produced);
    expect(result.held).toBeGreaterThan(0);
    const { held } = await ask<HeldJson>("hold", "list");
    expect(result.quarantined + held.reduce((rejected, one) => rejected + one.rejected, 0)).toBe(total(result.faults));
    expect(held.reduce((rows, one) => rows + one.rows + one.rejected, 0)).toBe(result.held);
  });

  it("can be looked at", async () => {
    const status = await sluice(["status", ...config]);
    expect(status.code).toBe(3);
    expect(status.out).toMatch(/^flights\n[^]*promoted[^]*waits\s+window w/);
    const snapshots = await ask<{ total: number; snapshots: { refs: string[] }[] }>("snapshots", "--limit", "3");
    expect(snapshots.snapshots).toHaveLength(3);
    expect(snapshots.snapshots[0]?.refs).toContain("main");
    const list = await ask<{ total: number; byRule: Record<string, number>; records: { id: string }[] }>(
      "quarantine",
      "list",
      "--limit",
      "1",
    );
    expect(list.total).toBe(result.quarantined);
    expect(list.records).toHaveLength(1);
    const id = list.records[0]?.id ?? "";
    const raw = await sluice(["quarantine", "show", id, "--raw", "value", ...config]);
    const shown = await ask<{ value: { text: string; base64: string } }>("quarantine", "show", id);
    expect(Buffer.from(shown.value.base64, "base64").toString()).toBe(raw.out);
    const input = readFileSync(join(place, "input/flights-000.ndjson"), "utf8").split("\n");
    expect(input).toContain(raw.out);
    expect((await sluice(["quarantine", "show", "no-such-id", ...config])).code).toBe(1);
  });

  it("takes answers to held windows, once", async () => {
    const { held } = await ask<HeldJson>("hold", "list");
    const windowId = held[0]?.windowId ?? "";
    const published = await sluice(["hold", "publish", windowId, "-m", "checked", ...config]);
    expect([published.code, published.err]).toEqual([0, ""]);
    const again = await sluice(["hold", "drop", windowId, ...config]);
    expect([again.code, again.err.includes("HELD_WINDOW_SETTLED")]).toEqual([1, true]);
    expect((await ask<HeldJson>("hold", "list")).held).toHaveLength(held.length - 1);
    const { datasets } = await ask<{ datasets: (DemoJson & { records: number })[] }>("status");
    expect(sum(datasets[0] as DemoJson)).toBe(result.produced);
  });

  it("replays what a corrected contract lets through, and reports what fails again with 3", async () => {
    const contract = join(place, "flights.odcs.yaml");
    writeFileSync(
      contract,
      readFileSync(contract, "utf8").replace('validValues: ["9E"', 'validValues: ["??", "9E"').replace("version: 1.0.0", "version: 1.1.0"),
    );
    const { byRule } = await ask<{ byRule: Record<string, number> }>("quarantine", "list");
    const replayed = await sluice(["quarantine", "replay", "--rule", "carrier_known", ...config, "--json"]);
    expect(replayed.code).toBe(0);
    expect(JSON.parse(replayed.out)).toMatchObject({ contract: { version: "1.1.0" }, promoted: byRule["carrier_known"], failed: 0 });
    const failing = await sluice(["quarantine", "replay", "--rule", "distance_mi.range", ...config]);
    expect(failing.code).toBe(3);
    expect(failing.out).toMatch(/0 promoted, \d+ failed again/);
    expect((await sluice(["quarantine", "list", "--rule", "carrier_known", ...config])).out).toMatch(/^No record/);
  });

  it("takes a person's word for the new normal of drift", async () => {
    const { code, out } = await sluice(["drift", "rebase", "--windows", "4", "-m", "fewer airlines", ...config, "--json"]);
    expect([code, JSON.parse(out)]).toMatchObject([0, { dataset: "flights", windows: 4, reason: "fewer airlines" }]);
    expect((await sluice(["drift", "rebase", "--windows", "0", ...config])).code).toBe(2);
  });

  it("goes on with `sluice run`: no file is read twice", async () => {
    const { code, out } = await sluice(["run", ...config, "--json"]);
    expect([code, out]).toEqual([0, ""]);
  });
});

it("refuses a folder that it did not make", async () => {
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "precious.txt"), "x");
  const { code, err } = await sluice(["demo", "--files", "--folder", other]);
  expect([code, err.includes("no demo made")]).toEqual([1, true]);
  expect(readFileSync(join(other, "precious.txt"), "utf8")).toBe("x");
  expect((await sluice(["demo", "--resume", "--folder", join(folder, "none")])).code).toBe(2);
});

describe.skipIf(!kafkaHere.available)("the demo over Kafka", () => {
  it("survives kill -9 while it produces and while it judges: nothing is lost or doubled", { timeout: 300_000 }, async () => {
    const { bootstrap } = await sharedBroker();
    const env = { SLUICE_BROKERS: bootstrap };
    const place = join(folder, "kafka");
    const first = start(["demo", "--rows", "30000", "--folder", place], env);
    const run = ended(first);
    await new Promise<void>((settle) => {
      first.stderr?.on("data", (chunk: Buffer) => {
        if (chunk.includes("Process")) settle();
      });
    });
    await sleep(700);
    first.kill("SIGKILL");
    expect((await run).out).toBe("");
    const crash = await sluice(["demo", "--resume", "--folder", place], { env: { ...env, SLUICE_CRASH_AT: "catalog.after-commit:4" } });
    expect(crash.code).toBe(null);
    const { code, out } = await sluice(["demo", "--resume", "--folder", place, "--json"], { env });
    const result = JSON.parse(out) as DemoJson;
    expect([code, result.produced, sum(result)]).toEqual([0, 30_000, 30_000]);
  });

  it("leaves what is judged committed on SIGINT, and ends with 0", async () => {
    const { bootstrap } = await sharedBroker();
    const child = start(["demo", "--rows", "30000", "--keep", "--folder", join(folder, "keep")], { SLUICE_BROKERS: bootstrap });
    const run = ended(child);
    await new Promise<void>((settle) => {
      let told = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes("judged 30,000")) settle();
      });
    });
    child.kill("SIGINT");
    const { code, out } = await run;
    expect(code).toBe(0);
    expect(out).toContain("every record is in exactly one place");
  });
});
