import type { AvroSchema } from "../core/avro/avro-schema.ts";
import { parseAvroSchema } from "../core/avro/parse-avro-schema.ts";
import type { SourceLocation } from "../core/errors.ts";
import type { FormatPlan } from "../core/format-plan.ts";
import { parseProto } from "../core/protobuf/parse-proto.ts";
import { messageNamed, type ProtoDeclaration, type ProtoFile } from "../core/protobuf/proto-file.ts";
import type { ProtoMessage } from "../core/protobuf/proto-schema.ts";
import { readDescriptorSet } from "../core/protobuf/read-descriptor-set.ts";
import type { SchemaReference } from "../core/registered-schema.ts";
import type { Field } from "../core/schema.ts";
import type { Compilation } from "./compilation.ts";
import { suggestion } from "./nearest-name.ts";
import { child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

/** Whether a file is a descriptor set, which is no text: its bytes stand as characters of their numbers. */
export function isDescriptorSet(path: string): boolean {
  return /\.(binpb|desc|pb|protoset)$/i.test(path);
}

/** The files that a schema object's settings name to decode values and keys by, as written: each schema, then what it refers to. */
export function decodingFiles(schema: Node): readonly { readonly url: string; readonly node: Node }[] {
  const settings = child(items(schema, "customProperties").find((each) => textAt(each, "property") === "sluice") ?? null, "value");
  return [child(settings, "decoding"), child(settings, "key")].flatMap((decoding) => {
    const main = child(decoding, "schema");
    return [...(main === null ? [] : [main]), ...items(decoding, "references")].flatMap((node) =>
      node.kind === "scalar" && typeof node.value === "string" ? [{ url: node.value, node }] : [],
    );
  });
}

/** A format of Avro or Protobuf with its schema parsed, from the settings that name it; JSON where they are wrong, which is reported. */
export function compileFormat(compilation: Compilation, decoding: Node, format: "avro" | "protobuf", own: readonly Field[]): FormatPlan {
  const path = textAt(decoding, "schema");
  if (path === null) {
    compilation.findings.error(
      "schema-missing",
      decoding.at,
      `records of the format ${format} need a schema`,
      `name its file: \`schema: …\`, or say \`framing: registry\``,
    );
    return { format: "json" };
  }
  const at = placeOf(decoding, "schema");
  const text = compilation.references.get(path);
  // A file that can't be read is reported where it is read.
  if (text === undefined) return { format: "json" };
  const references = items(decoding, "references").flatMap((node) => {
    const name = node.kind === "scalar" ? String(node.value) : "";
    const found = compilation.references.get(name);
    return found === undefined ? [] : [{ name, text: found }];
  });
  if (format === "avro") {
    const parsed = parseAvroSchema(text, references);
    if ("problem" in parsed) return refuse(compilation, at, `${path} is no Avro schema: ${parsed.problem}`);
    noteAvroGaps(compilation, parsed.schema, own, at);
    return { format, schema: parsed.schema, text };
  }
  const file = isDescriptorSet(path) ? readDescriptorSet(Buffer.from(text, "latin1")) : parseProto(text, references.flatMap(importNames));
  if ("problem" in file) return refuse(compilation, at, `${path} can't be read: ${file.problem}`);
  const message = chooseMessage(compilation, file, decoding);
  if (message === null) return { format: "json" };
  noteProtoGaps(compilation, message, own, at);
  return { format, message };
}

function refuse(compilation: Compilation, at: SourceLocation, message: string): FormatPlan {
  compilation.findings.error("schema-invalid", at, message);
  return { format: "json" };
}

/** Imports are written relative to a root that the contract does not name: a file has the names of all the ends of its path. */
function importNames({ name, text }: SchemaReference): SchemaReference[] {
  const parts = name.split("/").filter((part) => part !== ".");
  return parts.map((_, i) => ({ name: parts.slice(i).join("/"), text }));
}

function chooseMessage(compilation: Compilation, file: ProtoFile, decoding: Node): ProtoMessage | null {
  const name = textAt(decoding, "message");
  const [only, ...others] = file.messages;
  if (name === null && only !== undefined && others.length === 0) return only.message;
  const names = namesOf(file.messages);
  if (name === null) {
    compilation.findings.error(
      "message-missing",
      decoding.at,
      "the file has several messages",
      `name one: \`message: ${names[0] ?? "…"}\``,
    );
    return null;
  }
  const found = messageNamed(file.messages, name);
  if (found === null)
    compilation.findings.error("message-unknown", placeOf(decoding, "message"), `there is no message ${name}`, suggestion(name, names));
  return found;
}

function namesOf(declarations: readonly ProtoDeclaration[]): string[] {
  return declarations.flatMap(({ message, nested }) => [message.name, ...namesOf(nested)]);
}

function warnMissing(compilation: Compilation, field: Field, owner: string, names: readonly string[], at: SourceLocation): void {
  compilation.findings.warning(
    "column-not-in-schema",
    at,
    `${owner} has no field ${field.sourceName}, so ${field.path} is always missing`,
    suggestion(field.sourceName, [...names]),
  );
}

function noteAvroGaps(compilation: Compilation, schema: AvroSchema, fields: readonly Field[], at: SourceLocation): void {
  const records = (schema.type === "union" ? schema.branches : [schema]).filter((each) => each.type === "record");
  if (records.length === 0) return;
  for (const field of fields) {
    const sources = records.flatMap((record) => record.fields.filter(({ name }) => name === field.sourceName));
    if (sources.length > 0) {
      if (field.type.kind === "struct") for (const { schema: inner } of sources) noteAvroGaps(compilation, inner, field.type.fields, at);
    } else {
      const names = records.flatMap((record) => record.fields.map(({ name }) => name));
      warnMissing(compilation, field, records.map(({ name }) => name).join(" and "), names, at);
    }
  }
}

function noteProtoGaps(compilation: Compilation, message: ProtoMessage, fields: readonly Field[], at: SourceLocation): void {
  for (const field of fields) {
    const source = message.fields.find(({ name, jsonName }) => name === field.sourceName || jsonName === field.sourceName);
    if (source === undefined) {
      const names = message.fields.map(({ name }) => name);
      warnMissing(compilation, field, message.name, names, at);
    } else if (field.type.kind === "struct" && source.type.kind === "message") {
      noteProtoGaps(compilation, source.type.message, field.type.fields, at);
    }
  }
}
