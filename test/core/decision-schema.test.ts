import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { loadContract } from "../../src/contract/load-contract.ts";
import { decodeDecision, encodeDecision } from "../../src/core/decision-text.ts";
import type { Decision } from "../../src/core/decision.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { judgeWindow } from "../../src/gate/judge.ts";
import { OpenWindow } from "../../src/gate/window.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { makeRecords } from "../fixtures/contract.ts";

const file = new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url).pathname;
const { contract } = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(new URL("../../schemas/decision.schema.json", import.meta.url), "utf8")) as object,
);
const carriers = ["AA", "UA", "DL", "B6"];

function flight(i: number, carrier: string): string {
  const fields = {
    flight_date: 20130101,
    sched_hour: "2013-01-01T10:00:00Z",
    sched_dep_hhmm: i % 2359,
    sched_arr_hhmm: 819,
    dep_hhmm: 517,
    arr_hhmm: 830,
  };
  const more = {
    dep_delay_min: i % 60,
    arr_delay_min: 11,
    carrier,
    flight_number: (i % 9000) + 1,
    tailnum: "N14228",
    origin: "EWR",
    dest: "IAH",
  };
  return JSON.stringify({
    ...fields,
    ...more,
    air_time_min: 227,
    distance_mi: 1400,
    temp_f: 39.02,
    wind_mph: 12.6,
    precip_in: 0,
    visibility_mi: 10,
  });
}

/** Decisions of windows: some good, one with rows that fail, one that drifts and is held. */
async function decisions(): Promise<Decision[]> {
  const engine = openInlineEngine();
  let drift = emptyDriftState;
  const made: Decision[] = [];
  for (let n = 0; n < 8; n++) {
    const values = Array.from({ length: 12_000 }, (_, i) => flight(i + n * 12_000, n === 7 ? "UA" : (carriers[i % 4] as string)));
    if (n === 6) values.push("{", '{"flight_date": 1}', "null");
    const window = new OpenWindow(contract, 1_700_000_000_000 + n * 1000, engine.open({ contract, schema: null, kind: "compiled" }));
    const records = makeRecords(values, [], n * 20_000);
    const at = { topic: "test", topicId: "t", partition: 0 };
    window.advance({ ...at, next: BigInt(n * 20_000) }, { ...at, next: BigInt(n * 20_000 + values.length) });
    await window.add([records]);
    const closing = {
      closedAtMs: 1_700_000_001_000 + n * 1000,
      closedBy: "rows",
      worker: "w",
      producer: "0.1.0",
      holdNext: false,
    } as const;
    const settled = await window.settle(closing.closedAtMs);
    const commit = judgeWindow(window, settled, { ...closing, drift: (input) => judgeDrift(contract, drift, input) });
    const { decision } = commit;
    const profile = commit.profile === null ? null : decodeProfile(commit.profile);
    drift = foldDrift(contract, drift, { ...decision, profile });
    made.push(decision);
  }
  return made;
}

describe("the decision", async () => {
  const made = await decisions();

  it("fits its published schema, whatever the verdict", () => {
    expect(made.map((decision) => decision.verdict)).toEqual([...Array<string>(6).fill("promote"), "promote-and-quarantine-rows", "hold"]);
    for (const decision of made) {
      expect(validate(JSON.parse(new TextDecoder().decode(encodeDecision(decision)))), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  it("of a person who moved main fits it too", async () => {
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    const by = { author: "ann", reason: "metres as feet", producer: "0.1.0" };
    for (const [from, id] of ["w1", "w2"].entries()) await lake.commitWindow(makeWindow({ id, from: BigInt(from), values: [row(1)] }));
    await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
    await lake.refs.rollForward("orders", { rollback: null, ...by });
    const moves = (await collect(lake.history("orders", 0n))).slice(2).map((each) => each.decision);
    await lake.close();
    expect(moves.map(({ kind, producer }) => [kind, producer])).toEqual([
      ["withdraw", "0.1.0"],
      ["restore", "0.1.0"],
    ]);
    for (const decision of moves) {
      const text = new TextDecoder().decode(encodeDecision(decision));
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
      const { promoted, withdrawn = 0, records } = decision.counts;
      expect(promoted + withdrawn).toBe(records);
    }
  });

  it("comes back from its text", () => {
    for (const decision of made) expect(decodeDecision(encodeDecision(decision))).toEqual(decision);
  });

  it("counts every record once", () => {
    for (const { counts } of made) {
      expect(counts.promoted + counts.quarantined + counts.held + counts.skipped.tombstone + counts.skipped.late).toBe(counts.records);
    }
  });

  it("says in words why a window is held", () => {
    expect(made.at(-1)?.causes).toMatchObject([{ kind: "drift", subject: "carrier" }]);
    expect(made.at(-1)?.causes[0]?.message).toBe(
      "carrier: share of UA rose from 25.0% to 100.0%, of AA fell from 25.0% to under 0.01% (records such as test:0:151997, test:0:151998, test:0:151999)",
    );
  });
});
