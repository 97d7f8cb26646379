import { expect, it } from "vitest";
import { collect, contract, makeWindow, partitions, row, scratchFolder, startedLake, textOf } from "./lake-fixture.ts";

it("moves both tables and the positions in one commit", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const result = await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), "bad", row(3)], rejected: [2] }));
  expect(result).toMatchObject({ status: "committed", attempts: 1 });
  const state = await lake.state("orders");
  expect(state.positions[0]).toEqual({ ...partitions[0], next: 4n });
  expect(state.activeContract).toBe(contract.hash);
  const quarantined = await collect(lake.quarantined("orders", {}));
  expect(quarantined.map((each) => [each.id, textOf(each), each.state, each.attempt])).toEqual([["topic-a:0:2", "bad", "open", 0]]);
  const history = await collect(lake.history("orders", 0n));
  expect(history).toMatchObject([{ decision: { windowId: "w1" }, quarantineSnapshotId: expect.stringMatching(/^\d+$/) }]);
  const again = await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), "bad", row(3)], rejected: [2] }));
  expect(again).toMatchObject({ status: "committed" });
  expect(await collect(lake.quarantined("orders", {}))).toHaveLength(1);
  const zombie = await lake.commitWindow(makeWindow({ id: "w2", from: 0n, values: [row(1), row(2)] }));
  expect(zombie).toMatchObject({ status: "lost" });
  await lake.close();
});
