import { describe, expect, it } from "vitest";
import type { SchemaReference } from "../../src/core/registered-schema.ts";
import { compileRegisteredSchema } from "../../src/rules/registered-json-schema.ts";

function judge(schema: object | string, references: readonly SchemaReference[] = []): (text: string) => string | null {
  const compiled = compileRegisteredSchema({
    type: "json",
    text: typeof schema === "string" ? schema : JSON.stringify(schema),
    references,
  });
  if ("problem" in compiled) throw new Error(compiled.problem);
  return (text) => compiled(Buffer.from(text));
}

describe("a registered JSON Schema", () => {
  it("says what is wrong, by path and without values", () => {
    const order = judge({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      required: ["id"],
      properties: { id: { type: "integer" }, card: { type: "string", pattern: "^[0-9]{4}$" } },
      additionalProperties: false,
    });
    expect(order('{"id":1,"card":"1234"}')).toBeNull();
    expect(order('{"card":"secret"}')).toBe("the record must have required property 'id'; /card must match pattern \"^[0-9]{4}$\"");
    expect(order('{"id":1,"extra":5}')).toBe("the record must NOT have additional properties (extra)");
    expect(order("{")).toBeNull();
  });

  it("finds what it refers to, by plain names and by addresses", () => {
    const money = {
      name: "money.json",
      text: JSON.stringify({ $schema: "http://json-schema.org/draft-04/schema#", type: "object", required: ["cents"] }),
    };
    const plain = judge({ properties: { price: { $ref: "money.json" } } }, [money]);
    expect([plain('{"price":{"cents":1}}'), plain('{"price":{}}')]).toEqual([null, "/price must have required property 'cents'"]);
    const withId = judge({ $id: "https://example.org/order.json", properties: { price: { $ref: "money.json" } } }, [money]);
    expect(withId('{"price":{}}')).toContain("cents");
    const latest = judge({ $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] });
    expect(latest("[1]")).toBe("/0 must be string");
  });

  it("judges numbers beyond 2^53 by their text, and patterns in linear time", () => {
    const limited = judge({ properties: { n: { maximum: 9_007_199_254_740_992 } } });
    expect([limited('{"n":9007199254740992}'), limited('{"n":9007199254740993}')]).toEqual([null, "/n must be <= 9007199254740992"]);
    const evil = judge({ type: "string", pattern: "^(a+)+$" });
    expect(evil(`"${"a".repeat(50_000)}!"`)).toMatch(/pattern/);
  });

  it("that is none has a problem", () => {
    for (const text of ["{", '{"type":"nothing"}', '{"pattern":"(?=a)"}', '{"$ref":"elsewhere.json"}']) {
      expect(compileRegisteredSchema({ type: "json", text, references: [] })).toHaveProperty("problem");
    }
  });
});
