import { expect, it } from "vitest";
import { ForeignKeys } from "../../src/gate/foreign-keys.ts";
import type { Field, FieldType } from "../../src/core/schema.ts";
import type { RulePlan } from "../../src/core/rule.ts";
import { columnKeys } from "../../src/rules/deferred/column-keys.ts";
import { collect, contract, makeWindow, row, scratchFolder, startedLake, startedWith } from "../adapters/lake/lake-fixture.ts";
import { instant, nanoContract, nanoWindow } from "../adapters/lake/nanoseconds-fixture.ts";

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

it("nanoseconds are found to the last one, and are not looked for among microseconds, nor these or days among them", async () => {
  using scratch = scratchFolder();
  const micros: FieldType = { kind: "timestamp", zoned: true, unit: "micros" };
  const nanos = nanoContract({ columns: { at: instant, seen: micros } });
  const lake = await startedWith(scratch.folder, nanos);
  const at = 1_772_326_800_123_456_789n;
  await lake.commitWindow(
    await nanoWindow(
      lake,
      nanos,
      [at, at + 1n, -1n].map((each, i) => ({ id: BigInt(i), at: each, seen: each })),
    ),
  );
  const [, field, other] = nanos.fields as [unknown, Field, Field];
  const [stored] = await collect(lake.promotedColumns("orders", [field], { after: 0n, held: false }));
  const { keys, rows } = columnKeys(stored!.columns, stored!.count);
  const foreign = new ForeignKeys(lake);
  const missing = async (asked: Field, column: string): Promise<readonly number[]> => {
    const plan = { id: "known", check: { family: "foreignKey", dataset: "orders", column } } as unknown as RulePlan;
    return [...(await foreign.offenders(plan, asked, { rule: 0, rows, keys })).rows];
  };
  expect(await missing(field, "at")).toEqual([]);
  await lake.maintenance.erase("orders", {
    target: { kind: "column", column: "at", value: "2026-03-01T01:00:00.123456790Z" },
    author: "ann",
    reason: "asked",
  });
  expect(await missing(field, "at")).toEqual([1]);
  const refused = (stands: string, asked: string): object => ({
    code: "CONTRACT_INVALID",
    message: expect.stringContaining(`is a ${stands}, not a ${asked}`),
  });
  await expect(missing(field, "seen")).rejects.toMatchObject(refused("timestamptz", "timestamptz_ns"));
  await expect(missing(other, "at")).rejects.toMatchObject(refused("timestamptz_ns", "timestamptz"));
  const day: Field = { ...other, type: { kind: "date" } };
  for (const [column, stands] of [
    ["seen", "timestamptz"],
    ["at", "timestamptz_ns"],
    ["id", "long"],
  ] as const)
    await expect(missing(day, column)).rejects.toMatchObject(refused(stands, "date"));
  await lake.close();
});
