import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { DocumentError } from "../../src/core/errors.ts";
import { diagnosticsOf, documentOf, documentWith, errorsOf, load, loadAll } from "./contract-text.ts";

describe("places and suggestions", () => {
  test("all errors come at once, each with its line and column", async () => {
    const text = `apiVersion: v3.1.0
kind: DataContrat
id: test
version: 1.0
status: active
shema: []
schema:
  - name: t
    properties:
      - nam: a
        logicalType: strin
      - name: b
        logicalType: integer
        logicalTypeOptions: { minimun: 1, multipleOf: 0 }
        enum: [{ value: 1 }]
`;
    const errors = await diagnosticsOf(text);
    expect(errors.map(({ location, code, hint }) => [location.line, location.column, code, hint])).toEqual([
      [2, 7, "unknown-value", 'did you mean "DataContract"?'],
      [4, 10, "wrong-type", 'write it in quotes: "1.0"'],
      [6, 1, "unknown-key", 'did you mean "schema"?'],
      [10, 9, "unknown-key", 'did you mean "name"?'],
      [10, 9, "missing-key", "The name in the lake."],
      [11, 22, "unknown-value", 'did you mean "string"?'],
      [14, 31, "unknown-key", 'did you mean "minimum"?'],
      [14, 55, "number-too-small", null],
      [15, 9, "newer-key", "it came with apiVersion v3.2.0"],
    ]);
  });

  test("errors of the structure and of what it means come together, by place", async () => {
    const text = `apiVersion: v3.2.0
kind: DataContract
id: test
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - { name: a, logicalType: string, required: "yes" }
      - { name: b, logicalType: integer }
      - { name: c, logicalType: strin }
    quality:
      - { type: custom, engine: sluice, implementation: { check: pattern, column: a, pattern: "(" } }
      - { type: custom, engine: sluice, implementation: { check: rang, column: b, minimum: 1 } }
      - { type: custom, engine: sluice, implementation: { check: "null", column: c, where: { column: bb, equals: 1 } } }
`;
    expect(await errorsOf(text)).toEqual([
      "9:51 wrong-type",
      "11:33 unknown-value",
      "13:95 pattern-unsupported",
      "14:66 unknown-value",
      "15:102 column-unknown",
    ]);
  });

  test("one mistake of the structure makes no further errors", async () => {
    const rules = `    quality:
      - { type: custom, engine: sluice, implementation: { check: pattern, column: a, pattern: x, where: { column: a, equals: y } } }
      - { metric: duplicateValues, arguments: { properties: [a, b] }, mustBe: 0 }
      - { type: custom, engine: sluice, implementation: { check: compare, left: o.x, operator: equals, right: b } }
    customProperties: [{ property: sluice, value: { unsupported: refuse, late: { column: b, seconds: 1 }, drift: { columns: [{ column: a }] } } }]
`;
    const a = "{ name: a, logicalType: string, required: true }";
    const b = `{ name: b, logicalType: timestamp, logicalTypeOptions: { format: dd.MM.yyyy, minimum: "01.02.2026" } }`;
    const o = "{ name: o, logicalType: object, properties: [{ name: x, logicalType: timestamp }] }";
    const good = `    properties:\n      - ${a}\n      - ${b}\n      - ${o}\n${rules}`;
    await expect(load(documentOf(good))).resolves.toBeDefined();
    const mistakes: readonly (readonly [string, string, ...string[]])[] = [
      ["required: true", `required: "true"`, "wrong-type"],
      ["required: true", "requird: true", "unknown-key"],
      ["name: a,", "nam: a,", "unknown-key", "missing-key"],
      ["name: a, ", "", "missing-key"],
      ["name: a,", "name: 1,", "wrong-type"],
      [a, "a", "wrong-type"],
      ["logicalType: string", "logicalTyp: string", "unknown-key"],
      ["logicalType: string", "type: string", "unknown-key"],
      ["logicalType: string", "logicalType: strin", "unknown-value"],
      ["logicalTypeOptions", "logicalTypeOption", "unknown-key"],
      ["logicalTypeOptions", "options", "unknown-key"],
      ["format:", "formt:", "unknown-key"],
      ["format:", "written:", "unknown-key"],
      ["format: dd.MM.yyyy", "format: 1", "wrong-type"],
      ["logicalType: object, properties", "logicalType: object, fields", "unknown-key"],
      ["name: x", "nam: x", "unknown-key", "missing-key"],
      ["logicalType: timestamp }]", "logicalType: timestmp }]", "unknown-value"],
      ["    properties:\n", "    propertes:\n", "unknown-key"],
      ["    properties:\n", "    columns:\n", "unknown-key"],
      ["{ properties: [a, b] }", "[a, b]", "wrong-type"],
      ["arguments", "argument", "unknown-key"],
      ["check: pattern, column", "check: pattern, colum", "unknown-key"],
      ["pattern: x", "patern: x", "unknown-key", "missing-key"],
      ["equals: y", "equls: y", "unknown-key", "missing-key"],
      ["late: { column", "late: { colum", "unknown-key", "missing-key"],
      ["columns: [{ column: a }]", "columns: [{ colum: a }]", "unknown-key", "missing-key"],
      ["unsupported: refuse", "unsupported: refuze", "unknown-value"],
    ];
    for (const [from, to, ...codes] of mistakes) {
      expect(good).toContain(from);
      const found = (await errorsOf(documentOf(good.replace(from, to))))
        .map((each) => each.split(" ")[1] ?? "")
        .toSorted((one, other) => one.localeCompare(other));
      expect(found, `${from} -> ${to}`).toEqual(codes.toSorted((one, other) => one.localeCompare(other)));
    }
    for (const [from, to] of [
      ["schema:", "shema:"],
      ["name: things", "nam: things"],
      ["version: 1.0.0", "version: 1"],
    ] as const) {
      const found = await loadContract("x", () => Promise.resolve(documentOf(good).replace(from, to)), { dataset: "things" }).catch(
        (error: unknown) => error,
      );
      const codes = (found as DocumentError).diagnostics.map(({ code }) => code);
      expect(new Set(codes).difference(new Set(["unknown-key", "missing-key", "wrong-type"]))).toEqual(new Set());
    }
  });

  test("a broken property hides neither its rules' mistakes nor those of the settings", async () => {
    const text = documentOf(`    properties:
      - name: a
        logicalType: strin
        quality:
          - { type: custom, engine: sluice, implementation: { check: pattern, pattern: x, severty: error, where: { column: nope, isNull: true } } }
      - { name: b, logicalType: string, logicalTypeOptions: { minLenth: 1, pattern: "(" } }
    customProperties: [{ property: sluice, value: { unsupported: refuse, onBreech: stop, late: { column: c, seconds: 1 } } }]
`);
    expect((await errorsOf(text)).map((each) => each.replace(/:\d+ /, " "))).toEqual([
      "11 unknown-value",
      "13 unknown-key",
      "13 column-unknown",
      "14 unknown-key",
      "14 pattern-unsupported",
      "15 unknown-key",
      "15 column-unknown",
    ]);
  });

  test("a missing file is named", async () => {
    await expect(loadContract("nowhere.yaml", () => Promise.reject(new Error("there is no such file")))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("nowhere.yaml") as string,
    });
  });
});

