import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Contract } from "../src/core/contract.ts";
import type { Records } from "../src/core/records.ts";
import { allocateRecords } from "../src/core/records.ts";
import { peerRows } from "./peers/rows.ts";

/** The contract of the peers' bench: twenty rules (beside a type rule a column) over twenty columns. */
export async function twentyRules(): Promise<Contract> {
  return loadRules((text) => text);
}

/** The same with a least value in place of uniqueness, which JSON Schema knows nothing of. */
export async function twentyRowRules(): Promise<Contract> {
  return loadRules((text) => text.replace("unique: true", "logicalTypeOptions: { minimum: 1 }"));
}

async function loadRules(change: (text: string) => string): Promise<Contract> {
  const file = fileURLToPath(new URL("peers/twenty-rules.odcs.yaml", import.meta.url));
  return (await loadContract(file, (path) => Promise.resolve(change(readFileSync(path, "utf8"))))).contract;
}

const nullable = (type: string, rest: object = {}): object => ({ type: [type, "null"], ...rest });

/** What of the twenty row rules JSON Schema can say: all but the comparison of two columns and what is of the whole window. */
export const twentyRulesSchema = {
  type: "object",
  required: ["flight_id", "carrier", "origin", "dest", "sched_hour"],
  properties: {
    flight_id: { type: "integer", minimum: 1 },
    flight_date: nullable("integer"),
    sched_hour: { type: "string", format: "date-time" },
    sched_dep_hhmm: nullable("integer", { minimum: 0, maximum: 2359 }),
    sched_arr_hhmm: nullable("integer"),
    dep_hhmm: nullable("integer"),
    arr_hhmm: nullable("integer"),
    dep_delay_min: nullable("integer", { minimum: -60, maximum: 1500 }),
    arr_delay_min: nullable("integer"),
    carrier: { type: "string", enum: ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"] },
    flight_number: nullable("integer", { minimum: 1, maximum: 9999 }),
    tailnum: nullable("string", { pattern: "^[ND][0-9A-Z]{2,5}$" }),
    origin: { type: "string", enum: ["EWR", "JFK", "LGA"] },
    dest: { type: "string", pattern: "^[A-Z]{3}$" },
    air_time_min: nullable("integer", { minimum: 15, maximum: 720 }),
    distance_mi: nullable("integer", { minimum: 10, maximum: 5500 }),
    temp_f: nullable("number"),
    wind_mph: nullable("number"),
    precip_in: nullable("number"),
    visibility_mi: nullable("number"),
  },
};

/** The first `count` lines of the peers' rows, over one slab, without their line ends. */
export async function peerRecords(count: number): Promise<Records> {
  const { path } = await peerRows();
  const handle = await open(path);
  try {
    const slab = new Uint8Array(count * 520);
    const { bytesRead } = await handle.read(slab, 0, slab.length, 0);
    const records = allocateRecords(count, slab.subarray(0, bytesRead), [{ topic: "rows", topicId: "rows", partition: 0 }]);
    let at = 0;
    for (let row = 0; row < count; row++) {
      const end = slab.indexOf(10, at);
      records.valueStart[row] = at;
      records.valueLength[row] = end - at;
      records.keyLength[row] = -1;
      records.offsets[row] = BigInt(row);
      records.timestamps[row] = 1_700_000_000_000n;
      at = end + 1;
    }
    return { ...records, bytes: slab.subarray(0, at) };
  } finally {
    await handle.close();
  }
}
