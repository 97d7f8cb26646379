import { child, textAt } from "./node.ts";
import type { ObjectNode } from "./node.ts";
import {
  anyJson,
  authoritativeDefinitions,
  context,
  customProperties,
  elementKeys,
  propertyRelationships,
  schemaRelationships,
  stableId,
  tags,
} from "./odcs-element.ts";
import { qualityChecks } from "./odcs-quality.ts";
import { boolean, listOf, oneOf, string } from "./shape.ts";
import type { Key, Keys, MoreKeys, ObjectShape, OdcsVersion, Shape } from "./shape.ts";

const number: Shape = { type: "number" };
const count: Shape = { type: "integer", min: 0 };

const key = (shape: Shape, doc: string, byDefault?: string): Key => ({
  shape,
  use: "enforced",
  doc,
  ...(byDefault === undefined ? {} : { byDefault }),
});

const numberOptions: Keys = {
  minimum: key(number, "The least value."),
  maximum: key(number, "The greatest value."),
  exclusiveMinimum: key(number, "Values are above this."),
  exclusiveMaximum: key(number, "Values are below this."),
  multipleOf: key({ type: "number", above: 0 }, "Values are multiples of this, exactly."),
};

const dateOptions: Keys = {
  format: key(string, "How the text is written: a pattern of `java.time.format.DateTimeFormatter`.", "ISO 8601"),
  minimum: key(string, "The earliest value, in this format or ISO 8601."),
  maximum: key(string, "The latest value."),
  exclusiveMinimum: key(string, "Values are after this."),
  exclusiveMaximum: key(string, "Values are before this."),
};

const timeOptions: Keys = {
  ...dateOptions,
  timezone: key(boolean, "true: an instant; false: a local time without zone.", "true for timestamps"),
  defaultTimezone: key(string, "The zone of texts that name none; only UTC.", "UTC"),
};

/** What `logicalTypeOptions` may hold, by logical type. */
export const logicalTypeOptions: Readonly<Record<string, Keys>> = {
  string: {
    minLength: key(count, "The least length, in Unicode code points."),
    maxLength: key(count, "The greatest length, in Unicode code points."),
    pattern: key(string, "A regular expression of RE2's syntax that the text must contain; anchor it with ^ and $ to mean the whole text."),
    format: key(
      string,
      "password, byte, binary, or one of the [formats of rules](rules.md#formats): email, uuid, uri, hostname, ipv4, date-time, iban and so on.",
    ),
  },
  date: dateOptions,
  timestamp: timeOptions,
  time: timeOptions,
  integer: {
    ...numberOptions,
    format: key(
      oneOf(["i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128"]),
      "Width and sign: they bound the values and choose the column's type.",
      "i64",
    ),
  },
  number: { ...numberOptions, format: key(oneOf(["f32", "f64"]), "Precision of the column.", "f64") },
  object: {
    minProperties: key(count, "The least number of properties."),
    maxProperties: key(count, "The greatest number of properties."),
    required: key(listOf(string, { min: 1, unique: true }), "Properties that must be there."),
  },
  array: {
    minItems: key(count, "The least number of items."),
    maxItems: key(count, "The greatest number of items."),
    uniqueItems: key(boolean, "No item stands twice.", "false"),
  },
  vector: {
    dimensions: { ...key({ type: "integer", min: 1 }, "The number of items."), required: true },
    elementType: key(oneOf(["bfloat16", "binary", "float16", "float32", "float64", "int8", "uint8"]), "What the items are.", "float32"),
    distanceMetric: {
      shape: oneOf(["cosine", "dotProduct", "euclidean", "hamming", "manhattan"]),
      use: "ignored",
      doc: "How vectors are compared.",
    },
    embeddingModel: { shape: string, use: "ignored", doc: "The model that made them." },
    embeddingModelVersion: { shape: string, use: "ignored", doc: "Its version." },
    normalized: { shape: boolean, use: "ignored", doc: "Whether they have length 1." },
  },
};

const logicalTypes31 = ["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"];

const ignored = (shape: Shape, doc: string): Key => ({ shape, use: "ignored", doc });

const enumValue: Shape = {
  type: "object",
  keys: {
    value: { shape: { type: "scalar" }, required: true, use: "enforced", doc: "The allowed value." },
    label: ignored(string, "Its name for people."),
    id: ignored(stableId, "Name for references."),
    description: ignored(string, "What it means."),
    customProperties: ignored(customProperties, "Properties of other tools."),
    authoritativeDefinitions: ignored(authoritativeDefinitions, "Links to definitions."),
    tags: ignored(tags, "Labels."),
  },
};

