import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { seededRandom } from "../../../sketches/columns.ts";
import { expectConserved } from "../conservation.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "model" };
const dayMs = 86_400_000;

interface Version {
  readonly id: string;
  readonly rows: ReadonlySet<string>;
  readonly parent: Version | null;
}

/** What main and what is withdrawn must be, by sets of rows and nothing else. */
class Model {
  main: Version | null = null;
  readonly withdrawn = new Map<string, ReadonlySet<string>>();

  commit(id: string, added: Iterable<string>): void {
    this.main = { id, rows: new Set([...(this.main?.rows ?? []), ...added]), parent: this.main };
  }

  /** Main's earlier versions whose rows differ, newest first. */
  earlier(): Version[] {
    const found: Version[] = [];
    for (let at = this.main?.parent ?? null; at !== null; at = at.parent) found.push(at);
    return found;
  }

  rollback(id: string, to: Version): void {
    this.withdrawn.set(id, new Set([...(this.main?.rows ?? [])].filter((each) => !to.rows.has(each))));
    this.main = { id, rows: to.rows, parent: to };
  }

  rollForward(id: string, rollback: string): void {
    this.commit(id, this.withdrawn.get(rollback) ?? []);
    this.withdrawn.delete(rollback);
  }
}

/** One random step on both; answers what it was. */
async function step(lake: Lake, model: Model, random: () => number, pass: (days: number) => void): Promise<string> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const choice = random();
  const head = async (): Promise<string> => (await lake.state("orders")).mainSnapshotId!;
  const from = (await lake.state("orders")).positions[0]!.next;
  if (choice < 0.4) {
    await lake.commitWindow(makeWindow({ id: `w${from}`, from, values: [row(1), row(2)] }));
    model.commit(
      await head(),
      [0n, 1n].map((i) => `topic-a:0:${from + i}`),
    );
    return "window";
  }
  if (choice < 0.5) {
    await lake.commitWindow(makeWindow({ id: `h${from}`, from, values: [row(1)], verdict: "hold" }));
    model.commit(await head(), []);
    return "hold";
  }
  if (choice < 0.6) {
    const [first] = await lake.held("orders");
    if (first === undefined) return "nothing held";
    await lake.publishHeld("orders", first.windowId, by);
    model.commit(await head(), [`topic-a:0:${first.decision.ranges[0]!.from}`]);
    return "publish";
  }
  if (choice < 0.8) {
    const there = new Set((await lake.snapshots("orders")).map((each) => each.snapshotId));
    const targets = model.earlier().filter((each) => there.has(each.id));
    if (targets.length === 0) return "no earlier version";
    const to = pick(targets);
    const { rollback } = await lake.refs.rollback("orders", { to: to.id, keepMs: null, releaseKeys: false, ...by });
    model.rollback(rollback.id, to);
    return "rollback";
  }
  if (choice < 0.92) {
    const standing = await lake.refs.rollbacks("orders");
    if (standing.length === 0) return "nothing withdrawn";
    const { id } = pick(standing);
    await lake.refs.rollForward("orders", { rollback: id, ...by });
    model.rollForward(await head(), id);
    return "rollforward";
  }
  if (choice < 0.96) {
    const [promoted] = await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 20, filesMin: 2 }, false);
    if (promoted !== undefined && promoted.snapshotId !== null) model.commit(await head(), []);
    return "compact";
  }
  pass(10);
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: 5 * dayMs, snapshotsMin: 3 }, false);
  return "expire";
}

it.each([3, 4])("random moves of main, windows, holds, compactions and expiries leave what sets of rows say (seed %i)", async (seed) => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (now += 1000) } });
  const random = seededRandom(seed);
  const model = new Model();
  model.commit((await lake.state("orders")).mainSnapshotId!, []);
  const steps: string[] = [];
  for (let n = 0; n < 30; n++) {
    steps.push(await step(lake, model, random, (days) => (now += days * dayMs)));
    const main = await readBranch(scratch.folder, "orders");
    expect(main.promoted.map((each) => each.split("=")[0] as string).toSorted(), steps.join(", ")).toEqual(
      [...model.main!.rows].toSorted(),
    );
    const withdrawn = [...model.withdrawn.values()].reduce((sum, rows) => sum + rows.size, 0);
    const counts = await expectConserved(scratch.folder);
    expect([counts["promoted"] ?? 0, counts["withdrawn"] ?? 0], steps.join(", ")).toEqual([model.main!.rows.size, withdrawn]);
    const history = await collect(lake.history("orders", 0n));
    expect(new Set(history.map((each) => each.decision.windowId)).size).toBe(history.length);
    const standing = history.filter((each) => !each.isWithdrawn && each.decision.moved === undefined);
    expect(
      standing.reduce((sum, { decision }) => sum + decision.counts.promoted, 0),
      steps.join(", "),
    ).toBe(model.main!.rows.size);
    expect((await lake.refs.rollbacks("orders")).map((each) => each.rows)).toEqual([...model.withdrawn.values()].map((rows) => rows.size));
  }
  expect(new Set(steps)).toEqual(new Set([...steps, "window", "rollback", "rollforward"]));
  await lake.close();
});
