import { expect, test } from "vitest";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import type { ChunkEngine } from "../../src/gate/chunk-engine.ts";
import { compile } from "../../src/gate/compiled.ts";
import { WindowJudge } from "../../src/gate/window-judge.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

test("an engine that an odd record made large stays while windows need it, and goes when one did not", () => {
  const marked = makeContract({ id: { type: "long" }, marks: { type: "list", of: { type: "long" } } });
  const contract = { ...marked, policies: { ...marked.policies, oversized: { ...marked.policies.oversized, bytes: 16 << 20 } } };
  const { schema } = schemaOfContract(contract, null);
  const compiled = compile(contract, "compiled");
  /** Judges a window of one record; answers which engine did. */
  const judge = (marks: number): ChunkEngine => {
    const lent: ChunkEngine[] = [];
    const lend = (): ChunkEngine => (lent[0] = compiled.lend());
    const window = new WindowJudge({ ...compiled, lend }, { schema, tick: () => 0 });
    window.add(makeRecords([Buffer.from(`{"id":1,"marks":[${"7,".repeat(marks)}7]}`)]));
    expect(window.settle(0).passedRows).toBe(1);
    return lent[0] as ChunkEngine;
  };
  const first = judge(10);
  const later = [3_000_000, 3_000_000, 10, 10, 10].map((marks) => judge(marks) === first);
  expect(later).toEqual([true, true, true, false, false]);
});
