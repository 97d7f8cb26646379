import type { Batch } from "../../core/batch.ts";
import type { DecodeFault } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import type { Records } from "../../core/records.ts";
import { decodeFaults } from "../faults.ts";
import { jsonCodec } from "../json.ts";
import { mergeFaults } from "./merge-faults.ts";
import { JsonTexts } from "./json-texts.ts";

/** Writes the value `bytes[start, end)` of a row as JSON text, between `begin` and `end` or `fail` of the texts it was made with. */
export interface RowTexts {
  write(row: number, bytes: Uint8Array, start: number, end: number): void;
}

/**
 * A decoder of a format whose values are written as JSON texts and decoded as those. Tombstones and values above the limit are told apart first, as with
 * every format; a fault of the text says nothing of where in the value it is.
 */
export function compileTexts(contract: Contract, open: (texts: JsonTexts) => RowTexts): (records: Records) => Batch {
  // Limits count for the record, not for the text that was made of it.
  const oversized = { ...contract.policies.oversized, bytes: Number.MAX_SAFE_INTEGER };
  const decode = jsonCodec.compile({ ...contract, policies: { ...contract.policies, oversized } });
  const bytesMax = contract.policies.oversized.bytes;
  return (records) => {
    const texts = new JsonTexts(records.count);
    const rows = open(texts);
    for (let row = 0; row < records.count; row++) {
      const length = records.valueLength[row] as number;
      if (length < 0) continue;
      texts.begin();
      if (length > bytesMax) texts.fail(row, "record.oversized", null, `${length} bytes, ${bytesMax} allowed`);
      else {
        const start = records.valueStart[row] as number;
        rows.write(row, records.bytes, start, start + length);
      }
    }
    const batch = decode(texts.records(records));
    const faults = batch.faults.map((fault) => (fault.at === null ? fault : withoutPlace(fault)));
    return { ...mergeFaults({ ...batch, faults }, texts.faults), payload: batch.records, records };
  };
}

function withoutPlace(fault: DecodeFault): DecodeFault {
  const place = ` (byte ${fault.at})`;
  const message = fault.message.endsWith(place)
    ? fault.message.slice(0, -place.length)
    : (decodeFaults[fault.code as keyof typeof decodeFaults] ?? fault.message);
  return { ...fault, message, at: null };
}
