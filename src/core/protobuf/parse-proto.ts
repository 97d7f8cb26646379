import type protobuf from "protobufjs";
import { library } from "../library.ts";
import type { SchemaReference } from "../registered-schema.ts";
import type { ProtoDeclaration, ProtoFile } from "./proto-file.ts";
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoScalar, ProtoType } from "./proto-schema.ts";

const charactersMax = 4 * 1024 * 1024;
const mainFile = "\u0000main";

const scalars: ReadonlySet<string> = new Set<ProtoScalar>([
  "double",
  "float",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed32",
  "sfixed64",
  "bool",
  "string",
  "bytes",
]);

/**
 * Parses a `.proto` file (proto2, proto3, editions) with the files that it imports, by the names that it imports them by; Google's well-known types need
 * not be given. Only protobufjs' parser and name resolution run: nothing is generated from the text. Answers `{ problem }` for a file that is none.
 */
export function parseProto(text: string, references: readonly SchemaReference[] = []): ProtoFile | { readonly problem: string } {
  const protobufjs = library.protobufjs();
  // The parser notes in every type the file that it reads; its typings don't say so.
  const parser = protobufjs.parse as typeof protobufjs.parse & { filename: string | null };
  try {
    const root = new protobufjs.Root();
    const given = new Map(references.map((reference) => [reference.name, reference.text]));
    const loaded = new Set<string>();
    const load = (source: string, name: string, importer: string | null): void => {
      if (source.length > charactersMax) throw new Error(`${name} is longer than ${charactersMax} characters`);
      // The parser drops such fields without a word.
      if (/\b__proto__\b/.test(source)) throw new Error(`${name} has the name __proto__, which can be read from a descriptor set only`);
      parser.filename = name;
      const { imports = [], weakImports = [] } = protobufjs.parse(source, root, { keepCase: true });
      for (const imported of [...imports, ...weakImports]) include(imported, importer ?? "the schema");
    };
    const include = (name: string, importer: string): void => {
      if (loaded.has(name)) return;
      loaded.add(name);
      const source = given.get(name);
      if (source !== undefined) return load(source, name, name);
      const common = protobufjs.common.get(name);
      // Options on files and fields come from descriptor.proto, which no value needs.
      if (common === null && name !== "google/protobuf/descriptor.proto")
        throw new Error(`${importer} imports ${name}, which is not given`);
      if (common !== null && common.nested !== undefined) root.addJSON(common.nested);
    };
    load(text, mainFile, null);
    root.resolveAll();
    return { messages: declarationsOf(root, new Map()) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: message.replaceAll(mainFile, "the schema") };
  } finally {
    parser.filename = null;
  }
}

type Known = Map<protobuf.Type | protobuf.Enum, ProtoMessage | ProtoEnum>;

/** The main file's messages below a namespace. */
function declarationsOf(space: protobuf.NamespaceBase, known: Known): ProtoDeclaration[] {
  return space.nestedArray.flatMap((each): ProtoDeclaration[] => {
    if (each instanceof library.protobufjs().Type) {
      if (each.filename !== mainFile && !(space instanceof library.protobufjs().Type)) return [];
      return [{ message: messageOf(each, known), nested: declarationsOf(each, known) }];
    }
    return each instanceof library.protobufjs().Namespace && !(each instanceof library.protobufjs().Service)
      ? declarationsOf(each, known)
      : [];
  });
}

function messageOf(type: protobuf.Type, known: Known): ProtoMessage {
  const before = known.get(type);
  if (before !== undefined) return before as ProtoMessage;
  const fields: ProtoField[] = [];
  const message: ProtoMessage = { name: type.fullName.slice(1), fields };
  known.set(type, message);
  const oneofs = type.oneofsArray.filter(
    (oneof) => !(oneof.fieldsArray.length === 1 && oneof.fieldsArray[0]?.options?.["proto3_optional"] === true),
  );
  // Extensions stand among the fields of what they extend; they are no fields of it.
  const own = type.fieldsArray.filter(({ declaringField }) => declaringField === null);
  for (const field of own) fields.push(fieldOf(field, oneofs, known));
  return message;
}

function fieldOf(field: protobuf.Field, oneofs: readonly protobuf.OneOf[], known: Known): ProtoField {
  const map = field instanceof library.protobufjs().MapField;
  const shape = map ? "map" : field.repeated ? "list" : "single";
  const declared: unknown = field.options?.["default"];
  const type = typeOf(field, known);
  // A group's field is called by its type's name, all in small letters.
  const group =
    field.resolvedType instanceof library.protobufjs().Type && (field.resolvedType as { readonly group?: boolean }).group === true;
  const name = group ? field.name.toLowerCase() : field.name;
  return {
    number: field.id,
    name,
    jsonName: jsonNameOf(field, name),
    type,
    shape,
    key: map ? (field.keyType as ProtoScalar) : null,
    presence: shape === "single" && (type.kind === "message" || Boolean(field.hasPresence)),
    byDefault: declared === undefined || declared === null ? null : defaultText(field, declared),
    oneof: field.partOf === null ? -1 : oneofs.indexOf(field.partOf),
  };
}

/** The name in JSON: as given, else by protoc's rule: underscores go, and the letter behind each is a capital. */
function jsonNameOf(field: protobuf.Field, name: string): string {
  const given: unknown = field.options?.["json_name"];
  return typeof given === "string" ? given : name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase());
}

function typeOf(field: protobuf.Field, known: Known): ProtoType {
  const { resolvedType } = field;
  if (resolvedType instanceof library.protobufjs().Type)
    return { kind: "message", message: messageOf(resolvedType, known), delimited: field.delimited };
  if (resolvedType instanceof library.protobufjs().Enum) return { kind: "enum", enum: enumOf(resolvedType, known) };
  if (!scalars.has(field.type)) throw new Error(`field ${field.fullName} has no known type`);
  return { kind: "scalar", scalar: field.type as ProtoScalar };
}

function enumOf(type: protobuf.Enum, known: Known): ProtoEnum {
  const before = known.get(type);
  if (before !== undefined) return before as ProtoEnum;
  const features = (type as unknown as { readonly _features?: { readonly enum_type?: string } })._features;
  const made: ProtoEnum = {
    name: type.fullName.slice(1),
    closed: features?.enum_type === "CLOSED",
    values: Object.entries(type.values).map(([name, number]) => ({ name, number })),
  };
  known.set(type, made);
  return made;
}

/** Defaults as text; bytes as base64, whose escapes protobufjs has read. */
function defaultText(field: protobuf.Field, declared: unknown): string {
  if (typeof declared === "number" && Number.isInteger(declared) && !Number.isSafeInteger(declared) && field.type.endsWith("64"))
    throw new Error(`the default of ${field.fullName} is beyond 2^53, which can be read from a descriptor set only`);
  const text = typeof declared === "string" ? declared : String(declared).replace("Infinity", "inf").replace("NaN", "nan");
  return field.type === "bytes" ? Buffer.from(text, "latin1").toString("base64") : text;
}
