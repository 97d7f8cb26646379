import { describe, expect, test } from "vitest";
import type { FieldType } from "../../src/core/schema.ts";
import { diagnosticsOf, documentOf, documentWith, errorsOf, load } from "./contract-text.ts";

async function typeOf(property: string): Promise<FieldType | undefined> {
  return (await load(documentWith(`name: x\n${property}`))).contract.fields[0]?.type;
}

async function rulesOf(property: string): Promise<unknown[]> {
  const { contract } = await load(documentWith(`name: x\n${property}`));
  return contract.rules.filter(({ check }) => check.family !== "type").map(({ id, check, scope }) => [id, scope, check]);
}

describe("column types", () => {
  test.each([
    ["logicalType: string", { kind: "string" }],
    ["logicalType: string\nphysicalType: VARBINARY(20)", { kind: "binary" }],
    ["logicalType: string\nlogicalTypeOptions: { format: byte }", { kind: "binary" }],
    ["logicalType: integer", { kind: "long" }],
    ["logicalType: integer\nphysicalType: INT", { kind: "int" }],
    ["logicalType: integer\nphysicalType: bigint\nlogicalTypeOptions: { format: i16 }", { kind: "long" }],
    ["logicalType: integer\nlogicalTypeOptions: { format: u16 }", { kind: "int" }],
    ["logicalType: integer\nlogicalTypeOptions: { format: u32 }", { kind: "long" }],
    ["logicalType: integer\nlogicalTypeOptions: { format: u64 }", { kind: "decimal", precision: 20, scale: 0 }],
    ["logicalType: number", { kind: "double" }],
    ["logicalType: number\nlogicalTypeOptions: { format: f32 }", { kind: "float" }],
    ["logicalType: number\nphysicalType: DECIMAL(10, 2)", { kind: "decimal", precision: 10, scale: 2 }],
    ["logicalType: number\nphysicalType: decimal(39,2)", { kind: "double" }],
    ["logicalType: number\nphysicalType: real", { kind: "float" }],
    ["logicalType: boolean", { kind: "boolean" }],
    ["logicalType: date", { kind: "date" }],
    ["logicalType: time", { kind: "time" }],
    ["logicalType: timestamp", { kind: "timestamp", zoned: true, unit: "micros" }],
    ["logicalType: timestamp\nlogicalTypeOptions: { timezone: false }", { kind: "timestamp", zoned: false, unit: "micros" }],
    ["logicalType: timestamp\nphysicalType: timestamp_ntz", { kind: "timestamp", zoned: false, unit: "micros" }],
    ["logicalType: timestamp\nphysicalType: timestamp(6) without time zone", { kind: "timestamp", zoned: false, unit: "micros" }],
    ["logicalType: object", { kind: "json" }],
    ["physicalType: date", { kind: "date" }],
    ["physicalType: nobody knows", { kind: "json" }],
  ])("%j", async (property, type) => {
    expect(await typeOf(property)).toEqual(type);
  });

  test("nested columns have paths and their own names", async () => {
    const { contract } = await load(
      documentWith(`name: order
logicalType: object
properties:
  - name: lines
    physicalName: Lines
    logicalType: array
    items:
      logicalType: object
      properties: [{ name: price, logicalType: number, required: true }]
  - name: extra
    logicalType: map
    map: { key: { logicalType: string }, value: { logicalType: integer } }
  - name: embedding
    logicalType: vector
    logicalTypeOptions: { dimensions: 3, elementType: float64 }
`),
    );
    const [order] = contract.fields;
    expect(order?.type).toMatchObject({
      kind: "struct",
      fields: [
        {
          name: "lines",
          sourceName: "Lines",
          path: "order.lines",
          type: {
            kind: "list",
            element: {
              path: "order.lines[]",
              type: { kind: "struct", fields: [{ path: "order.lines[].price", type: { kind: "double" } }] },
            },
          },
        },
        { path: "order.extra", type: { kind: "map", value: { path: "order.extra[]", type: { kind: "long" } } } },
        { path: "order.embedding", type: { kind: "list", element: { type: { kind: "double" }, required: true } } },
      ],
    });
    expect(contract.rules.map(({ id }) => id)).toEqual([
      "order.type",
      "order.lines.type",
      "order.lines[].type",
      "order.lines[].price.type",
      "order.lines[].price.required",
      "order.extra.type",
      "order.extra[].type",
      "order.embedding.type",
      "order.embedding.items",
      "order.embedding[].type",
      "order.embedding[].required",
    ]);
  });

  test("names that clash are errors", async () => {
    const properties = (a: string, b: string): string => documentOf(`    properties:\n      - ${a}\n      - ${b}\n`);
    expect(await errorsOf(properties("{ name: a }", "{ name: a }"))).toContain("11:11 name-repeated");
    expect(await errorsOf(properties("{ name: a, physicalName: k }", "{ name: b, physicalName: k }"))).toEqual(["11:11 name-repeated"]);
    expect(await errorsOf(properties("{ name: _sluice_offset }", "{ name: b }"))).toEqual(["10:11 name-reserved"]);
    expect(await errorsOf(properties("{ name: a, logicalType: object, properties: [{ name: b }] }", "{ name: a.b }"))).toEqual([
      "11:11 name-repeated",
    ]);
  });
});