describe("YAML", () => {
  test("duplicate keys, several documents, tags and bad bytes are errors", async () => {
    expect(await errorsOf(`${documentOf("")}    name: again\n`)).toContain("9:5 duplicate-key");
    expect(await errorsOf(`${documentOf("")}---\na: 1\n`)).toEqual(["9:1 several-documents"]);
    expect((await errorsOf(documentOf("    description: !!js/function 'x'\n")))[0]).toContain("yaml-tag");
    await expect(loadContract("x", () => Promise.resolve(new Uint8Array([0x61, 0xff])))).rejects.toThrow("not UTF-8");
  });

  test("syntax errors have their place", async () => {
    expect((await errorsOf("a: [1, 2\nb: }"))[0]).toMatch(/^2:\d+ yaml-syntax$/);
    expect(await errorsOf("")).toEqual(["1:1 document-empty"]);
    expect(await errorsOf("# nothing")).toEqual(["1:1 document-empty"]);
    expect(await errorsOf("[]")).toEqual(["1:1 wrong-type"]);
  });

  test("aliases work, and neither bombs nor cycles get far", async () => {
    const { contract } = await load(
      documentOf(`    properties:
      - &a { name: a, logicalType: integer, logicalTypeOptions: &o { minimum: 1 } }
      - { name: b, logicalType: integer, logicalTypeOptions: *o }
`),
    );
    expect(contract.rules.filter(({ check }) => check.family === "range").map(({ path }) => path)).toEqual(["a", "b"]);
    const levels = ["a: &l0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      levels.push(
        `l${i}: &l${i} [${Array(10)
          .fill(`*l${i - 1}`)
          .join(", ")}]`,
      );
    expect((await errorsOf(levels.join("\n")))[0]).toContain("document-too-large");
    expect((await errorsOf("a: &a [*a]"))[0]).toContain("document-too-deep");
    expect((await errorsOf(`x: ${"[".repeat(500)}${"]".repeat(500)}`))[0]).toContain("document-too-deep");
    expect((await errorsOf(`x: "${"y".repeat(5 * 1024 * 1024)}"`))[0]).toContain("document-too-large");
  });

  test("a byte order mark and Windows line ends do no harm; %YAML 1.1 brings nothing back", async () => {
    const text = documentWith("name: x\nlogicalType: string\nrequired: yes");
    expect(await errorsOf(`\uFEFF${text.replaceAll("\n", "\r\n")}`)).toEqual(["12:19 wrong-type"]);
    expect(await errorsOf(`%YAML 1.1\n---\n${text}`)).toEqual(["14:19 wrong-type"]);
  });

  test("names that JavaScript knows are plain names", async () => {
    expect(await errorsOf(`${documentOf("")}__proto__: 1\nconstructor: 2\n`)).toEqual(["9:1 unknown-key", "10:1 unknown-key"]);
    const { contract } = await load(documentWith("name: constructor\nlogicalType: string"));
    expect(contract.fields[0]?.path).toBe("constructor");
  });
});

