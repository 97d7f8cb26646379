import { expect, it } from "vitest";
import type { Lake } from "../../src/core/ports.ts";
import { recordLineage, type RecordedEvent } from "../../src/trace/lineage-readings.ts";
import { traceJob } from "../../src/trace/trace-job.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";

const event = (inputs: readonly unknown[], more: Record<string, unknown> = {}): Record<string, unknown> => ({
  eventType: "COMPLETE",
  eventTime: "2100-01-01T00:00:00Z",
  producer: "https://example.org/trainer",
  job: { namespace: "ml", name: "train" },
  run: {
    runId: "0190f5b2-0000-7000-8000-000000000001",
    facets: { parent: { job: { namespace: "ml", name: "nightly" }, run: { runId: "p1" } } },
  },
  inputs,
  ...more,
});

const input = (name: string, facets: Record<string, unknown>): Record<string, unknown> => ({ namespace: "file", name, facets });
const post = (lake: Lake, body: unknown): Promise<RecordedEvent> => recordLineage(lake, { tableNamespace: "db" }, body, 5000);

it("inputs are tied to exact snapshots, whichever of its names a table goes by", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const first = (await lake.snapshots("orders")).at(-1)!.snapshotId;
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] }));
  const version = { version: { datasetVersion: first } };
  const { tableUuid } = await lake.state("orders");
  const named = [
    input("/warehouse/db/orders", version),
    input(`/anywhere/tables/${tableUuid}`, version),
    input("/elsewhere", { ...version, symlinks: { identifiers: [{ namespace: "hive://x", name: "db.orders", type: "TABLE" }] } }),
  ];
  for (const [i, each] of named.entries()) {
    const run = { runId: `run-${i}` };
    expect(await post(lake, event([each, input("/warehouse/db/others", version)], { run }))).toEqual({ recorded: 1, ignored: 1 });
  }
  expect((await traceJob(lake, "train", null)).map((each) => [each.runId, each.snapshotId, each.details["assumed"]])).toEqual([
    ["run-0", first, undefined],
    ["run-1", first, undefined],
    ["run-2", first, undefined],
  ]);
  // START, RUNNING and COMPLETE say the same.
  expect(await post(lake, event([named[0]], { run: { runId: "run-0" } }))).toEqual({ recorded: 0, ignored: 1 });
  await lake.close();
});

it("a version that is not named is assumed and says so; one that the table does not have is not recorded", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const head = (await lake.snapshots("orders")).at(-1)!;
  const plain = input("/w/db/orders", {});
  expect(await post(lake, event([plain]))).toEqual({ recorded: 1, ignored: 0 });
  expect(await collect(lake.consumption.of("orders"))).toEqual([
    {
      dataset: "orders",
      snapshotId: head.snapshotId,
      kind: "declared",
      reader: "OpenLineage",
      job: "train",
      runId: "0190f5b2-0000-7000-8000-000000000001",
      atMs: 5000,
      details: {
        jobNamespace: "ml",
        parentJob: "nightly",
        parentRun: "p1",
        producer: "https://example.org/trainer",
        assumed: "the event names no version: this was main at its time",
      },
    },
  ]);
  expect(await post(lake, event([plain], { eventTime: "1990-01-01T00:00:00Z" }))).toEqual({ recorded: 0, ignored: 1 });
  // An id that was rounded to a double is another snapshot's, or nobody's: it is not guessed.
  expect(await post(lake, event([input("/w/db/orders", { version: { datasetVersion: "77" } })]))).toEqual({ recorded: 0, ignored: 1 });
  await lake.close();
});

it("what is no event is refused with what is wrong", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  for (const [body, said] of [
    ["text", "no JSON object"],
    [event([], { job: {} }), "job.name"],
    [event([], { run: { runId: 7 } }), "run.runId"],
    [event([], { eventTime: "soon" }), "eventTime"],
    [event([], { inputs: {} }), "inputs"],
  ] as const) {
    await expect(post(lake, body)).rejects.toMatchObject({ code: "EVENT_INVALID", message: expect.stringContaining(said) });
  }
  expect(await post(lake, event([null, 7, {}]))).toEqual({ recorded: 0, ignored: 3 });
  await lake.close();
});

it("an event that comes late is tied to what was read then, though it has expired since", async () => {
  using scratch = scratchFolder();
  let nowMs = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (nowMs += 60_000) } });
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const { snapshotId, committedAtMs } = (await lake.snapshots("orders")).at(-1)!;
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] }));
  nowMs += 30 * 86_400_000;
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: 1000, snapshotsMin: 1 }, false);
  expect((await lake.snapshots("orders")).some((each) => each.snapshotId === snapshotId)).toBe(false);
  const named = event([input("/w/db/orders", { version: { datasetVersion: snapshotId } })], { run: { runId: "named" } });
  const eventTime = new Date(committedAtMs + 1).toISOString();
  const plain = event([input("/w/db/orders", {})], { run: { runId: "plain" }, eventTime });
  for (const each of [named, plain]) expect(await post(lake, each)).toEqual({ recorded: 1, ignored: 0 });
  expect((await traceJob(lake, "train", null)).map((each) => [each.runId, each.snapshotId, each.version?.contents.windows])).toEqual([
    ["named", snapshotId, 1],
    ["plain", snapshotId, 1],
  ]);
  await lake.close();
});
