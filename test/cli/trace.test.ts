import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { contract, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { contextWithRival } from "../adapters/lake/rival.ts";
import type { CommandRun } from "./sluice.ts";
import { sluice } from "./sluice.ts";

it("a record, a version, a file and a job are followed from the command line", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad"], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(2)], verdict: "hold" }));
  await lake.publishHeld("orders", "w2", { author: "ann", reason: "a sale" });
  const head = (await lake.snapshots("orders")).at(-1)!.snapshotId;
  await lake.close();
  const config = join(scratch.folder, "sluice.yaml");
  const lakeSection = `lake: { folder: ${scratch.folder}, catalog: ${join(scratch.folder, "catalog.db")}, namespace: db }`;
  writeFileSync(config, `${lakeSection}\nsource: { kind: files, paths: [orders.ndjson] }\ndatasets: [{ contract: orders.odcs.yaml }]\n`);
  const command = (...args: string[]): Promise<CommandRun> => sluice([...args, "--config", config]);

  const promoted = await command("trace", "record", "orders:0:0");
  expect(promoted).toMatchObject({ code: 0, err: "" });
  expect(promoted.out).toContain("orders:0:0  promoted");
  expect(promoted.out).toMatch(/window w1 +promote-and-quarantine-rows/);
  const refused = await command("trace", "record", "0:1", "--json");
  const [state] = JSON.parse(refused.out) as { state: string; rows: unknown[]; quarantined: { reasons: { rule: string }[] } }[];
  expect([state?.state, state?.rows, state?.quarantined.reasons[0]?.rule]).toEqual(["quarantined", [], "n.range"]);
  const published = await command("trace", "record", "topic-a:0:2");
  expect(published.out).toContain("ann: a sale");

  const file = /row 0 of (\S+)/.exec(promoted.out)?.[1] ?? "";
  expect((await command("trace", "file", file.split("/").at(-1)!)).out).toContain("in main");

  expect((await command("consume", "--job", "model", "--run", "r1", "--tag", "main")).out).toContain(head);
  const version = await command("trace", "snapshot", "main");
  expect(version.out).toMatch(/publish by ann: a sale +yes/);
  expect(version.out).toMatch(/model +r1 +this version +declared/);
  await command("tag", "create", "v1", "-m", "for the model");
  const tag = await command("trace", "tag", "v1");
  expect([tag.code, tag.out.split("\n").slice(1).join("\n").trimEnd()]).toEqual([
    0,
    (await command("trace", "snapshot", "v1")).out.trimEnd(),
  ]);
  expect(tag.out).toMatch(/^tag v1, made by \S+, .*: for the model; kept until it is dropped\norders at snapshot /);
  const told = JSON.parse((await command("trace", "tag", "v1", "--json")).out) as {
    tag: string;
    versions: { ref: { kind: string; snapshotId: string }; dataset: string; readers: { job: string }[]; events: { lineage: null } }[];
  };
  expect(told).toMatchObject({
    tag: "v1",
    versions: [{ ref: { kind: "tag", snapshotId: head }, dataset: "orders", events: { lineage: null } }],
  });
  expect(told.versions[0]?.readers.map((each) => each.job)).toEqual(["model"]);
  const job = await command("trace", "job", "model");
  expect(job.out).toContain(`run r1 read orders at main, snapshot ${head}`);

  const used = await command("usage", "--price", "1000000");
  expect(used.code).toBe(0);
  expect(used.out).toMatch(/^orders .* by model +1 .* \d+\.\d\d$/m);
  const idle = await command("usage", "--idle", "0s", "--json");
  expect([idle.code, (JSON.parse(idle.out) as { datasets: { isIdle: boolean }[] }).datasets[0]?.isIdle]).toEqual([3, true]);

  for (const [args, code, said] of [
    [["usage", "--price", "much"], 2, "--price takes an amount"],
    [["trace", "record", "orders"], 2, "topic:partition:offset"],
    [["trace", "record", "other:0:0"], 1, "never read"],
    [["trace", "snapshot", "release/9"], 1, 'no tag, branch or snapshot "release/9"'],
    [["trace", "tag", "main"], 1, 'no tag "main"'],
    [["trace", "file", "x.parquet"], 1, "no snapshot of orders holds"],
    [["trace", "job", "nobody"], 1, "nothing is known"],
    [["consume", "--job", "model", "--run", "r1"], 2, "--tag or --snapshot"],
    [["consume", "--job", "model", "--run", "r1", "--tag", "nope"], 1, 'no tag or branch "nope"'],
  ] as const) {
    const run = await command(...args);
    expect([args, run.code, run.out]).toEqual([args, code, ""]);
    expect(run.err).toContain(said);
  }
});

it("a release is followed dataset by dataset, and a tag that another program moved is said to be", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.activate({ ...contract, dataset: "visits", hash: "sha256:visits" });
  await lake.recordStart("visits", [{ topic: "visits", topicId: "topic-v", partition: 0, next: 0n }]);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const by = { author: "ann", reason: "november" };
  await lake.refs.createRelease({ name: "release/11", version: "main", keepMs: null, datasets: await lake.datasets(), ...by });
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] }));
  await lake.close();
  const config = join(scratch.folder, "sluice.yaml");
  const lakeSection = `lake: { folder: ${scratch.folder}, catalog: ${join(scratch.folder, "catalog.db")}, namespace: db }`;
  writeFileSync(config, `${lakeSection}\nsource: { kind: files, paths: [orders.ndjson] }\ndatasets: [{ contract: orders.odcs.yaml }]\n`);
  const tag = (...args: string[]): Promise<CommandRun> => sluice(["trace", "tag", "release/11", ...args, "--config", config]);
  const both = await tag();
  expect([both.code, both.out.match(/^release release\/11, made by ann, .*: november; kept until it is dropped$/gm)?.length]).toEqual([
    0, 2,
  ]);
  expect([both.out.includes("orders at snapshot"), both.out.includes("visits at snapshot")]).toEqual([true, true]);
  expect((await tag("--dataset", "orders")).out).not.toContain("visits at snapshot");

  const { context, close } = await contextWithRival(scratch.folder, async () => {});
  const base = (await context.catalog.load({ namespace: "db", name: "orders" }))!;
  const head = base.metadata.refs["main"]!["snapshot-id"];
  const update = { action: "set-snapshot-ref", "ref-name": "release/11", type: "tag", "snapshot-id": head } as const;
  expect((await context.catalog.commit([{ base, requirements: [], updates: [update] }])).status).toBe("committed");
  await close();
  const moved = await tag();
  expect([moved.code, moved.out.match(/ANOTHER PROGRAM HAS MOVED IT/g)?.length]).toEqual([3, 1]);
});
