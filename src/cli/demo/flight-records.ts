import { fileURLToPath } from "node:url";
import { flightRecords } from "../../adapters/files/parquet-json.ts";
import type { Flight } from "./faults.ts";
import { drifted, faultOf, isDrifted } from "./faults.ts";

/** The example data set that the project carries. */
const flightsFile = fileURLToPath(new URL("../../../examples/nyc-flights-2013.parquet", import.meta.url));

/** One record to produce; the same for the same index, whenever it is made. */
export interface DemoRecord {
  readonly index: number;
  readonly key: Buffer;
  /** Null: a tombstone. */
  readonly value: Uint8Array | null;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The first `rows` flights with the demo's faults and its drift, from index `from` on. */
export async function* demoRecords(rows: number, from: number): AsyncGenerator<DemoRecord> {
  let index = 0;
  for await (const bytes of flightRecords(flightsFile)) {
    if (index >= rows) return;
    if (index >= from) yield { index, key: Buffer.from(`flight-${index}`), value: valueOf(bytes, index, rows) };
    index++;
  }
}

function valueOf(bytes: Uint8Array, index: number, rows: number): Uint8Array | null {
  const fault = faultOf(index);
  const drifts = isDrifted(index, rows);
  if (fault === null && !drifts) return bytes;
  const flight = JSON.parse(decoder.decode(bytes)) as Flight;
  const moved = drifts ? drifted(flight) : flight;
  const text = fault === null ? JSON.stringify(moved) : fault.damage(moved);
  return text === null ? null : encoder.encode(text);
}
