import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { RegisteredSchema, ResolvedSchemas } from "../core/registered-schema.ts";

/** A decoder of records whose schemas are known beforehand. Pure; the columns are valid until its next call. */
export type Decode = (records: Records) => Batch;

/** A decoder that is handed, with each run, the registered schemas which its records name. */
export type DecodeWithSchemas = (records: Records, schemas: ResolvedSchemas) => Batch;

/** What decoding is given by those who may know more than the codecs: the fastest decoder of JSON, and judges of JSON by registered schemas. */
export interface DecoderTools {
  readonly json: (contract: Contract) => Decode;
  /** A faster decoder of a contract's Avro or Protobuf format than `plain`; null where there is none. */
  readonly compiled?: (contract: Contract, plain: Decode) => Decode | null;
  /** Judges JSON texts by a registered schema: what is wrong with one, or null; or the problem that makes the schema no judge. */
  readonly jsonSchema: (schema: RegisteredSchema) => ((text: Uint8Array) => string | null) | { readonly problem: string };
}
