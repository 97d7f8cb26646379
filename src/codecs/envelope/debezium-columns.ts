import type { Batch } from "../../core/batch.ts";
import { Cell, type BytesColumn, type Column, type DecodeFault } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import type { Field } from "../../core/schema.ts";
import type { WriterFields, WrittenRows } from "../../core/written-fields.ts";
import { copyBatch } from "../../wasm/copy-batch.ts";
import { interleaveBatches, joinColumns } from "../compose.ts";
import type { DecodeWithSchemas } from "../decoder.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";
import { mergeFaults } from "../text/merge-faults.ts";
import { outerFields } from "./attributes.ts";
import { imageOf, type DebeziumPlan } from "./debezium-json.ts";

const plainField = (name: string, type: Field["type"]): Field => ({
  name,
  sourceName: name,
  path: name,
  type,
  required: false,
  doc: null,
  classification: null,
  format: null,
});

/**
 * Debezium's change events in a format with a schema (Avro, Protobuf): the whole event is decoded as a struct of its two images and attributes, and the
 * row's columns are those of the image that the operation left.
 */
export function compileDebeziumColumns(
  contract: Contract,
  plan: DebeziumPlan,
  compile: (contract: Contract) => DecodeWithSchemas,
): DecodeWithSchemas {
  const outer = outerFields(contract, plan.columns);
  const taken = new Set(plan.columns.map(({ column }) => column));
  const row: Field["type"] = { kind: "struct", fields: contract.fields.filter(({ name }) => !taken.has(name)) };
  const event: readonly Field[] = [
    plainField("op", { kind: "string" }),
    plainField("after", row),
    ...(plan.deletes === "before" ? [plainField("before", row)] : []),
    ...outer.fields.filter(({ sourceName }) => !["op", "after", "before"].includes(sourceName)),
  ];
  // Unknown fields are judged by the row's image alone, and a schema says them once for all records.
  const decode = compile({ ...contract, fields: event, rules: [], policies: { ...contract.policies, unknownFields: "ignore" } });
  const written = compileImageFields();
  return (records, schemas) => {
    const batch = decode(records, schemas);
    const images = readOperations(batch, plan);
    const of = (name: string): Column => batch.columns.find(({ field }) => field.name === name) as Column;
    const structs = ["after", ...(plan.deletes === "before" ? ["before"] : [])].map((name) => of(name));
    const parts = structs.map((column): Batch => ({ ...batch, columns: column.kind === "struct" ? column.children : [] }));
    const rows = parts.length === 1 ? (parts[0] as Batch) : interleaveBatches(records, parts.map(copyBatch), images.sources, false);
    const faults = [...images.faults, ...missingImages(batch, structs, images)];
    const image = batch.written === undefined ? null : written(batch.written, images.deleted);
    const merged = {
      ...mergeFaults(withTombstones(rows, contract, images.deleted), faults),
      records,
      ...(image !== null && { written: image }),
    };
    return joinColumns(contract, merged, [{ columns: outer.pick(batch.columns), slab: (batch.payload ?? batch.records).bytes }]);
  };
}

/** Which fields the image has by the schemas of the events around it; a delete that is a tombstone has none. */
function compileImageFields(): (written: WrittenRows, deleted: readonly number[]) => WrittenRows {
  const known = new WeakMap<WriterFields, WriterFields>();
  const imageOf = (event: WriterFields): WriterFields => {
    const image = known.get(event) ?? {
      fields: (event.fields ?? []).flatMap(({ path, type }) =>
        path.startsWith("after.") ? [{ path: path.slice("after.".length), type }] : [],
      ),
      message: null,
    };
    known.set(event, image);
    return image;
  };
  return (written, deleted) => {
    const of = written.of.slice();
    for (const row of deleted) of[row] = -1;
    return { ...written, of, writers: written.writers.map((writer) => (writer === null ? null : imageOf(writer))) };
  };
}

interface Operations {
  /** 0: the image after; 1: the one before. */
  readonly sources: Uint16Array;
  readonly deleted: readonly number[];
  readonly faults: readonly DecodeFault[];
}

function readOperations(batch: Batch, plan: DebeziumPlan): Operations {
  const op = batch.columns.find(({ field }) => field.name === "op") as BytesColumn;
  const sources = new Uint16Array(batch.rows);
  const deleted: number[] = [];
  const faults: DecodeFault[] = [];
  for (let row = 0; row < batch.rows; row++) {
    if (batch.undecoded[row] === 1) continue;
    const start = op.starts[row] as number;
    const text =
      op.state[row] === Cell.value ? Buffer.from(op.bytes.subarray(start, start + (op.lengths[row] as number))).toString("latin1") : "";
    const image = imageOf(text, plan.deletes);
    if (image === "before") sources[row] = 1;
    else if (image === "tombstone") deleted.push(row);
    else if (image === null)
      faults.push(
        fault(
          row,
          text === "t" ? "debezium.truncate" : "debezium.not-change",
          text === "" || text === "t" ? "" : `op ${JSON.stringify(text.slice(0, 20))}`,
        ),
      );
  }
  return { sources, deleted, faults };
}

function missingImages(batch: Batch, structs: readonly Column[], { sources, deleted, faults }: Operations): DecodeFault[] {
  const judged = new Set([...deleted, ...faults.map(({ row }) => row)]);
  const found: DecodeFault[] = [];
  for (const [row, source] of sources.entries()) {
    if (batch.undecoded[row] === 1) continue;
    const state = (structs[source] as Column).state[row];
    if ((state === Cell.null || state === Cell.missing) && !judged.has(row))
      found.push(fault(row, "debezium.no-image", source === 0 ? "after" : "before"));
  }
  return found;
}

/** A delete is a tombstone that came with its event. */
function withTombstones(batch: Batch, contract: Contract, rows: readonly number[]): Batch {
  if (rows.length === 0) return batch;
  if (contract.policies.tombstone === "quarantine")
    return mergeFaults(
      batch,
      rows.map((row) => fault(row, "record.tombstone", "")),
    );
  const undecoded = batch.undecoded.slice();
  for (const row of rows) undecoded[row] = 1;
  const skipped = [...batch.skipped, ...rows.map((row) => ({ row, policy: "tombstone" as const }))].toSorted((a, b) => a.row - b.row);
  return { ...batch, undecoded, skipped };
}

function fault(row: number, code: DecodeFaultCode, detail: string): DecodeFault {
  return { row, code, message: decodeFaults[code] + (detail === "" ? "" : `: ${detail}`), at: null };
}
