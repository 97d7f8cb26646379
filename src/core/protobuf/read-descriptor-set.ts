import type { DescEnum, DescField, DescMessage, ScalarType } from "@bufbuild/protobuf";
import { library } from "../library.ts";
import type { ProtoDeclaration, ProtoFile } from "./proto-file.ts";
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoScalar, ProtoType } from "./proto-schema.ts";

/** Reads a `FileDescriptorSet` (`protoc --include_imports --descriptor_set_out`). Answers `{ problem }` for bytes that are none. */
export function readDescriptorSet(bytes: Uint8Array): ProtoFile | { readonly problem: string } {
  try {
    const { createFileRegistry, fromBinary } = library.protobuf();
    const set = fromBinary(library.protobufTypes().FileDescriptorSetSchema, bytes);
    const registry = createFileRegistry(set);
    const known: Known = new Map();
    return { messages: [...registry.files].flatMap((file) => file.messages.map((message) => declarationOf(message, known))) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A message of protobuf-es' descriptors as Sluice's plain value. */
export function protoMessage(message: DescMessage): ProtoMessage {
  return messageOf(message, new Map());
}

type Known = Map<DescMessage | DescEnum, ProtoMessage | ProtoEnum>;

function declarationOf(message: DescMessage, known: Known): ProtoDeclaration {
  return { message: messageOf(message, known), nested: message.nestedMessages.map((each) => declarationOf(each, known)) };
}

function messageOf(desc: DescMessage, known: Known): ProtoMessage {
  const before = known.get(desc);
  if (before !== undefined) return before as ProtoMessage;
  const fields: ProtoField[] = [];
  const message: ProtoMessage = { name: desc.typeName, fields };
  known.set(desc, message);
  for (const field of desc.fields) fields.push(fieldOf(field, desc, known));
  return message;
}

function fieldOf(field: DescField, owner: DescMessage, known: Known): ProtoField {
  const single = field.fieldKind !== "list" && field.fieldKind !== "map";
  return {
    number: field.number,
    name: field.name,
    jsonName: field.jsonName,
    type: typeOf(field, known),
    shape: field.fieldKind === "list" ? "list" : field.fieldKind === "map" ? "map" : "single",
    key: field.fieldKind === "map" ? scalarName(field.mapKey) : null,
    presence: single && field.presence !== library.protobufTypes().FeatureSet_FieldPresence.IMPLICIT,
    byDefault: field.proto.defaultValue === "" ? null : defaultText(field),
    oneof: field.oneof === undefined ? -1 : owner.oneofs.indexOf(field.oneof),
  };
}

function typeOf(field: DescField, known: Known): ProtoType {
  if (field.message !== undefined)
    return {
      kind: "message",
      message: messageOf(field.message, known),
      delimited: field.fieldKind !== "map" && "delimitedEncoding" in field && field.delimitedEncoding,
    };
  if (field.enum !== undefined) return { kind: "enum", enum: enumOf(field.enum, known) };
  return { kind: "scalar", scalar: scalarName(field.scalar) };
}

function scalarName(type: ScalarType): ProtoScalar {
  return library.protobuf().ScalarType[type].toLowerCase() as ProtoScalar;
}

function enumOf(desc: DescEnum, known: Known): ProtoEnum {
  const before = known.get(desc);
  if (before !== undefined) return before as ProtoEnum;
  const made: ProtoEnum = {
    name: desc.typeName,
    closed: !desc.open,
    values: desc.values.map(({ name, number }) => ({ name, number })),
  };
  known.set(desc, made);
  return made;
}

/** A descriptor has defaults as text already, but those of bytes with C escapes. */
function defaultText(field: DescField): string {
  if (field.scalar !== library.protobuf().ScalarType.BYTES) return field.proto.defaultValue;
  const value = "getDefaultValue" in field ? field.getDefaultValue() : undefined;
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : "";
}