/** Keys that every property has, whatever its type. */
export const propertyKeys: Keys = {
  ...elementKeys,
  logicalType: key(
    { type: "byVersion", "3.1": oneOf(logicalTypes31), "3.2": oneOf([...logicalTypes31, "map", "vector"]) },
    "The kind of values.",
    "what physicalType says, else any JSON",
  ),
  physicalName: key(string, "The key in the source record.", "the name"),
  required: key(boolean, "Null and missing are refused.", "false"),
  unique: key(boolean, "No value stands twice in a window.", "false"),
  primaryKey: key(boolean, "Part of the primary key: required, and unique together with the other parts.", "false"),
  primaryKeyPosition: key({ type: "integer" }, "Its place in the primary key.", "the order of the properties"),
  classification: key(string, "Any value but `public` masks the column's values outside the quarantine table.", "not masked"),
  enum: { ...key(listOf(enumValue, { min: 1, unique: true }), "The allowed values."), since: "3.2" },
  quality: { shape: qualityChecks, use: "enforced", doc: "Quality rules of the property." },
  semanticType: { ...ignored(oneOf(["column", "measure", "dimension"]), "Its role in a semantic model."), since: "3.2" },
  partitioned: ignored(boolean, "Partitioning elsewhere; the setting `partitionBy` partitions Sluice's tables."),
  partitionKeyPosition: ignored({ type: "integer" }, "Its place in the partition key."),
  encryptedName: ignored(string, "The column with the encrypted value."),
  transformSourceObjects: ignored(listOf(string), "What it is made from."),
  transformLogic: ignored(string, "How it is made elsewhere."),
  transformDescription: ignored(string, "How it is made, in words."),
  examples: ignored(listOf(anyJson), "Sample values."),
  criticalDataElement: ignored(boolean, "Whether the business hangs on it."),
  relationships: ignored(propertyRelationships, "Foreign keys; Sluice looks nothing up."),
};

/** Keys that hang on the logical type: options, nested properties, items, map. Where no type is given the standard allows nested ones, and no options. */
function typedKeys(node: ObjectNode, version: OdcsVersion): MoreKeys {
  const given = child(node, "logicalType");
  const type = textAt(node, "logicalType");
  const keys: Record<string, Key> = {
    logicalTypeOptions: {
      shape: optionsShape(given === null ? null : type),
      use: "enforced",
      doc: "Limits on the values, by logical type.",
      ...(type === "vector" && version === "3.2" ? { required: true } : {}),
    },
  };
  if (given === null || type === "object") {
    keys["properties"] = { shape: propertyList, use: "enforced", doc: "The nested columns of an object." };
  }
  if (given === null || type === "array") keys["items"] = { shape: itemProperty, use: "enforced", doc: "What an array's items are." };
  if (type === "map" && version === "3.2") {
    keys["map"] = {
      shape: {
        type: "object",
        keys: {
          key: { shape: itemProperty, required: true, use: "enforced", doc: "What the keys are: text." },
          value: { shape: itemProperty, required: true, use: "enforced", doc: "What the values are." },
        },
      },
      required: true,
      use: "enforced",
      doc: "Keys and values of a map.",
    };
  }
  return { keys };
}

function optionsShape(type: string | null): Shape {
  const keys = type === null ? {} : Object.hasOwn(logicalTypeOptions, type) ? logicalTypeOptions[type] : undefined;
  // A key like no other may have meant the format that times are written in.
  const soundWithout = (lost: readonly string[], node: ObjectNode): boolean => {
    const formatted = !timeTypes.has(type ?? "") || node.entries.has("format");
    return lost.every((name) => !typingOptions.has(name) && (formatted || Object.hasOwn(keys ?? {}, name)));
  };
  return keys === undefined ? { type: "anyObject" } : { type: "object", keys, soundWithout };
}

const typingKeys = new Set(["name", "physicalName", "logicalType", "physicalType", "logicalTypeOptions", "properties", "items", "map"]);
const typingOptions = new Set(["format", "timezone", "elementType"]);
const plainTypes = new Set(["string", "number", "integer", "boolean"]);
const timeTypes = new Set(["date", "timestamp", "time"]);

/** Whether a property's name and type are beyond doubt although these keys are wrong: a key like no other may have meant anything, such as the type. */
function isColumnSure(lost: readonly string[], node: ObjectNode): boolean {
  const type = textAt(node, "logicalType") ?? "";
  const plain = plainTypes.has(type) || (timeTypes.has(type) && node.entries.has("logicalTypeOptions"));
  return lost.every((name) => !typingKeys.has(name) && (plain || Object.hasOwn(propertyKeys, name)));
}

const property: ObjectShape = {
  type: "object",
  keys: { ...propertyKeys, name: { ...(propertyKeys["name"] as Key), required: true } },
  more: typedKeys,
  soundWithout: isColumnSure,
};

const propertyList: Shape = { type: "named", name: "property", shape: () => listOf(property) };

const itemProperty: Shape = {
  type: "named",
  name: "item",
  shape: () => ({ type: "object", keys: propertyKeys, more: typedKeys, soundWithout: isColumnSure }),
};

/** One dataset: a table, topic or file. */
export const schemaObject: ObjectShape = {
  type: "object",
  soundWithout: () => true,
  keys: {
    ...elementKeys,
    name: { shape: string, required: true, use: "enforced", doc: "The dataset's name: the table in the lake." },
    physicalName: key(string, "The topic that feeds it.", "the name"),
    physicalType: { shape: string, use: "ignored", doc: "What it is in the source: topic, table, file." },
    logicalType: {
      shape: { type: "byVersion", "3.1": oneOf(["object"]), "3.2": oneOf(["object", "blob"]) },
      use: "enforced",
      doc: "Sluice takes objects; `blob` is listed as not enforced.",
      byDefault: "object",
    },
    properties: { shape: propertyList, use: "enforced", doc: "The columns." },
    quality: { shape: qualityChecks, use: "enforced", doc: "Quality rules of the dataset." },
    dataGranularityDescription: ignored(string, "What a row stands for."),
    relationships: ignored(schemaRelationships, "Foreign keys; Sluice looks nothing up."),
    context: { ...ignored(context, "Context for language models."), since: "3.2" },
  },
};
