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
const json = (run: CommandRun): unknown => JSON.parse(run.out);

it("a worker killed between a notice's delivery and its cursor delivers it again, under the same id; then persons answer", async () => {
  const config = arrange("a.ndjson");
  const doomed = start(["run", "--config", config], { ...env, SLUICE_CRASH_AT: "alert.after-send" });
  expect(await exited(doomed)).toBe("SIGKILL");
  const again = start(["run", "--config", config], env);
  const over = await ended(again);
  expect(over.code, over.err).toBe(0);
  const ids = receiver.taken.map((one) => one.json["id"]);
  expect([ids.length, new Set(ids).size, receiver.taken[0]?.json["kind"]]).toEqual([2, 1, "opened"]);
  const command = (...args: readonly string[]): Promise<CommandRun> => sluice(["incident", ...args, "--config", config], { env });
  const listed = await command("list", "--json");
  const { incidents } = json(listed) as { incidents: { id: string; title: string }[] };
  expect([listed.code, incidents.map((one) => one.title)]).toEqual([3, ["orders: too many records quarantined"]]);
  const id = incidents[0]?.id ?? "";
  const shown = await command("show", id.slice(0, 9));
  expect(shown.code, shown.err).toBe(3);
  for (const text of [
    "20.0% of 2000 records quarantined (at most 5.00% wanted)",
    "1,600 records of the same windows passed",
    "orders, partition 0: offsets 0 to before 2000",
    "rejected ",
    `sluice incident ack ${id} --config`,
  ])
    expect(shown.out).toContain(text);
  expect((await command("ack", id)).out).toMatch(/acknowledged by /);
  expect((await command("false-positive", id, "-m", "a test")).out).toBe(`${id}: labelled as a false positive\n`);
  const history = await command("list", "--all", "--json");
  expect(history.code).toBe(0);
  expect(json(history)).toMatchObject({
    incidents: [{ id, status: "resolved", resolution: { isFalsePositive: true, reason: "a test" } }],
  });
  // What persons said is told by the next worker.
  expect((await ended(start(["run", "--config", config], env))).code).toBe(0);
  expect(receiver.taken.map((one) => one.json["kind"])).toEqual(["opened", "opened", "acknowledged", "resolved"]);
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
  expect((await ended(start(["run", "--config", config], env))).code).toBe(0);
  expect(receiver.taken.every((one) => one.json["id"] === receiver.taken[0]?.json["id"])).toBe(true);
  expect(receiver.taken.length).toBeGreaterThanOrEqual(2);
});
