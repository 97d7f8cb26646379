import { expect, it } from "vitest";
import { loadContract } from "../../src/contract/load-contract.ts";
import { DocumentError } from "../../src/core/errors.ts";
import { ageSpan, cutoffMs, describeRule } from "../../src/core/retention.ts";
import type { Contract } from "../../src/core/contract.ts";

function text(settings: string, promises = "[]"): string {
  return `apiVersion: v3.1.0
kind: DataContract
id: 5b0e3c52-9b1f-4c49-8a2e-2f1d0b6d9d10
version: 1.0.0
status: active
slaProperties: ${promises}
schema:
  - name: orders
    logicalType: object
    customProperties: [{ property: sluice, value: { retention: ${settings} } }]
    properties:
      - { name: n, logicalType: integer }
      - { name: at, logicalType: timestamp }
      - { name: days, logicalType: array, items: { logicalType: date } }
`;
}

const load = async (settings: string, promises?: string): Promise<{ contract: Contract; unenforced: readonly string[] }> => {
  const { contract } = await loadContract("c.yaml", () => Promise.resolve(text(settings, promises)));
  return { contract, unenforced: contract.unenforced };
};
const faults = async (settings: string, promises?: string): Promise<string[]> => {
  const fault = await load(settings, promises).catch((error: unknown) => error);
  return fault instanceof DocumentError ? fault.diagnostics.filter((each) => each.severity === "error").map((each) => each.code) : [];
};

it("compiles rules in their order, with sizes, spans and defaults", async () => {
  const { contract } = await load(
    "[{ action: archive, olderThan: 90 days, unreadFor: 2 w, place: cold, tagged: true }, { action: expire, of: quarantine, olderThan: 1y }, { action: expire, beyond: 2 GiB, unowned: true }]",
  );
  expect(contract.retention?.map((rule) => ({ ...rule, location: undefined }))).toEqual([
    {
      action: "archive",
      of: "rows",
      olderThan: { count: 90, unit: "day" },
      column: null,
      unreadFor: { count: 14, unit: "day" },
      bytesMax: null,
      unowned: false,
      place: "cold",
      tagged: true,
    },
    {
      action: "expire",
      of: "quarantine",
      olderThan: { count: 1, unit: "year" },
      column: null,
      unreadFor: null,
      bytesMax: null,
      unowned: false,
      place: null,
      tagged: false,
    },
    {
      action: "expire",
      of: "rows",
      olderThan: null,
      column: null,
      unreadFor: null,
      bytesMax: 2 * 1024 ** 3,
      unowned: true,
      place: null,
      tagged: false,
    },
  ]);
  expect(contract.retention?.map(describeRule)).toEqual([
    "archive rows to cold with what tags name: older than 90 days, not read for 14 days",
    "expire quarantine: older than 1 year",
    "expire rows: beyond 2147483648 bytes, owned by nobody",
  ]);
});

it("takes age and column from the retention that the contract promises, and then no longer says that it is not enforced", async () => {
  const promises = "[{ property: latency, value: 4, unit: d }, { property: retention, value: 3, unit: y, element: orders.at }]";
  const { contract, unenforced } = await load("[{ action: expire, olderThan: sla }]", promises);
  expect(contract.retention).toMatchObject([{ olderThan: { count: 3, unit: "year" }, column: "at" }]);
  expect(unenforced).toEqual(["service level: latency"]);
  const without = await load("[]", promises);
  expect(without.unenforced).toContain("service level: retention");
  expect(await faults("[{ action: expire, olderThan: sla }]")).toEqual(["retention-promise"]);
  expect(await faults("[{ action: expire, olderThan: sla }]", "[{ property: retention, value: 3, unit: fortnights }]")).toEqual([
    "retention-promise",
  ]);
  expect(await faults("[{ action: expire, olderThan: sla }]", "[{ property: retention, value: 3, unit: y, element: other.at }]")).toEqual([
    "retention-promise",
  ]);
});

it.each([
  ["[{ action: expire }]", "missing-key"],
  ["[{ action: expire, unowned: false }]", "retention-condition"],
  ["[{ action: archive, olderThan: 1 d }]", "retention-place"],
  ["[{ action: expire, olderThan: 1 d, place: cold }]", "retention-place"],
  ["[{ action: expire, olderThan: 1 d, tagged: true }]", "retention-place"],
  ["[{ action: expire, unreadFor: 1 d, column: at }]", "retention-condition"],
  ["[{ action: expire, of: quarantine, unreadFor: 1 d }]", "retention-condition"],
  ["[{ action: expire, of: quarantine, olderThan: 1 d, column: at }]", "retention-column"],
  ["[{ action: expire, olderThan: 1 d, column: n }]", "column-type"],
  ["[{ action: expire, olderThan: 1 d, column: 'days[]' }]", "column-in-list"],
  ["[{ action: expire, olderThan: 1 d, column: gone }]", "column-unknown"],
])("refuses %s", async (settings, code) => {
  expect(await faults(settings)).toEqual([code]);
});

it("counts back whole days, months and years in UTC, leap days and short months included", () => {
  const at = Date.UTC(2024, 2, 31, 23, 59);
  const back = (count: number, unit: string): string => new Date(cutoffMs(at, ageSpan(count, unit)!)).toISOString();
  expect(back(1, "d")).toBe("2024-03-30T00:00:00.000Z");
  expect(back(1, "week")).toBe("2024-03-24T00:00:00.000Z");
  expect(back(1, "month")).toBe("2024-02-29T00:00:00.000Z");
  expect(back(13, "months")).toBe("2023-02-28T00:00:00.000Z");
  expect(back(1, "Y")).toBe("2023-03-31T00:00:00.000Z");
  expect(new Date(cutoffMs(Date.UTC(2024, 1, 29), ageSpan(1, "year")!)).toISOString()).toBe("2023-02-28T00:00:00.000Z");
  expect([ageSpan(1, "fortnight"), ageSpan(0, "d"), ageSpan(1.5, "d"), ageSpan(1, "constructor")]).toEqual([null, null, null, null]);
});
