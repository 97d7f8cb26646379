/** A type in the JSON form of Iceberg's schemas (spec, appendix C): primitives as text such as `long` or `decimal(9, 2)`. */
export type IcebergType =
  | string
  | { readonly type: "struct"; readonly fields: readonly IcebergField[] }
  | { readonly type: "list"; readonly "element-id": number; readonly element: IcebergType; readonly "element-required": boolean }
  | {
      readonly type: "map";
      readonly "key-id": number;
      readonly key: IcebergType;
      readonly "value-id": number;
      readonly value: IcebergType;
      readonly "value-required": boolean;
    };

/** One field of an Iceberg struct. */
export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
  /** Of version 3: what rows have that files without the field hold. Never changed once it is set. */
  readonly "initial-default"?: SingleValue;
  /** Of version 3: what writers put where they are given no value. */
  readonly "write-default"?: SingleValue;
}

/** A value in the JSON form of Iceberg's specification (appendix D, "JSON single-value serialization"); decimals, times and bytes as text. */
export type SingleValue = string | number | bigint | boolean | null | object;

/** A table's schema, in the JSON form of its metadata. */
export interface IcebergSchema {
  readonly type: "struct";
  readonly "schema-id": number;
  readonly fields: readonly IcebergField[];
  readonly "identifier-field-ids"?: readonly number[];
}

/** The field at a path through structs; null where there is none. */
export function fieldAt(fields: readonly IcebergField[], path: string): IcebergField | null {
  for (const field of fields) {
    if (field.name === path) return field;
    const { name, type } = field;
    if (typeof type === "object" && type.type === "struct" && path.startsWith(`${name}.`)) {
      const inner = fieldAt(type.fields, path.slice(name.length + 1));
      if (inner !== null) return inner;
    }
  }
  return null;
}

/** The field with an id, at the top or inside of structs; null where there is none. */
export function fieldWithId(fields: readonly IcebergField[], id: number): IcebergField | null {
  for (const field of fields) {
    if (field.id === id) return field;
    const inner = typeof field.type === "object" && field.type.type === "struct" ? fieldWithId(field.type.fields, id) : null;
    if (inner !== null) return inner;
  }
  return null;
}

/** Names of the columns that say where a promoted row came from: topic id, partition, offset, and the record's timestamp (null where it has none). */
export const sourceColumns = {
  source: "_sluice_source",
  partition: "_sluice_partition",
  offset: "_sluice_offset",
  timestamp: "_sluice_timestamp",
} as const;
