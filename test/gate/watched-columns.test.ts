import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { flightTexts } from "../../bench/flights.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract, DriftCheckPlan } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { Records } from "../../src/core/records.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { planOf } from "../drift/windows.ts";
import { makeRecords } from "../fixtures/contract.ts";

const startMs = Date.UTC(2013, 0, 1);
const checks: readonly DriftCheckPlan[] = [
  { column: "tailnum", tests: ["pattern-mix"], policy: "warn", limit: null },
  { column: "sched_hour", tests: ["event-lag", "volume"], policy: "warn", limit: null },
  { column: "dep_delay_min", tests: ["correlation", "joint-mean"], with: ["arr_delay_min", "distance_mi"], policy: "warn", limit: null },
];

let contract: Contract;
const rows: Record<string, unknown>[] = [];
let records: Records;
beforeAll(async () => {
  const file = fileURLToPath(new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url));
  const loaded = await loadContract(file, (path) => Promise.resolve(readFileSync(path, "utf8")));
  contract = { ...loaded.contract, drift: planOf(checks) };
  const texts: Buffer[] = [];
  for await (const batch of flightTexts(5000)) texts.push(...batch.map((each) => Buffer.from(each)));
  rows.push(...texts.map((each) => JSON.parse(each.toString()) as Record<string, unknown>));
  records = { ...makeRecords(texts, [], 0), partitions: [{ topic: "flights", topicId: "t", partition: 0 }] };
  // A record a second, an hour after its flight at first.
  for (let row = 0; row < records.count; row++) records.timestamps[row] = BigInt(startMs + 1000 * row);
});

async function profileBy(kind: EngineKind): Promise<{ readonly bytes: Uint8Array; readonly profile: Profile }> {
  const window = openInlineEngine().open({ contract, schema: null, kind });
  await window.add([records]);
  const { profile, passedRows } = await window.settle(1_800_000_000_000);
  expect(passedRows).toBe(5000);
  return { bytes: profile.bytes, profile: decodeProfile(profile.bytes) };
}

it("both engines watch what drift tests ask for, to the last bit, and it is what the records say", async () => {
  const [compiled, reference] = [await profileBy("compiled"), await profileBy("reference")];
  expect(Buffer.from(compiled.bytes).equals(Buffer.from(reference.bytes))).toBe(true);
  const watched = (path: string) => compiled.profile.columns.get(path)?.watched;

  const counts = new Map<string, number>();
  for (const { tailnum } of rows) {
    if (typeof tailnum !== "string") continue;
    const pattern = tailnum.replace(/[A-Z]/g, "A").replace(/[a-z]/g, "a").replace(/[0-9]/g, "9");
    counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
  }
  const patterns = watched("tailnum")?.patterns;
  expect(new Map(patterns?.entries.map(({ value, count }) => [value, count]))).toEqual(counts);
  expect(patterns?.error).toBe(0);

  const lags = rows.map(({ sched_hour: time }, row) => (startMs + 1000 * row - Date.parse(String(time))) / 1000).toSorted((a, b) => a - b);
  const lag = watched("sched_hour")?.lag;
  expect(lag?.moments).toMatchObject({ count: 5000, min: lags[0], max: lags.at(-1) });
  expect(lag?.moments.mean).toBeCloseTo(lags.reduce((sum, each) => sum + each, 0) / 5000, 4);
  expect(watched("sched_hour")?.arrival).toEqual({ values: 5000, spansMs: [startMs, startMs + 4_999_000] });

  const paths = ["dep_delay_min", "arr_delay_min", "distance_mi"];
  const whole = rows
    .map((each) => paths.map((path) => each[path]))
    .filter((each): each is number[] => each.every((value) => typeof value === "number"));
  const joint = watched("dep_delay_min")?.joint;
  expect(joint).toMatchObject({ columns: paths, count: whole.length });
  const means = paths.map((_, i) => whole.reduce((sum, each) => sum + each[i]!, 0) / whole.length);
  means.forEach((mean, i) => expect(joint?.means[i]).toBeCloseTo(mean, 8));
  const product = whole.reduce((sum, each) => sum + (each[0]! - means[0]!) * (each[1]! - means[1]!), 0);
  expect(joint!.products[1]! / product).toBeCloseTo(1, 10);
});

it("a contract whose drift tests need nothing besides has profiles without it", async () => {
  const plain: Contract = {
    ...contract,
    drift: { ...contract.drift!, checks: [{ column: "tailnum", tests: ["psi"], policy: "warn", limit: null }] },
  };
  const window = openInlineEngine().open({ contract: plain, schema: null, kind: "compiled" });
  await window.add([records]);
  const { columns } = decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes);
  expect([...columns.values()].every(({ watched }) => watched === undefined)).toBe(true);
});
