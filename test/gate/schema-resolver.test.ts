import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../src/core/contract.ts";
import { SluiceError } from "../../src/core/errors.ts";
import type { SchemaRegistry } from "../../src/core/ports.ts";
import type { SchemaAnswer } from "../../src/core/registered-schema.ts";
import { checkRegistry, resolveSchemas, SchemaResolver } from "../../src/gate/schema-resolver.ts";
import { framed, makeRun } from "../codecs/records/record-fixture.ts";
import { makeContract } from "../fixtures/contract.ts";

const registered = { format: "registered", type: "avro", validate: false } as const;
const contract: Contract = {
  ...makeContract({ x: { type: "int" } }),
  record: { value: registered, envelope: null, key: { value: registered, columns: [{ column: "x", path: [] }] } },
};
const run = makeRun([
  { value: framed(1, "a"), key: framed(9, "k") },
  { value: framed(2, "b"), key: null },
  { value: framed(1, "c"), key: "unframed" },
]);
const answer: SchemaAnswer = { found: true, schema: { type: "avro", text: '"int"', references: [] } };
const registryOf = (schema: SchemaRegistry["schema"]): SchemaRegistry => ({ schema, close: () => Promise.resolve() });

describe("the schemas of a run", () => {
  it("are those that values and keys name, each asked for once", async () => {
    const asked: string[] = [];
    const registry = registryOf((id) => {
      asked.push(id);
      return Promise.resolve(answer);
    });
    expect([...(await resolveSchemas(contract, [run, run], registry)).keys()].toSorted()).toEqual(["1", "2", "9"]);
    expect(asked.toSorted()).toEqual(["1", "2", "9"]);
    expect((await resolveSchemas(makeContract({}), [run], null)).size).toBe(0);
    expect(() => checkRegistry(contract, null)).toThrow(/no schema registry is configured/);
  });

  it("are waited for a little at a time, with the trouble told, and not told twice", async () => {
    let up = false;
    const told: (string | null)[] = [];
    const registry = registryOf(() => (up ? Promise.resolve(answer) : Promise.reject(new SluiceError("REGISTRY_UNAVAILABLE", "down"))));
    const resolver = new SchemaResolver(registry, (error) => told.push(error?.code ?? null));
    expect(await resolver.resolve(contract, [run])).toBeNull();
    expect(await resolver.resolve(contract, [run])).toBeNull();
    up = true;
    expect((await resolver.resolve(contract, [run]))?.size).toBe(3);
    await resolver.resolve(contract, [run]);
    expect(told).toEqual(["REGISTRY_UNAVAILABLE", null]);
  });

  it("that are slow to come hold nobody up, and a bug is thrown", async () => {
    const slow = registryOf(() => sleep(400, answer));
    const resolver = new SchemaResolver(slow, () => undefined);
    const began = performance.now();
    expect(await resolver.resolve(contract, [run])).toBeNull();
    expect(performance.now() - began).toBeLessThan(390);
    const broken = new SchemaResolver(
      registryOf(() => Promise.reject(new Error("bug"))),
      () => undefined,
    );
    await expect(broken.resolve(contract, [run])).rejects.toThrow("bug");
  });
});
