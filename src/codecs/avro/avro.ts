import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Codec } from "../../core/codec.ts";
import { decodeFaults } from "../faults.ts";
import { compileParsers } from "../cell-writer.ts";
import { decodeRows, RowSet } from "../row-set.ts";
import { AvroRows } from "./avro-rows.ts";
import { resolveAvro } from "./resolve-avro.ts";

/** One datum in Avro's binary encoding a record, written by the contract's schema, straight from the slab's bytes. */
export const avroCodec: Codec = {
  name: "avro",
  compile(contract) {
    const { format, fields, policies } = contract;
    if (format?.format !== "avro") throw new BrokenInvariant("the contract's format is not Avro");
    const { schema } = format;
    const keyField = policies.key.action === "column" ? policies.key.name : null;
    const plan = resolveAvro({ writer: schema, reader: schema, fields, unknownFields: policies.unknownFields, keyField });
    const parsers = compileParsers(fields);
    return (records) => {
      const rows = new RowSet(contract, records.count, records.bytes);
      if ("problem" in plan) {
        const message = `${decodeFaults["avro.schema"]}: ${plan.problem}`;
        return decodeRows(contract, records, rows, (row) => ({ row, code: "avro.schema", message, at: null }));
      }
      const avro = new AvroRows(rows, parsers);
      return decodeRows(contract, records, rows, (row, start, end) => avro.decode(plan, schema, row, start, end));
    };
  },
};
