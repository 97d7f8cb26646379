import type { DataType, Vector } from "apache-arrow";
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Dictionary,
  Field as ArrowField,
  FixedSizeBinary,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { Contract } from "../core/contract.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { uuidSize } from "../core/uuid.ts";
import { TextNumbers } from "./text-numbers.ts";

/** The values of a column that its contract lists: Arrow's dictionary, and each text's place in it. */
export interface ListedValues {
  readonly type: Dictionary<Utf8, Int8 | Int16>;
  readonly dictionary: Vector<Utf8>;
  readonly numbers: TextNumbers;
}

/** A contract's columns as Arrow has them. */
export interface ArrowPlan {
  readonly schema: Schema;
  /** One Arrow field a column: the contract's, then what it keeps of unknown fields. */
  readonly fields: readonly ArrowField[];
  /** By path of a text column that is one of listed values in every row that passes. */
  readonly listed: ReadonlyMap<string, ListedValues>;
}

/** The name of the column that holds unknown fields, as the table has it. */
const unknownName = "_sluice_unknown";
const listedMax = 32_767;

/** Plans Arrow's schema of the rows that pass a contract. Every column may hold nulls: warnings reject no row. */
export function planArrow(contract: Contract): ArrowPlan {
  const listed = new Map<string, ListedValues>();
  for (const rule of contract.rules) {
    const values = listedBy(rule);
    if (values === null || rule.path === null || listed.has(rule.path)) continue;
    const indexes = values.length <= 127 ? new Int8() : new Int16();
    listed.set(rule.path, {
      type: new Dictionary(new Utf8(), indexes, listed.size),
      dictionary: vectorFromArray(values, new Utf8()),
      numbers: new TextNumbers(values),
    });
  }
  const fields = contract.fields.map((field) => arrowField(field, listed));
  if (contract.policies.unknownFields === "keep") fields.push(new ArrowField(unknownName, new Utf8(), true, jsonText));
  return { schema: new Schema(fields), fields, listed };
}

/** Arrow's canonical extension type of JSON. */
const jsonText = new Map([
  ["ARROW:extension:name", "arrow.json"],
  ["ARROW:extension:metadata", ""],
]);

/** And of UUIDs. */
const uuidBytes = new Map([
  ["ARROW:extension:name", "arrow.uuid"],
  ["ARROW:extension:metadata", ""],
]);

const extensions: Readonly<Partial<Record<Field["type"]["kind"], Map<string, string>>>> = { json: jsonText, uuid: uuidBytes };

/** The texts that a rule leaves to every row that passes; null where it leaves others. */
function listedBy({ check, severity, scope, where }: RulePlan): readonly string[] | null {
  if (check.family !== "set" || check.negated || severity !== "error" || scope !== "row" || where !== null) return null;
  // Of other columns than texts the values are no strings.
  const texts = new Set(check.values.flatMap((each) => (each.type === "string" ? [each.value] : [])));
  return texts.size > 0 && texts.size <= listedMax ? [...texts] : null;
}

function arrowField(field: Field, listed: ReadonlyMap<string, ListedValues>): ArrowField {
  const type = arrowType(field, listed);
  return new ArrowField(field.name, type, true, extensions[field.type.kind] ?? null);
}

function arrowType({ type, path }: Field, listed: ReadonlyMap<string, ListedValues>): DataType {
  switch (type.kind) {
    case "boolean":
      return new Bool();
    case "int":
      return new Int32();
    case "long":
      return new Int64();
    case "float":
      return new Float32();
    case "double":
      return new Float64();
    case "decimal":
      return new Decimal(type.scale, type.precision, 128);
    case "date":
      return new DateDay();
    case "time":
      return new TimeMicrosecond();
    case "timestamp": {
      const zone = type.zoned ? "UTC" : null;
      return type.unit === "nanos" ? new TimestampNanosecond(zone) : new TimestampMicrosecond(zone);
    }
    case "string":
      return listed.get(path)?.type ?? new Utf8();
    case "json":
      return new Utf8();
    case "binary":
      return new Binary();
    case "uuid":
      return new FixedSizeBinary(uuidSize);
    case "struct":
      return new Struct(type.fields.map((child) => arrowField(child, listed)));
    case "list":
      return new List(arrowField({ ...type.element, name: "item" }, listed));
    case "map": {
      const entries = new Struct<{ key: Utf8; value: DataType }>([
        new ArrowField("key", new Utf8(), false),
        arrowField({ ...type.value, name: "value" }, listed) as ArrowField<DataType>,
      ]);
      return new Map_(new ArrowField("entries", entries, false));
    }
  }
}
