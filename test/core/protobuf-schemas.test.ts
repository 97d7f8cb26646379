import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseProto } from "../../src/core/protobuf/parse-proto.ts";
import { messageAt, messageNamed, type ProtoFile } from "../../src/core/protobuf/proto-file.ts";
import type { ProtoMessage } from "../../src/core/protobuf/proto-schema.ts";
import { readDescriptorSet } from "../../src/core/protobuf/read-descriptor-set.ts";

const folder = fileURLToPath(new URL("../codecs/protobuf/schemas/", import.meta.url));
const textOf = (name: string): string => readFileSync(`${folder}${name}`, "utf8");

function file(parsed: ProtoFile | { readonly problem: string }): ProtoFile {
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

const imports = ["shop/common.proto", "old.proto"].map((name) => ({ name, text: textOf(name) }));

/** A message without cycles: types by name. */
function flat(message: ProtoMessage): unknown {
  return message.fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => ({
      ...field,
      type:
        field.type.kind === "message"
          ? { message: field.type.message.name, delimited: field.type.delimited }
          : field.type.kind === "enum"
            ? { ...field.type.enum, values: field.type.enum.values.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
            : field.type.scalar,
    }));
}

const descriptors = file(readDescriptorSet(readFileSync(`${folder}order.binpb`)));

test.each(["shop.Order", "shop.Order.Item", "shop.Tree"])("%s is what protoc makes of it", (name) => {
  const parsed = file(parseProto(textOf("order.proto"), imports));
  expect(flat(messageNamed(parsed.messages, name)!)).toEqual(flat(messageNamed(descriptors.messages, name)!));
});

test.each([
  ["old.proto", "shop.old.Legacy"],
  ["shop/common.proto", "shop.Money"],
])("%s: %s is what protoc makes of it", (path, name) => {
  expect(flat(messageNamed(file(parseProto(textOf(path))).messages, name)!)).toEqual(flat(messageNamed(descriptors.messages, name)!));
});

test("messages are counted in the file's order, without those of its imports", () => {
  const { messages } = file(parseProto(textOf("order.proto"), imports));
  expect(messages.map(({ message }) => message.name)).toEqual(["shop.Order", "shop.Tree"]);
  expect(messageAt(messages, [0, 0])?.name).toBe("shop.Order.Item");
  expect([
    messageAt(messages, []),
    messageAt(messages, [2]),
    messageAt(messages, [1, 0]),
    messageNamed(messages, "shop.Order.Gone"),
  ]).toEqual([null, null, null, null]);
});

test("messages that contain themselves are cyclic, and plain values that can be cloned", () => {
  const tree = messageNamed(file(parseProto(textOf("order.proto"), imports)).messages, "shop.Tree")!;
  const cloned = structuredClone(tree);
  expect(cloned.fields[1]?.type).toMatchObject({ kind: "message" });
  expect(cloned.fields[1]?.type.kind === "message" && cloned.fields[1].type.message).toBe(cloned);
});

test.each([
  [`message M { int32 a = }`, /illegal token/],
  [`syntax = "proto3"; message M { Gone a = 1; }`, /Gone/],
  [`syntax = "proto3"; import "gone.proto"; message M {}`, /imports gone\.proto, which is not given/],
  [`syntax = "proto3"; message M { int32 a = 1; int32 b = 1; }`, /duplicate id 1/],
  [`syntax = "proto2"; message M { optional int64 a = 1 [default = 9223372036854775807]; }`, /beyond 2\^53/],
  [`syntax = "proto3"; message M { int32 __proto__ = 1; }`, /__proto__/],
  [`message A {`.repeat(3000), /./],
])("%#: no schema", (text, problem) => {
  expect(parseProto(text)).toEqual({ problem: expect.stringMatching(problem) as string });
});

test("names that mean something to JavaScript are names", () => {
  const text = `syntax = "proto3"; message constructor { int32 prototype = 1; string toString = 2; bool constructor = 3; } message hasOwnProperty {}`;
  expect(file(parseProto(text)).messages.map(({ message }) => [message.name, message.fields.map(({ name }) => name)])).toEqual([
    ["constructor", ["prototype", "toString", "constructor"]],
    ["hasOwnProperty", []],
  ]);
});

test("bytes that are no descriptor set are a problem", () => {
  expect(readDescriptorSet(Uint8Array.of(0xff, 1, 2))).toEqual({ problem: expect.any(String) as string });
});
