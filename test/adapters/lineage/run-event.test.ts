import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { runEvents, uuidOf } from "../../../src/adapters/lineage/run-event.ts";
import type { Decision } from "../../../src/core/decision.ts";
import type { CommittedWindow } from "../../../src/core/ports.ts";
import { makeContract } from "../../fixtures/contract.ts";
import { makeDecision } from "../../fixtures/decision.ts";

const standards = fileURLToPath(new URL("../../../../shared/standards/openlineage/", import.meta.url));
const here = existsSync(standards);
if (!here) console.warn("skipped: the OpenLineage schemas are not beside this checkout");

const contract = {
  ...makeContract({
    carrier: { type: "string" },
    delay: { type: "double" },
    ssn: { type: "long", classification: "restricted" },
    stops: { type: "list", of: { type: "string" } },
    price: { type: "decimal" },
  }),
  owners: [{ name: "Ada", role: "owner" }],
};
const names = { jobNamespace: "prod", sourceNamespace: "kafka://broker:9092", warehouseUri: "file:///warehouse", tableNamespace: "sluice" };

function committed(verdict: Decision["verdict"]): CommittedWindow {
  const summary = { missing: 0, stdev: 1, lengths: null, top: null };
  const quantiles = { p01: 1, p05: 1, p25: 2, p50: 3, p75: 4, p95: 5, p99: 5 };
  return {
    sequence: 7n,
    snapshotId: "8711111111111111567",
    committedAtMs: 1_700_000_012_000,
    decisionHash: "d".repeat(64),
    quarantineSnapshotId: verdict === "promote" ? null : "8711111111111111568",
    isWithdrawn: false,
    decision: makeDecision({
      profile: {
        rows: 9,
        hash: "p",
        columns: [
          {
            ...summary,
            path: "carrier",
            kind: "text",
            count: 9,
            nulls: 1,
            distinct: 3,
            min: "AA",
            max: "WN",
            mean: null,
            stdev: null,
            quantiles: null,
          },
          { ...summary, path: "delay", kind: "number", count: 9, nulls: 0, distinct: 9, min: "-3", max: "12.5", mean: 3, quantiles },
          {
            ...summary,
            path: "ssn",
            kind: "number",
            count: 9,
            nulls: 0,
            distinct: 9,
            min: "424242421",
            max: "999999999",
            mean: 5e8,
            quantiles,
          },
        ],
      },
      verdict,
      causes: verdict === "hold" ? [{ kind: "threshold", subject: "delay.range", message: "too many" }] : [],
    }),
  };
}

/** As `sluice rollback` commits it. */
const rolledBack: CommittedWindow = {
  ...committed("promote"),
  decision: makeDecision({
    kind: "withdraw",
    closedBy: "person",
    ranges: [],
    counts: { records: 9, promoted: 0, quarantined: 0, held: 0, skipped: { tombstone: 0, late: 0 }, withdrawn: 9 },
    rules: [],
    profile: { rows: 0, columns: [], hash: null },
    verdict: "promote",
    moved: { rollback: "3", from: "2", to: "1", sequences: [{ first: "5", last: "6" }], windows: 1 },
  }),
};

describe("OpenLineage run events", () => {
  it("are one run, START then COMPLETE, the same run when built twice", () => {
    const [start, end] = runEvents(committed("promote-and-quarantine-rows"), contract, names, "flights__quarantine");
    expect([start.eventType, end.eventType]).toEqual(["START", "COMPLETE"]);
    expect(start.run.runId).toBe(end.run.runId);
    expect(runEvents(committed("promote-and-quarantine-rows"), contract, names, "flights__quarantine")[0].run.runId).toBe(start.run.runId);
    expect(end.outputs.map((output) => output["outputFacets"])).toMatchObject([
      { outputStatistics: { rowCount: 9 } },
      { outputStatistics: { rowCount: 1 } },
    ]);
  });

  it("fail where the window is held, with the causes", () => {
    const [start, end] = runEvents(committed("hold"), contract, names, "flights__quarantine");
    expect(end.eventType).toBe("FAIL");
    expect(end.run.facets["errorMessage"]).toMatchObject({ message: "too many" });
    expect(start.run.facets["errorMessage"]).toBeUndefined();
  });

  it("say that a rollback replaced the table's content, and read nothing", () => {
    const [start, end] = runEvents(rolledBack, contract, names, "flights__quarantine");
    expect([start.eventType, end.eventType, end.job.name, end.inputs]).toEqual(["START", "COMPLETE", "sluice.flights.withdraw", []]);
    expect(end.outputs).toMatchObject([
      {
        facets: { version: { datasetVersion: "8711111111111111567" }, lifecycleStateChange: { lifecycleStateChange: "OVERWRITE" } },
        outputFacets: { outputStatistics: { rowCount: 0 } },
      },
    ]);
  });

  it("carry no values of classified columns", () => {
    const text = JSON.stringify(runEvents(committed("promote"), contract, names, "flights__quarantine"));
    expect(text).not.toContain("424242421");
    expect(text).not.toContain("999999999");
    expect(text).toContain("12.5");
  });

  it("keep the snapshot id exact", () => {
    const [, end] = runEvents(committed("promote"), contract, names, "flights__quarantine");
    expect(end.outputs[0]?.["facets"]).toMatchObject({ version: { datasetVersion: "8711111111111111567" } });
  });

  it("uuidOf is a version 8 UUID of its name", () => {
    expect(uuidOf("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuidOf("a")).not.toBe(uuidOf("b"));
  });

  it.skipIf(!here)("fit the schemas of OpenLineage and of every facet in them", () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    (addFormats as unknown as (target: Ajv2020) => void)(ajv);
    const read = (path: string): Record<string, unknown> =>
      JSON.parse(readFileSync(`${standards}${path}`, "utf8")) as Record<string, unknown>;
    ajv.addSchema(read("OpenLineage.json"));
    for (const file of readdirSync(`${standards}facets`)) ajv.addSchema(read(`facets/${file}`));
    const event = ajv.getSchema("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    const facets = new Set<string>();
    const checkFacets = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      const url = (value as Record<string, unknown>)["_schemaURL"];
      if (typeof url === "string") {
        facets.add(url);
        const validate = ajv.getSchema(url);
        expect(validate, url).toBeDefined();
        expect(validate?.(value), `${url}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      }
      for (const each of Object.values(value)) checkFacets(each);
    };
    const verdicts = ["promote", "promote-and-quarantine-rows", "hold"] as const;
    for (const window of [...verdicts.map(committed), rolledBack]) {
      for (const each of runEvents(window, contract, names, "flights__quarantine")) {
        expect(event?.(each), JSON.stringify(event?.errors)).toBe(true);
        checkFacets(each);
      }
    }
    expect(facets.size).toBeGreaterThanOrEqual(13);
  });
});
