import { parseAvroSchema } from "../../core/avro/parse-avro-schema.ts";
import { parseProto } from "../../core/protobuf/parse-proto.ts";
import { messageAt } from "../../core/protobuf/proto-file.ts";
import type { RegisteredSchema, ResolvedSchemas } from "../../core/registered-schema.ts";
import type { Field } from "../../core/schema.ts";
import type { WriterFields } from "../../core/written-fields.ts";
import { avroFields } from "../avro/avro-fields.ts";
import { protoFields } from "../protobuf/proto-fields.ts";
import { type FrameGroup, frameName } from "./schema-frames.ts";

/** Writers' schemas whose fields are kept. */
const writersMax = 200;

/** The fields of registered schemas, whether or not their records fit the contract. */
export class WriterFieldsCache {
  readonly #fields: readonly Field[];
  readonly #known = new Map<string, WriterFields | null>();

  constructor(fields: readonly Field[]) {
    this.#fields = fields;
  }

  /** Null where the registry has no such schema, or it can't be read. */
  of(group: FrameGroup, schemas: ResolvedSchemas): WriterFields | null {
    const answer = schemas.get(group.id);
    if (answer === undefined || !answer.found) return null;
    const name = frameName(group);
    let fields = this.#known.get(name);
    if (fields === undefined) {
      fields = writerFields(answer.schema, group, this.#fields);
      if (this.#known.size >= writersMax) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(name, fields);
    }
    return fields;
  }
}

function writerFields({ type, text, references }: RegisteredSchema, group: FrameGroup, fields: readonly Field[]): WriterFields | null {
  if (type === "avro") {
    const parsed = parseAvroSchema(text, references);
    return "problem" in parsed ? null : { fields: avroFields(parsed.schema, fields), message: null };
  }
  if (type !== "protobuf") return null;
  const file = parseProto(text, references);
  const message = "problem" in file ? null : messageAt(file.messages, group.message ?? [0]);
  return message === null ? null : { fields: protoFields(message, fields), message };
}
