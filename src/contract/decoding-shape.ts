import { key, name, needed } from "./rule-keys.ts";
import { listOf, oneOf } from "./shape.ts";
import type { Key, ObjectShape, Shape } from "./shape.ts";

/** The formats of record values. */
export const valueFormats = ["json", "avro", "protobuf", "csv", "messagepack", "cbor"] as const;

const schemaFile = key(
  name,
  "The schema's file, relative to the contract. Avro: an Avro schema (JSON); of records with a registry, what the writers' schemas are resolved to. Protobuf: a `.proto` file, or a descriptor set with its imports (`.binpb`, `.desc`, `.pb`, `.protoset`).",
);
const references = key(
  listOf(name, { min: 1, unique: true }),
  "Files that the schema refers to: Avro schemas with named types, each before those that use it; imported `.proto` files.",
  "none",
);
const message = key(name, "Protobuf: the message's full name.", "the file's only message");
const framing = (part: string): Key =>
  key(
    oneOf(["none", "registry"]),
    `\`registry\`: each ${part} names its registered schema, as Confluent's serializers write it (JSON, Avro, Protobuf): before the payload, or in a header. The schema is asked of the configuration's \`registry\`.`,
    "none",
  );

const oneCharacter: Shape = {
  type: "string",
  pattern: { regex: /^[\t -~]$/u, words: "one ASCII character" },
};

const csv: ObjectShape = {
  type: "object",
  keys: {
    columns: key(
      listOf(name, { min: 1, unique: true }),
      "What the cells are, in order, by `physicalName` (or `name`).",
      "the properties, in order",
    ),
    delimiter: key(oneCharacter, "Stands between cells.", ","),
    quote: key(oneCharacter, "Stands around cells, and doubled inside them.", '"'),
    nullToken: key({ type: "string" }, "An unquoted cell with this text is null.", "the empty text"),
  },
};

/** How the bytes of a record's value become columns. */
export const decoding: ObjectShape = {
  type: "object",
  keys: {
    format: key(oneOf(valueFormats), "What the value of a record is.", "the `format` of the contract's Kafka server, else json"),
    framing: framing("record"),
    validate: key({ type: "boolean" }, "JSON with a registry: whether records must be valid by their registered schema.", "false"),
    schema: schemaFile,
    references,
    message,
    csv: key(csv, "CSV: one record of RFC 4180 a message, without a header line."),
  },
};

const outerColumn = (what: string): ObjectShape => ({
  type: "object",
  keys: {
    column: needed(name, "A property at the top of the contract; it is then not looked for in the payload."),
    from: needed(name, what),
  },
});

/** What stands around the row inside a record. */
export const envelope: Shape = {
  type: "either",
  of: [
    oneOf(["none", "cloudevents", "debezium"]),
    {
      type: "object",
      keys: {
        type: needed(oneOf(["cloudevents", "debezium"]), "`cloudevents`: CloudEvents 1.0. `debezium`: change events."),
        columns: key(
          listOf(
            outerColumn("The attribute: `id`, `time`, an extension's name; of Debezium `op`, `ts_ms`, or a path such as `source.lsn`."),
            { min: 1 },
          ),
          "Columns that come from the envelope.",
          "none",
        ),
        mode: key(
          oneOf(["structured", "binary", "either"]),
          "CloudEvents: the whole event as JSON, or its attributes in `ce_` headers, or whichever a record's content type says.",
          "either",
        ),
        dataSchemas: key(listOf(name, { min: 1, unique: true }), "CloudEvents: the values of `dataschema` that are taken.", "any"),
        deletes: key(
          oneOf(["tombstone", "before"]),
          "Debezium: a delete is a tombstone, judged by `tombstones`; or a row, the image before it (give it an `op` column to tell it by).",
          "tombstone",
        ),
      },
    },
  ],
};

/** What becomes of a record's key. */
export const recordKey: Shape = {
  type: "either",
  of: [
    oneOf(["ignore"]),
    {
      type: "object",
      keys: {
        column: key(name, "A property of the contract that takes the whole key."),
        columns: key(
          listOf(outerColumn("The key's field, or a path of fields such as `geo.city`."), { min: 1 }),
          "Properties that take fields of the key.",
        ),
        format: key(
          oneOf(["text", "int", "long", ...valueFormats.filter((format) => format !== "csv")]),
          "What the key is. `int`, `long`: 4 or 8 bytes, big endian, as Kafka's serializers write them. A key that can't be read quarantines its record.",
          "text",
        ),
        framing: framing("key"),
        schema: schemaFile,
        references,
        message,
      },
      exactlyOne: ["column", "columns"],
    },
  ],
};
