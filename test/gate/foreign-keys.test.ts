import { expect, it } from "vitest";
import { ForeignKeys } from "../../src/gate/foreign-keys.ts";
import type { RulePlan } from "../../src/core/rule.ts";
import { columnKeys } from "../../src/rules/deferred/column-keys.ts";
import { collect, contract, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";

it("values that were deleted from the other dataset are no keys any more; those that came are", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const texts = ["the first of them", "the second of them", "the third of them"];
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: texts.map((text, i) => row(i, text)) }));
  const field = contract.fields[1]!;
  const [stored] = await collect(lake.promotedColumns("orders", [field], { after: 0n, held: false }));
  const { keys, rows } = columnKeys(stored!.columns, stored!.count);
  const plan = { id: "known", check: { family: "foreignKey", dataset: "orders", column: "s" } } as unknown as RulePlan;
  const foreign = new ForeignKeys(lake);
  const missing = async (): Promise<readonly number[]> => [...(await foreign.offenders(plan, field, { rule: 0, rows, keys })).rows];
  expect(await missing()).toEqual([]);
  await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: texts[1]! }, author: "ann", reason: "asked" });
  expect(await missing()).toEqual([1]);
  await lake.commitWindow(makeWindow({ id: "w2", from: 3n, values: [row(9, texts[1])] }));
  expect(await missing()).toEqual([]);
  await lake.close();
});
