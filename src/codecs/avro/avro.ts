import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Codec } from "../../core/codec.ts";
import type { Contract } from "../../core/contract.ts";
import { compileParsers } from "../cell-writer.ts";
import { decodeFaults } from "../faults.ts";
import { decodeRows, RowSet } from "../row-set.ts";
import type { AvroPlan } from "./avro-plan.ts";
import { AvroRows } from "./avro-rows.ts";
import { resolveAvro } from "./resolve-avro.ts";

/** How records of a contract whose format is Avro become its columns. */
export function contractPlan({ format, fields, policies }: Contract): AvroPlan | { readonly problem: string } {
  if (format?.format !== "avro") throw new BrokenInvariant("the contract's format is not Avro");
  const keyField = policies.key.action === "column" ? policies.key.name : null;
  return resolveAvro({ writer: format.schema, reader: format.reader ?? null, fields, unknownFields: policies.unknownFields, keyField });
}

/** One datum in Avro's binary encoding a record, written by the format's schema, straight from the slab's bytes. */
export const avroCodec: Codec = {
  name: "avro",
  compile(contract) {
    const plan = contractPlan(contract);
    const parsers = compileParsers(contract.fields);
    return (records) => {
      const rows = new RowSet(contract, records.count, records.bytes);
      if ("problem" in plan) {
        const message = `${decodeFaults["avro.schema"]}: ${plan.problem}`;
        return decodeRows(contract, records, rows, (row) => ({ row, code: "avro.schema", message, at: null }));
      }
      const avro = new AvroRows(rows, parsers);
      const { schema } = contract.format as { readonly schema: Parameters<AvroRows["decode"]>[1] };
      return decodeRows(contract, records, rows, (row, start, end) => avro.decode(plan, schema, row, start, end));
    };
  },
};
