import type { AvroSchema } from "./avro/avro-schema.ts";
import type { ProtoMessage } from "./protobuf/proto-schema.ts";

/** The format of a dataset's record values, with the schema that the contract itself brings. */
export type FormatPlan =
  | { readonly format: "json" }
  /**
   * One Avro datum a record, in Avro's binary encoding, written by `schema`; `text` is the schema as it was given. `reader`: the contract's own schema
   * where another wrote the records: its aliases, defaults and promotions count.
   */
  | { readonly format: "avro"; readonly schema: AvroSchema; readonly text: string; readonly reader?: AvroSchema }
  /** One message a record. */
  | { readonly format: "protobuf"; readonly message: ProtoMessage };