describe("rules of a property", () => {
  const range = (min: string | null, max: string | null, more: object = {}): object => ({
    family: "range",
    min,
    max,
    exclusiveMin: false,
    exclusiveMax: false,
    minText: min,
    maxText: max,
    ...more,
  });

  test("bounds are exact text, and the tighter of two counts", async () => {
    expect(await rulesOf("logicalType: integer\nlogicalTypeOptions: { minimum: 12345678901234567890, maximum: 1.5e20 }")).toEqual([
      ["x.range", "row", range("12345678901234567890", "150000000000000000000", { maxText: "1.5e20" })],
    ]);
    expect(
      await rulesOf("logicalType: number\nlogicalTypeOptions: { minimum: 0.10, exclusiveMinimum: 0.1, maximum: 2, exclusiveMaximum: 3 }"),
    ).toEqual([["x.range", "row", range("0.1", "2", { exclusiveMin: true })]]);
    expect(await rulesOf("logicalType: integer\nlogicalTypeOptions: { format: u8, maximum: 300 }")).toEqual([
      ["x.range", "row", range("0", "255")],
    ]);
  });

  test("bounds of times are in the column's unit", async () => {
    const bounds = '{ minimum: "2013-01-01", exclusiveMaximum: "1970-01-02" }';
    expect(await rulesOf(`logicalType: date\nlogicalTypeOptions: ${bounds}`)).toMatchObject([
      ["x.range", "row", { min: "15706", max: "1", exclusiveMax: true, minText: "2013-01-01", maxText: "1970-01-02" }],
    ]);
    expect(await rulesOf('logicalType: time\nlogicalTypeOptions: { maximum: "23:59:59.5" }')).toMatchObject([
      ["x.range", "row", { max: "86399500000" }],
    ]);
    expect(
      await rulesOf(
        'logicalType: timestamp\nlogicalTypeOptions: { format: "dd/MM/yyyy HH:mm", minimum: "02/01/1970 00:01", maximum: "1970-01-03T00:00:00+01:00" }',
      ),
    ).toMatchObject([["x.range", "row", { min: "86460000000", max: "169200000000" }]]);
    expect(await errorsOf(documentWith('name: x\nlogicalType: date\nlogicalTypeOptions: { minimum: "2013-02-30" }'))).toEqual([
      "12:40 bound-malformed",
    ]);
  });

  test("formats and zones that can't be read are listed, or errors where the contract says so", async () => {
    const odd = 'name: x\nlogicalType: timestamp\nlogicalTypeOptions: { format: "YYYY-ww", defaultTimezone: Europe/Rome }';
    expect(await errorsOf(documentWith(odd))).toEqual(["12:39 time-format"]);
    const zone = "name: x\nlogicalType: timestamp\nlogicalTypeOptions: { defaultTimezone: Europe/Rome }";
    expect(await errorsOf(documentWith(zone))).toEqual(["12:48 time-zone"]);
    const { contract, diagnostics } = await load(documentWith(zone));
    expect(contract.unenforced).toEqual(["texts without an offset are read as UTC, not as Europe/Rome"]);
    expect(diagnostics).toMatchObject([{ severity: "warning", code: "time-zone" }]);
  });

  test("text", async () => {
    expect(
      await rulesOf(
        'logicalType: string\nunique: true\nrequired: true\nlogicalTypeOptions: { minLength: 0, maxLength: 3, pattern: "^a+$", format: email }',
      ),
    ).toEqual([
      ["x.required", "row", { family: "required" }],
      ["x.duplicate", "row", { family: "duplicate", columns: ["x"], keep: "first" }],
      ["x.length", "row", { family: "length", min: 0, max: 3 }],
      ["x.pattern", "row", { family: "pattern", pattern: "^a+$" }],
      ["x.format", "row", { family: "format", format: "email" }],
    ]);
  });

  test.each([
    ["(?=a)b", "lookaheads"],
    ["(?<!a)b", "lookbehinds"],
    ["(a)\\1", "backreferences"],
    ["\\u0041", "\\x{FFFF}"],
    ["(", "RE2"],
    ["((x{100}){100}){100}", "lower the counts"],
  ])("the pattern %s is refused with advice", async (pattern, advice) => {
    const [error] = await diagnosticsOf(documentWith(`name: x\nlogicalType: string\nlogicalTypeOptions: { pattern: '${pattern}' }`));
    expect(error).toMatchObject({ code: "pattern-unsupported", location: { line: 12, column: 40 } });
    expect(error?.hint).toContain(advice);
  });

  test("an unknown format is a warning that suggests, and listed", async () => {
    const { contract, diagnostics } = await load(documentWith("name: x\nlogicalType: string\nlogicalTypeOptions: { format: emial }"));
    expect(contract.unenforced).toEqual(['x: format "emial"']);
    expect(diagnostics).toMatchObject([{ code: "format-unknown", hint: 'did you mean "email"?' }]);
  });

  test("lists, objects, enum", async () => {
    expect(
      await rulesOf("logicalType: array\nlogicalTypeOptions: { maxItems: 2, uniqueItems: true }\nitems: { logicalType: string }"),
    ).toEqual([["x.items", "row", { family: "items", min: null, max: 2, unique: true }]]);
    expect(await rulesOf("logicalType: object\nlogicalTypeOptions: { required: [a], maxProperties: 2 }")).toEqual([
      ["x.properties", "row", { family: "properties", min: null, max: 2, required: ["a"] }],
    ]);
    expect(await rulesOf("logicalType: integer\nenum: [{ value: 1 }, { value: 12345678901234567890 }, { value: null }]")).toMatchObject([
      ["x.set", "row", { negated: false, values: [{ text: "1" }, { text: "12345678901234567890" }, { type: "null" }] }],
    ]);
    expect(await errorsOf(documentWith("name: x\nlogicalType: integer\nenum: [{ value: one }]"))).toEqual(["12:25 value-type"]);
  });

  test("a primary key is required, and unique as a whole in its order", async () => {
    const { contract } = await load(
      documentOf(`    properties:
      - { name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 2 }
      - { name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 1 }
      - { name: c, logicalType: string }
`),
    );
    expect(contract.rules.filter(({ check }) => check.family !== "type").map(({ id, check }) => [id, check])).toEqual([
      ["a.required", { family: "required" }],
      ["b.required", { family: "required" }],
      ["primaryKey", { family: "duplicate", columns: ["b", "a"], keep: "first" }],
    ]);
    expect(contract.fields.map(({ required }) => required)).toEqual([true, true, false]);
  });
});

