import { compileRecords, neededSchemas } from "../../../src/codecs/compile-records.ts";
import type { DecoderTools } from "../../../src/codecs/decoder.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Policies } from "../../../src/core/contract.ts";
import { encodeHeaders } from "../../../src/core/headers.ts";
import type { RecordPlan } from "../../../src/core/record-plan.ts";
import { allocateRecords, type Records } from "../../../src/core/records.ts";
import type { RegisteredSchema, SchemaAnswer } from "../../../src/core/registered-schema.ts";
import { makeContract, type FieldSketch } from "../../fixtures/contract.ts";

type Bytes = Uint8Array | string | null;

/** A record as tests write it. */
export interface RecordSketch {
  readonly value?: Bytes;
  readonly key?: Bytes;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
}

const bytesOf = (part: Bytes | undefined): Uint8Array | null => (part === undefined || part === null ? null : Buffer.from(part as string));

/** A run of records with keys and headers, over one slab. */
export function makeRun(sketches: readonly RecordSketch[]): Records {
  const parts = sketches.map(({ value, key, headers }) => ({
    value: bytesOf(value),
    key: bytesOf(key),
    headers:
      headers === undefined
        ? null
        : encodeHeaders(Object.entries(headers).map(([name, text]) => ({ key: name, value: Buffer.from(text as string) }))),
  }));
  const slab = Buffer.concat(parts.flatMap(({ value, key, headers }) => [value, key, headers].filter((each) => each !== null)));
  const records = allocateRecords(sketches.length, slab, [{ topic: "t", topicId: "id", partition: 0 }]);
  let at = 0;
  for (const [row, part] of parts.entries()) {
    for (const name of ["value", "key", "headers"] as const) {
      const bytes = part[name];
      records[`${name}Start`][row] = at;
      records[`${name}Length`][row] = bytes === null ? (name === "headers" ? 0 : -1) : bytes.length;
      at += bytes?.length ?? 0;
    }
    records.offsets[row] = BigInt(row);
  }
  return records;
}

const tools: DecoderTools = { json: (contract) => jsonCodec.compile(contract), jsonSchema: () => () => null };

/** Decodes records by a plan; schemas by id. */
export function decodeRun(
  fields: Readonly<Record<string, FieldSketch>>,
  record: Partial<RecordPlan>,
  sketches: readonly RecordSketch[],
  options: { readonly policies?: Partial<Policies>; readonly schemas?: Readonly<Record<string, RegisteredSchema | SchemaAnswer>> } = {},
): Batch {
  const contract = {
    ...makeContract(fields, { policies: options.policies ?? {} }),
    record: { value: { format: "json" as const }, envelope: null, key: null, ...record },
  };
  const run = makeRun(sketches);
  const answers = new Map<string, SchemaAnswer>();
  for (const id of neededSchemas(contract, run)) {
    const known = options.schemas?.[id];
    if (known === undefined) answers.set(id, { found: false, fault: "unknown", message: `there is no schema ${id}` });
    else answers.set(id, "found" in known ? known : { found: true, schema: known });
  }
  return compileRecords(contract, tools)(run, answers);
}

/** A value framed with an id. */
export function framed(id: number, payload: Uint8Array | string, indexes: readonly number[] = []): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, Buffer.from(indexes), Buffer.from(payload as string)]);
}

/** The source texts of a batch's invalid cells of top-level columns, by column. */
export function invalidTexts(batch: Batch): Record<string, string[]> {
  const slab = (batch.payload ?? batch.records).bytes;
  const found: Record<string, string[]> = {};
  for (const { field, invalid } of batch.columns) {
    if (invalid === undefined || invalid === null) continue;
    found[field.name] = Array.from(invalid.starts, (start, i) =>
      Buffer.from(slab.subarray(start, start + (invalid.lengths[i] as number))).toString(),
    );
  }
  return found;
}
