import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { AlertReceiver } from "../adapters/alerts/alert-receiver.ts";
import { alertReceiver } from "../adapters/alerts/alert-receiver.ts";
import type { CommandRun } from "../cli/sluice.ts";
import { ended, sluice, start } from "../cli/sluice.ts";
import { exited } from "./rig.ts";

let folder: string;
let receiver: AlertReceiver;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-alerts-"));
  receiver = await alertReceiver();
});
afterEach(async () => {
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

const orders = readFileSync(resolve(import.meta.dirname, "orders.odcs.yaml"), "utf8");

/** Two thousand orders of a file; of every five the first has an amount below zero. */
function arrange(name: string): string {
  writeFileSync(
    join(folder, "orders.odcs.yaml"),
    orders.replace("TOPIC", "orders").replace("tombstones: skip", "tombstones: skip\n          incidents: { quarantinePercent: 5 }"),
  );
  const lines = Array.from({ length: 2000 }, (_, i) =>
    JSON.stringify({ id: i, customer: "c1", amount: i % 5 === 0 ? -1 : 1, placed_at: "2024-01-01T00:00:00Z" }),
  );
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  const config = join(folder, "sluice.yaml");
  writeFileSync(
    config,
    `source: { kind: files, paths: ["${name}"] }
datasets: [{ contract: orders.odcs.yaml }]
http: { enabled: false }
alerts: { receivers: [{ kind: webhook, name: ops, url: "${receiver.url}", secret: "\${HOOK_SECRET}" }] }
`,
  );
  return config;
}

const env = { HOOK_SECRET: "a secret of enough length" };
/** Runs workers, one after another, until something holds: one that a slow machine gives little time to leaves the rest to the next. */
async function runUntil(config: string, holds: () => boolean): Promise<void> {
  while (!holds()) {
    const { code, err } = await ended(start(["run", "--config", config], env));
    expect(code, err).toBe(0);
  }
}

const kinds = (): unknown[] => receiver.taken.map((one) => one.json["kind"]);

it("a worker killed between a notice's delivery and its cursor delivers it again, under the same id; then persons answer", async () => {
  const config = arrange("a.ndjson");
  const doomed = (): Promise<number | string> =>
    exited(start(["run", "--config", config], { ...env, SLUICE_CRASH_AT: "alert.after-send" }));
  while ((await doomed()) !== "SIGKILL");
  const before = receiver.taken.length;
  await runUntil(config, () => receiver.taken.length > before);
  expect([before > 0, new Set(kinds()), new Set(receiver.taken.map((one) => one.json["id"])).size]).toEqual([true, new Set(["opened"]), 1]);
  const command = (...args: readonly string[]): Promise<CommandRun> => sluice(["incident", ...args, "--config", config], { env });
  const listed = await command("list", "--json");
  const { incidents } = JSON.parse(listed.out) as { incidents: { id: string; title: string }[] };
  expect([listed.code, incidents.map((one) => one.title)]).toEqual([3, ["orders: too many records quarantined"]]);
  const id = incidents[0]?.id ?? "";
  const shown = await command("show", id.slice(0, 9));
  expect(shown.code, shown.err).toBe(3);
  expect(shown.out).toMatch(/\d\d\.\d% of \d+ records quarantined \(at most 5\.00% wanted\)/);
  expect(shown.out).toMatch(/records of the same windows passed and are on main/);
  expect(shown.out).toMatch(/orders, partition 0: offsets \d+ to before \d+/);
  expect(shown.out).toMatch(/rejected sha256:[0-9a-f]{64}:0:\d+: amount\.range: /);
  expect(shown.out).toContain(`sluice incident ack ${id} --config`);
  expect((await command("ack", id)).out).toMatch(/acknowledged by /);
  expect((await command("false-positive", id, "-m", "a test")).out).toBe(`${id}: labelled as a false positive\n`);
  // What persons said is told by the next worker.
  await runUntil(config, () => kinds().includes("resolved"));
  expect(kinds().filter((kind) => kind !== "opened")).toEqual(["acknowledged", "resolved"]);
});

it("a receiver that never answers holds up neither data nor the end of a run; the next run tells what it was not told", async () => {
  const config = arrange("b.ndjson");
  receiver.answers.push("silence", "silence", "silence");
  const first = await ended(start(["run", "--config", config, "--json"], env));
  expect(first.code, first.err).toBe(0);
  const counts = first.out
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { counts: { promoted: number } }).counts.promoted);
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(1600);
  receiver.answers.length = 0;
  const before = receiver.taken.length;
  await runUntil(config, () => receiver.taken.length > before);
  expect(new Set(receiver.taken.map((one) => one.json["id"])).size).toBe(1);
});
