import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { createTopic, deleteRecords, deleteTopic, uniqueTopic } from "../live/harness/topics.ts";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-headers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, "sluice.yaml");

interface Headers {
  readonly read: number;
  readonly gone: number;
  readonly headers: readonly {
    readonly key: string;
    readonly times: number;
    readonly distinct: number;
    readonly values: readonly unknown[];
  }[];
}
interface Traced {
  readonly headers: Headers;
  readonly window: { readonly records: number };
  readonly events: {
    readonly lineage: { readonly runId: string; readonly job: string };
    readonly toldTo: readonly { readonly sink: string; readonly isTold: boolean }[];
  };
}

async function command(...args: string[]): Promise<string> {
  const { code, out, err } = await sluice([...args, "--config", config]);
  expect(code, err + out).toBe(0);
  return out;
}

it.skipIf(!kafkaHere.available)(
  "a version is followed to its producers' headers, while the topic has them, and to the events that told of it",
  async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("orders");
    await createTopic(bootstrap, topic);
    const contract = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8");
    writeFileSync(join(folder, "orders.odcs.yaml"), contract.replace("TOPIC", topic));
    writeFileSync(
      config,
      `source: { kind: kafka, brokers: ["${bootstrap}"], group: ${topic} }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\nlineage: { transports: [{ kind: file, path: lineage.ndjson }] }\n`,
    );
    const order = (id: number): string => JSON.stringify({ id, customer: "c1", amount: 1, placed_at: "2024-01-01T00:00:00Z" });
    // One batch, and so one window.
    await produce(
      bootstrap,
      topic,
      [1, 2, 3, 4].map((id) => ({
        value: order(id),
        headers: [["app", id === 1 ? "batch" : "shop\u001b[31m"], ...(id === 4 ? [["empty", null] as const] : [])],
      })),
    );
    const worker = start(["run", "--config", config, "--json"]);
    let out = "";
    worker.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    const over = ended(worker);
    let snapshotId = "";
    const traced = async (): Promise<Traced> => JSON.parse(await command("trace", "snapshot", snapshotId, "--headers", "--json")) as Traced;
    try {
      while (!out.includes("\n")) {
        if (worker.exitCode !== null) throw new Error((await over).err);
        await sleep(100);
      }
      ({ snapshotId } = JSON.parse(out.split("\n")[0]!) as { snapshotId: string });
      while (!(await traced()).events.toldTo.some(({ isTold }) => isTold)) await sleep(100);
    } finally {
      worker.kill("SIGTERM");
    }
    expect((await over).code).toBe(0);

    const whole = await traced();
    expect(whole.headers).toMatchObject({ read: 4, gone: 0 });
    expect(whole.headers.headers).toEqual([
      {
        key: "app",
        times: 4,
        distinct: 2,
        values: [
          { value: "shop\u001b[31m", times: 3 },
          { value: "batch", times: 1 },
        ],
      },
      { key: "empty", times: 1, distinct: 1, values: [{ value: null, times: 1 }] },
    ]);
    const { events } = whole;
    const sent = readFileSync(join(folder, "lineage.ndjson"), "utf8").trim().split("\n");
    const runs = sent.map((line) => JSON.parse(line) as { run: { runId: string }; job: { name: string } });
    expect(runs.filter(({ run, job }) => run.runId === events.lineage.runId && job.name === events.lineage.job).length).toBe(2);
    expect(events.toldTo).toEqual([{ sink: "lineage-file", isTold: true }]);

    const shown = await command("trace", "snapshot", snapshotId, "--headers");
    expect(shown).toContain("producers' headers of 4 records\n");
    expect(shown).toMatch(/app +4 +2 +shop.* \(3\), batch \(1\)/);
    expect(shown).not.toContain("\u001b");
    expect(shown).toContain(`lineage: run ${events.lineage.runId}`);
    expect(await command("trace", "record", `${topic}:0:0`, "--headers")).toMatch(/headers of 1 records\n.*\napp +1 +1 +batch \(1\)/);

    // What retention has taken is said to be gone; another topic under the name is another source.
    await deleteRecords(bootstrap, topic, 0, 3n);
    expect((await traced()).headers).toMatchObject({ read: 1, gone: 3 });
    expect(await command("trace", "snapshot", snapshotId, "--headers")).toContain("of 1 records; 3 more are not in the topic any longer");
    await deleteTopic(bootstrap, topic);
    await createTopic(bootstrap, topic);
    await produce(bootstrap, topic, [{ value: order(9), headers: [["app", "another"]] }]);
    expect((await traced()).headers).toMatchObject({ read: 0, gone: 4, headers: [] });
  },
);
