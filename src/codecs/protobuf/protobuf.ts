import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Codec } from "../../core/codec.ts";
import type { Contract } from "../../core/contract.ts";
import { compileParsers } from "../cell-writer.ts";
import { decodeRows, RowSet } from "../row-set.ts";
import { MessageIndexes } from "./message-index.ts";
import type { ProtoPlan } from "./proto-plan.ts";
import { ProtoRows } from "./proto-rows.ts";
import { resolveProto } from "./resolve-proto.ts";

/** How records of a contract whose format is Protobuf become its columns. */
export function contractPlan({ format, fields, policies }: Contract): ProtoPlan {
  if (format?.format !== "protobuf") throw new BrokenInvariant("the contract's format is not Protobuf");
  const keyField = policies.key.action === "column" ? policies.key.name : null;
  return resolveProto({ message: format.message, fields, unknownFields: policies.unknownFields, keyField });
}

/** One Protobuf message a record, of the contract's message type, straight from the slab's bytes. */
export const protobufCodec: Codec = {
  name: "protobuf",
  compile(contract) {
    const plan = contractPlan(contract);
    const parsers = compileParsers(contract.fields);
    const indexes = new MessageIndexes();
    return (records) => {
      const rows = new RowSet(contract, records.count, records.bytes);
      const proto = new ProtoRows(rows, plan, parsers, indexes);
      return decodeRows(contract, records, rows, (row, start, end) => proto.decode(row, start, end));
    };
  },
};