describe("datasets", () => {
  const two = `${documentOf("    properties: [{ name: a, logicalType: string }]\n")}  - name: others\n`;

  test("one contract a schema object; one is chosen by name", async () => {
    const { contracts } = await loadAll(two);
    expect(contracts.map(({ dataset, topic }) => [dataset, topic])).toEqual([
      ["things", "things-topic"],
      ["others", "others"],
    ]);
    const read = (): Promise<string> => Promise.resolve(two);
    expect((await loadContract("x", read, { dataset: "others" })).contract.dataset).toBe("others");
    await expect(loadContract("x", read)).rejects.toThrow("name one of: things, others");
    await expect(loadContract("x", read, { dataset: "other" })).rejects.toThrow('did you mean "others"?');
  });

  test("the hash is that of the bytes, and of the files referred to", async () => {
    const text = documentOf("");
    expect((await load(text)).contract.hash).toBe(`sha256:${createHash("sha256").update(text).digest("hex")}`);
    const linked = documentOf(`    authoritativeDefinitions: [{ type: jsonSchema, url: ../s/one.json }]\n`);
    const schema = '{"type":"object"}';
    const { contract } = await load(linked, { "s/one.json": schema });
    const bytes = `${linked.length}:${linked}${schema.length}:${schema}`;
    expect(contract.hash).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
    expect(contract.references).toEqual([{ path: "s/one.json", text: schema }]);
    expect(await errorsOf(linked)).toEqual(["9:57 file-not-found"]);
  });

  test("owners are the members who say so and have not left", async () => {
    const team = `team:
  members:
    - { username: a, name: Ann, role: Data Owner }
    - { username: b, role: owner, dateOut: 2020-01-01 }
    - { username: c, role: Steward }
`;
    expect((await load(`${documentOf("")}${team}`)).contract.owners).toEqual([{ name: "Ann", role: "Data Owner" }]);
    expect((await load(`${documentOf("")}team: { name: Crew }\n`)).contract.owners).toEqual([{ name: "Crew", role: null }]);
  });
});
