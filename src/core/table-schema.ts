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
}

/** A table's schema, in the JSON form of its metadata. */
export interface IcebergSchema {
  readonly type: "struct";
  readonly "schema-id": number;
  readonly fields: readonly IcebergField[];
  readonly "identifier-field-ids"?: readonly number[];
}

/** Names of the columns that say where a promoted row came from: topic id, partition, offset, and the record's timestamp (null where it has none). */
export const sourceColumns = {
  source: "_sluice_source",
  partition: "_sluice_partition",
  offset: "_sluice_offset",
  timestamp: "_sluice_timestamp",
} as const;
