import { describe, expect, it } from "vitest";
import { checkedFields } from "../../src/drift/checked-fields.ts";
import { isMasked } from "../../src/core/schema.ts";
import { referenceProfiler } from "../../src/sketches/index.ts";
import { compileSelection } from "../../src/rules/row-selection.ts";
import { diagnosticsOf, documentOf, load } from "./contract-text.ts";

const documentWithDrift = (columns: string): string =>
  documentOf(`    properties:
      - { name: carrier, logicalType: string }
      - { name: delay, logicalType: number }
      - { name: stops, logicalType: integer }
      - { name: patient, logicalType: string, classification: restricted }
      - { name: extra, physicalType: json }
      - { name: tags, logicalType: array, items: { logicalType: string } }
    customProperties: [{ property: sluice, value: { drift: { columns: [${columns}] } } }]
`);
const checksOf = async (columns: string) => (await load(documentWithDrift(columns))).contract.drift?.checks;
const codesOf = async (columns: string) => (await diagnosticsOf(documentWithDrift(columns))).map(({ code }) => code);

describe("segments of a column", () => {
  it("are checks of their own, by values and the others, or by conditions", async () => {
    const base = { tests: ["mean"], policy: "hold", limit: 0.3 };
    expect(
      await checksOf("{ column: delay, tests: [mean], policy: hold, limit: 0.3, segments: { by: { column: carrier, values: [WN, AA] } } }"),
    ).toEqual([
      { column: "delay", ...base },
      {
        column: "delay{carrier=WN}",
        called: "delay where carrier is WN",
        ...base,
        segment: { of: "delay", where: { op: "eq", path: "carrier", value: { type: "string", value: "WN" } } },
      },
      {
        column: "delay{carrier=AA}",
        called: "delay where carrier is AA",
        ...base,
        segment: { of: "delay", where: { op: "eq", path: "carrier", value: { type: "string", value: "AA" } } },
      },
      {
        column: "delay{other carrier}",
        called: "delay where carrier is none of the listed",
        ...base,
        segment: {
          of: "delay",
          where: {
            op: "not",
            of: {
              op: "in",
              path: "carrier",
              values: [
                { type: "string", value: "WN" },
                { type: "string", value: "AA" },
              ],
            },
          },
        },
      },
    ]);
    const filters = await checksOf(
      "{ column: delay, segments: { filters: [{ name: direct, where: { column: stops, equals: 0 } }, { name: rest, where: { not: { column: stops, equals: 0 } } }] } }",
    );
    expect(filters?.map(({ column, called }) => [column, called])).toEqual([
      ["delay", undefined],
      ["delay{direct}", "delay of direct"],
      ["delay{rest}", "delay of rest"],
    ]);
    const numbers = await checksOf("{ column: delay, segments: { by: { column: stops, values: [0, 1], other: false } } }");
    expect(numbers?.map(({ column }) => column)).toEqual(["delay", "delay{stops=0}", "delay{stops=1}"]);
  });

  it("are called by numbers as the contract has them, beyond what a double holds too", async () => {
    const checks = await checksOf("{ column: delay, segments: { by: { column: stops, values: [9007199254740993, 0], other: false } } }");
    expect(checks?.map(({ column, called }) => [column, called])).toEqual([
      ["delay", undefined],
      ["delay{stops=9007199254740993}", "delay where stops is 9007199254740993"],
      ["delay{stops=0}", "delay where stops is 0"],
    ]);
  });

  it("are as classified as their column and what their rows are told by", async () => {
    const { contract } = await load(
      documentWithDrift(
        "{ column: delay, segments: { filters: [{ name: one, where: { column: patient, equals: x } }, { name: two, where: { column: stops, equals: 1 } }] } }",
      ),
    );
    const fields = checkedFields(contract);
    expect(["delay", "delay{one}", "delay{two}"].map((name) => isMasked(fields.get(name)!))).toEqual([false, true, false]);
    for (const { segment } of contract.drift!.checks)
      if (segment !== undefined) expect(compileSelection(contract, segment.where)).toBeTypeOf("function");
  });

  it("that can't be are told where", async () => {
    const by = (text: string) => codesOf(`{ column: delay, segments: { by: { ${text} } } }`);
    expect(await by("column: carier, values: [WN]")).toEqual(["column-unknown"]);
    expect(await by("column: carrier, values: [1]")).toEqual(["value-type"]);
    expect(await by("column: carrier, values: []")).toHaveLength(1);
    expect(await by("column: carrier")).toEqual(["missing-key"]);
    expect(await by("column: extra, values: [1]")).toEqual(["column-type"]);
    expect(await by("column: 'tags[]', values: [x]")).toEqual(["column-in-list"]);
    expect(await by("column: carrier, values: [null]")).toEqual(["value-type"]);
    expect(await codesOf("{ column: delay, segments: {} }")).toHaveLength(1);
    const twice = "{ name: a, where: { column: stops, equals: 0 } }";
    expect(await codesOf(`{ column: delay, segments: { filters: [${twice}, ${twice}] } }`)).toEqual(["drift-repeated"]);
    const values = Array.from({ length: 34 }, (_, i) => i).join(", ");
    const many = ["delay", "stops", "carrier"].map(
      (each) => `{ column: ${each}, segments: { by: { column: stops, values: [${values}] } } }`,
    );
    expect(await codesOf(many.join(", "))).toEqual(["drift-segments-many"]);
    expect(await checksOf(many.slice(0, 2).join(", "))).toHaveLength(72);
  });
});

describe("what drift has profiles of beside columns", () => {
  const named = (names: readonly string[], drift: string): string =>
    documentOf(`    properties:
${names.map((name) => `      - { name: "${name}", logicalType: number }`).join("\n")}
    customProperties: [{ property: sluice, value: { drift: { ${drift} } } }]
`);

  it("has the name of no column", async () => {
    for (const [names, drift] of [
      [["*"], "schema: {}"],
      [["a", "k", "a{k=1}"], "columns: [{ column: a, segments: { by: { column: k, values: [1] } } }]"],
      [["a", "b", "a~b"], "model: { prediction: a, label: b }"],
    ] as const) {
      expect((await diagnosticsOf(named(names, drift))).map(({ code }) => code)).toEqual(["drift-repeated"]);
      expect((await load(named([...names.slice(0, -1), "z"], drift))).contract.drift?.checks.length).toBeGreaterThan(0);
    }
  });

  it("leaves a column alone that is called as all fields are", async () => {
    const { contract } = await load(named(["*"], 'columns: [{ column: "*", tests: [mean] }]'));
    expect(checkedFields(contract).get("*")?.type.kind).toBe("double");
    const profiler = referenceProfiler(contract, {
      countFields: () => expect.unreachable("a column is watched, not fields"),
      selectRows: () => expect.unreachable("there are no segments"),
    });
    expect(profiler.finish().columns.get("*")?.kind).toBe("number");
  });
});
