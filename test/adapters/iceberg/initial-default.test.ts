import { describe, expect, it } from "vitest";
import { initialDefault } from "../../../src/adapters/iceberg/initial-default.ts";
import { parseLosslessJson, writeLosslessJson } from "../../../src/adapters/iceberg/lossless-json.ts";
import type { IcebergField, SingleValue } from "../../../src/core/table-schema.ts";

const of = (type: IcebergField["type"], json: string): unknown =>
  initialDefault({ id: 1, name: "c", required: false, type, "initial-default": parseLosslessJson(json) as SingleValue });

describe("an initial default", () => {
  it("is what files would hold, for every primitive type of the specification", () => {
    const cases: readonly (readonly [type: string, json: string, physical: unknown])[] = [
      ["boolean", "true", true],
      ["int", "34", 34],
      ["long", "-9223372036854775808", -(2n ** 63n)],
      ["long", "5", 5n],
      ["float", "1.0", 1],
      ["double", "1e3", 1000],
      ["decimal(9, 2)", '"14.20"', 1420n],
      ["decimal(9, 2)", '"-0.05"', -5n],
      ["decimal(38, 0)", '"-12345678901234567890123456789012345678"', -12345678901234567890123456789012345678n],
      ["date", '"2017-11-16"', 17_486],
      ["time", '"22:31:08.123456"', 81_068_123_456n],
      ["timestamp", '"2017-11-16T22:31:08.123456"', 1_510_871_468_123_456n],
      ["timestamptz", '"2017-11-16T22:31:08.1+00:00"', 1_510_871_468_100_000n],
      ["timestamp_ns", '"1969-12-31T23:59:59.999999999"', -1n],
      ["timestamptz_ns", '"2017-11-16T22:31:08+00:00"', 1_510_871_468_000_000_000n],
      ["string", '"iceberg"', Buffer.from("iceberg")],
      ["uuid", '"f79c3e09-677c-4bbd-a479-3f349cb785e7"', Uint8Array.from(Buffer.from("f79c3e09677c4bbda4793f349cb785e7", "hex"))],
      ["fixed[4]", '"000102ff"', Buffer.from("000102ff", "hex")],
      ["binary", '""', Buffer.alloc(0)],
    ];
    for (const [type, json, physical] of cases) expect(of(type, json), `${type} ${json}`).toEqual(physical);
  });

  it("is none where there is none, or the field is no scalar", () => {
    expect(initialDefault({ id: 1, name: "c", required: false, type: "long" })).toBeNull();
    expect(of("variant", "null")).toBeNull();
    expect(of({ type: "struct", fields: [] }, "{}")).toBeNull();
  });

  it("is refused where it is none of the type", () => {
    for (const [type, json] of [
      ["boolean", '"true"'],
      ["int", "1.5"],
      ["long", '"x"'],
      ["double", '""'],
      ["decimal(4, 1)", '"1.25"'],
      ["date", '"2017/11/16"'],
      ["timestamptz", '"2017-11-16T22:31:08+02:00"'],
      ["timestamp_ns", '"2262-04-11T23:47:16.854775808"'],
      ["string", "7"],
      ["uuid", '"f79c"'],
      ["binary", '"0"'],
      ["variant", "1"],
    ] as const)
      expect(() => of(type, json), `${type} ${json}`).toThrow("its default value is none");
  });
});

it("defaults go through metadata and from thread to thread as they are, those of floats with a point", () => {
  const field = (type: string, value: unknown): object => ({ id: 1, name: "c", required: false, type, "initial-default": value });
  const text = '{"id":1,"name":"c","required":false,"type":"double","initial-default":1.0}';
  const parsed = parseLosslessJson(text);
  expect(structuredClone(parsed)).toEqual(field("double", 1));
  expect(writeLosslessJson(parsed)).toBe(text);
  expect(
    writeLosslessJson([
      field("float", -7),
      field("double", -0),
      field("double", 0.25),
      field("double", 1e300),
      field("int", 5),
      field("long", 2n ** 62n),
    ]),
  ).toBe(
    `[${[
      ["float", "-7.0"],
      ["double", "-0.0"],
      ["double", "0.25"],
      ["double", "1e300"],
      ["int", "5"],
      ["long", "4611686018427387904"],
    ]
      .map(([type, value]) => `{"id":1,"name":"c","required":false,"type":"${type}","initial-default":${value}}`)
      .join(",")}]`,
  );
});
