import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Codec } from "../../core/codec.ts";
import { compileParsers } from "../cell-writer.ts";
import { decodeRows, RowSet } from "../row-set.ts";
import { MessageIndexes } from "./message-index.ts";
import { ProtoRows } from "./proto-rows.ts";
import { resolveProto } from "./resolve-proto.ts";

/** One Protobuf message a record, of the contract's message type, straight from the slab's bytes. */
export const protobufCodec: Codec = {
  name: "protobuf",
  compile(contract) {
    const { format, fields, policies } = contract;
    if (format?.format !== "protobuf") throw new BrokenInvariant("the contract's format is not Protobuf");
    const keyField = policies.key.action === "column" ? policies.key.name : null;
    const plan = resolveProto({ message: format.message, fields, unknownFields: policies.unknownFields, keyField });
    const parsers = compileParsers(fields);
    const indexes = new MessageIndexes();
    return (records) => {
      const rows = new RowSet(contract, records.count, records.bytes);
      const proto = new ProtoRows(rows, plan, parsers, indexes);
      return decodeRows(contract, records, rows, (row, start, end) => proto.decode(row, start, end));
    };
  },
};
