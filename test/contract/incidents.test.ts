import { expect, it } from "vitest";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import { documentOf, errorsOf, load } from "./contract-text.ts";

const settings = (value: string): string =>
  documentOf(`    customProperties: [{ property: sluice, value: ${value} }]\n    properties:\n      - { name: n, logicalType: integer }\n`);

it("incidents go by the defaults, or by what the contract says", async () => {
  expect((await load(settings("{}"))).contract.incidents).toEqual(incidentPlanDefault);
  expect((await load(settings("{ incidents: { quarantinePercent: 0.5 } }"))).contract.incidents).toEqual({
    ...incidentPlanDefault,
    quarantine: { percent: 0.5, records: 1000 },
  });
  const all = "{ incidents: { quarantinePercent: 5, quarantineRecords: 200, recoverWindows: 1, togetherSeconds: 0 } }";
  expect((await load(settings(all))).contract.incidents).toEqual({
    quarantine: { percent: 5, records: 200 },
    recoverWindows: 1,
    togetherSeconds: 0,
  });
});

it.each(["quarantinePercent: -1", "quarantineRecords: 0", "recoverWindows: 0", "togetherSeconds: 1.5", "recoverWindow: 3"])(
  "%s is an error",
  async (setting) => {
    expect(await errorsOf(settings(`{ incidents: { ${setting} } }`))).toHaveLength(1);
  },
);