describe("settings", () => {
  const withSettings = (value: string): string =>
    `${documentWith("name: at\nlogicalType: timestamp")}    customProperties: [{ property: sluice, value: ${value} }]\n`;

  test("defaults", async () => {
    expect((await load(documentOf(""))).contract).toMatchObject({
      window: { rows: 50_000, bytes: 33_554_432, seconds: 10 },
      policies: {
        tombstone: "quarantine",
        undecodable: "quarantine",
        oversized: { bytes: 16_777_216, action: "quarantine" },
        late: null,
        unknownFields: "ignore",
        key: { action: "ignore" },
      },
      drift: null,
      onBreach: "hold",
    });
  });

  test("given ones", async () => {
    const { contract } = await load(
      withSettings(
        "{ window: { rows: 5, bytes: 2 KiB, seconds: 0.5 }, tombstones: skip, oversized: { bytes: 9 }, late: { column: at, seconds: 60 }, " +
          "unknownFields: keep, onBreach: stop, drift: { baseline: { pinned: v1 }, columns: [{ column: at, policy: hold, limit: 0.3 }] } }",
      ),
    );
    expect(contract).toMatchObject({
      window: { rows: 5, bytes: 2048, seconds: 0.5 },
      policies: {
        tombstone: "skip",
        oversized: { bytes: 9 },
        late: { column: "at", seconds: 60, action: "quarantine" },
        unknownFields: "keep",
      },
      drift: {
        baseline: { kind: "pinned", ref: "v1" },
        tick: { rows: 50_000, seconds: 300 },
        warmupWindows: 5,
        checks: [{ column: "at", tests: ["psi"], policy: "hold", limit: 0.3 }],
      },
      onBreach: "stop",
    });
  });

  test("drift: how it is judged, and against what", async () => {
    const drift = async (text: string) => (await load(withSettings(`{ drift: { ${text}, columns: [{ column: at }] } }`))).contract.drift;
    const sequential = { mode: "sequential", detector: "shiryaev-roberts" };
    expect(await drift("warmupWindows: 1")).toMatchObject({
      baseline: { kind: "rolling", windows: 20 },
      detection: { ...sequential, between: { unit: "days", mean: 30 } },
    });
    expect((await drift("falseAlarms: { every: 2 weeks }, detector: cusum"))?.detection).toEqual({
      mode: "sequential",
      detector: "cusum",
      between: { unit: "days", mean: 14 },
    });
    expect((await drift("falseAlarms: { ticks: 500 }"))?.detection).toEqual({ ...sequential, between: { unit: "ticks", mean: 500 } });
    expect((await drift("mode: classical"))?.detection).toEqual({ mode: "classical" });
    expect(
      (await drift('baseline: { seasonal: { by: [hour], days: 3, timezone: Europe/Berlin, holidays: ["2026-12-25"] } }'))?.baseline,
    ).toEqual({ kind: "seasonal", by: ["hour"], windows: 3, timezone: "Europe/Berlin", holidays: ["2026-12-25"] });
    expect((await drift("baseline: { dataset: { name: other } }"))?.baseline).toEqual({ kind: "dataset", dataset: "other", windows: 20 });
  });

  test("drift of which fields records have", async () => {
    const checks = async (text: string) => (await load(withSettings(`{ drift: { ${text} } }`))).contract.drift?.checks;
    const all = ["new-fields", "missing-fields", "retyped-fields"];
    const check = { column: "*", called: "fields of records", tests: all, policy: "warn", limit: null };
    expect(await checks("schema: {}")).toEqual([check]);
    expect(await checks("columns: [{ column: at }], schema: { tests: [new-fields], policy: hold, limit: 0.1 }")).toEqual([
      { column: "at", tests: ["psi"], policy: "warn", limit: null },
      { ...check, tests: ["new-fields"], policy: "hold", limit: 0.1 },
    ]);
    const codes = async (settings: string) => (await diagnosticsOf(withSettings(settings))).map(({ code }) => code);
    expect(await codes("{ drift: { schema: { tests: [psi] } } }")).toEqual(["unknown-value"]);
    expect(await codes("{ drift: { columns: [{ column: at, tests: [new-fields] }] } }")).toEqual(["unknown-value"]);
    expect(await codes("{ drift: { warmupWindows: 3 } }")).toHaveLength(1);
    expect(await checks("schema: {} }, decoding: { format: csv")).toEqual([check]);
    expect(await checks("schema: {} }, decoding: { format: cbor")).toEqual([check]);
  });

  test("drift of a model needs columns that can be compared", async () => {
    const codes = async (columns: string, model: string): Promise<string[]> =>
      (
        await diagnosticsOf(
          documentOf(`    properties: [${columns}]
    customProperties: [{ property: sluice, value: { drift: { model: { ${model} } } } }]
`),
        )
      ).map(({ code }) => code);
    const [text, number] = ["{ name: t, logicalType: string }", "{ name: n, logicalType: number }"];
    expect(await codes(text, "prediction: x")).toEqual(["column-unknown"]);
    expect(await codes(text, "label: t")).toEqual(["missing-key"]);
    expect(await codes(`${text}, ${number}`, "prediction: t, label: n")).toEqual(["drift-model"]);
    expect(await codes(`${text}, { name: u, logicalType: string }`, "prediction: t, label: u, task: regression")).toEqual(["drift-model"]);
    expect(await codes(number, "prediction: n, label: n")).toEqual(["drift-model"]);
  });

  test("wrong ones have places", async () => {
    const at = async (value: string): Promise<string[]> =>
      (await diagnosticsOf(withSettings(value))).map(({ code, hint }) => `${code}: ${hint}`);
    expect(await at("{ windows: {} }")).toEqual(['unknown-key: did you mean "window"?']);
    expect(await at("{ window: { bytes: 1 TB } }")).toEqual(['malformed-value: a size such as "32 MiB" (B, KiB, MiB, GiB)']);
    expect(await at("{ key: { column: at, format: long } }")).toEqual(["column-type: null"]);
    expect(await at("{ late: { column: att, seconds: 1 } }")).toEqual(['column-unknown: did you mean "at"?']);
    expect(await at("{ drift: { columns: [{ column: at, tests: [pzi] }] } }")).toEqual(['unknown-value: did you mean "psi"?']);
    const drift = (text: string): Promise<string[]> => at(`{ drift: { ${text}, columns: [{ column: at }] } }`);
    expect(await drift("mode: each-tick, falseAlarms: { ticks: 5 }")).toEqual(["drift-mode: null"]);
    expect(await drift("falseAlarms: { every: monthly }")).toEqual(['malformed-value: a time such as "30 days" (hours, days, weeks)']);
    expect(await drift("baseline: { seasonal: { by: [weekday], timezone: Mars/Olympus } }")).toEqual([
      "timezone-unknown: such as Europe/Berlin",
    ]);
    expect(await drift("baseline: { rolling: 3, pinned: v1 }")).toHaveLength(1);
    expect(await errorsOf(`${documentOf("")}customProperties: [{ property: sluice, value: {} }]\n`)).toEqual(["9:20 settings-misplaced"]);
  });
});

test("what is not enforced is listed with its place", async () => {
  const { contract, diagnostics } = await load(`${documentOf(`    quality:
      - { type: text, description: words }
      - { type: sql, query: select 1, mustBe: 1 }
      - { type: custom, engine: soda, implementation: x }
    properties:
      - { name: a, logicalType: string, transformLogic: x, partitioned: true, encryptedName: b }
`)}servers: [{ server: s, type: kafka, host: h }]
slaProperties: [{ property: latency, value: 1 }]
roles: [{ role: r }]
`);
  expect(contract.unenforced.toSorted()).toEqual([
    "a: encrypted name",
    "a: partitioning",
    "a: transform logic",
    "dataset: a rule in words",
    "dataset: a rule of the engine soda",
    "roles: Sluice grants no access",
    "server s (kafka): brokers and catalogs come from Sluice's configuration",
    "service level: latency",
  ]);
  expect(diagnostics.every(({ severity, location }) => severity === "info" && location.line > 8)).toBe(true);
  expect(diagnostics).toHaveLength(8);
});
