/** The part of Avro's schema language that Iceberg's own files use, with Iceberg's extra attributes kept (spec, appendix A). */
export type AvroSchema = string | AvroRecord | AvroArray | AvroMap | AvroFixed | AvroNamed | readonly AvroSchema[];

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: null;
  readonly "field-id"?: number;
}

export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroArray {
  readonly type: "array";
  readonly items: AvroSchema;
  readonly "element-id"?: number;
  /** `map`: an array of key-value records, as Iceberg writes maps with keys that are no strings. */
  readonly logicalType?: "map";
}

export interface AvroMap {
  readonly type: "map";
  readonly values: AvroSchema;
}

export interface AvroFixed {
  readonly type: "fixed";
  readonly name: string;
  readonly size: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

/** A type written as an object of its own, such as `{"type": "long", "logicalType": "timestamp-micros"}`. */
export interface AvroNamed {
  readonly type: "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";
  readonly logicalType?: string;
  readonly "adjust-to-utc"?: boolean;
}

/** An Avro value: longs are bigint, ints numbers, bytes and fixed byte arrays, maps with integer keys `Map`s. */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly AvroValue[]
  | ReadonlyMap<number, AvroValue>
  | AvroRow;

export interface AvroRow {
  readonly [field: string]: AvroValue;
}

/** An optional field of a record, null by default, with Iceberg's id. */
export function optionalField(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type: ["null", type], default: null, "field-id": id };
}

/** A required field of a record, with Iceberg's id. */
export function requiredField(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type, "field-id": id };
}

/** A map with integer keys, as Iceberg lays it out: an array of key-value records. */
export function integerMap(keyId: number, valueId: number, value: AvroSchema): AvroArray {
  return {
    type: "array",
    logicalType: "map",
    items: {
      type: "record",
      name: `k${keyId}_v${valueId}`,
      fields: [requiredField(keyId, "key", "int"), requiredField(valueId, "value", value)],
    },
  };
}
