import type { AvroSchema } from "./avro/avro-schema.ts";
import type { FormatPlan } from "./format-plan.ts";
import type { RegisteredSchema } from "./registered-schema.ts";

/** How the bytes of values or keys are read. */
export type ValuePlan =
  /** By a schema that the contract brings, or none. */
  | FormatPlan
  /** Framed as Confluent's serializers do: each record names the registered schema that it was written by. */
  | {
      readonly format: "registered";
      readonly type: RegisteredSchema["type"];
      /** JSON only: whether records are validated against the registered schema too. */
      readonly validate: boolean;
      /** Avro only: the contract's own schema, which the writers' are resolved to; absent: columns take fields of their names. */
      readonly reader?: AvroSchema;
    }
  | CsvPlan
  | { readonly format: "messagepack" }
  | { readonly format: "cbor" };

/** One record of RFC 4180 a message. */
export interface CsvPlan {
  readonly format: "csv";
  /** The cells' names in order, as properties' `physicalName` (or `name`) says them. */
  readonly columns: readonly string[];
  readonly delimiter: string;
  readonly quote: string;
  /** An unquoted cell with this text is null. */
  readonly nullToken: string;
}

/** A column that is filled from beside the payload: a path of the envelope's attributes or of the key, by the property's name. */
export interface OuterColumn {
  readonly column: string;
  /** `source.lsn` is ["source", "lsn"]; empty: the whole key. */
  readonly path: readonly string[];
}

export type EnvelopePlan =
  /** CNCF CloudEvents 1.0, Kafka protocol binding: structured (JSON), binary (`ce_` headers), or whichever a record's content type says. */
  | {
      readonly kind: "cloudevents";
      readonly mode: "structured" | "binary" | "either";
      /** The `dataschema` values that are taken; null: any, or none. */
      readonly dataSchemas: readonly string[] | null;
      readonly columns: readonly OuterColumn[];
    }
  /** Debezium change events: the row is the image after the change. */
  | {
      readonly kind: "debezium";
      /** What a delete is: a tombstone, judged by the contract's policy for those; or a row, the image before it. */
      readonly deletes: "tombstone" | "before";
      readonly columns: readonly OuterColumn[];
    };

/** How record keys become columns. */
export interface KeyPlan {
  /** `int` and `long` are big-endian, as Kafka's own serializers write them. */
  readonly value: ValuePlan | { readonly format: "text" | "int" | "long" };
  readonly columns: readonly OuterColumn[];
}

/** How a record becomes a row, where that is more than one JSON object a value. */
export interface RecordPlan {
  readonly value: ValuePlan;
  readonly envelope: EnvelopePlan | null;
  readonly key: KeyPlan | null;
}
