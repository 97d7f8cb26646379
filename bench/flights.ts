import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openParquetJson } from "../src/adapters/files/parquet-json.ts";

/** The 336,776 flights as JSON texts, again and again with dates a year later, until there are `count`. Yields a batch at a time. */
export async function* flightTexts(count: number): AsyncGenerator<Buffer[]> {
  const file = fileURLToPath(new URL("../examples/nyc-flights-2013.parquet", import.meta.url));
  let left = count;
  for (let year = 2013; left > 0; year++) {
    const handle = await open(file);
    try {
      const parquet = await openParquetJson(handle, file);
      for await (const { slab, starts, lengths } of parquet.read(0, 4000)) {
        const texts: Buffer[] = [];
        for (let row = 0; row < starts.length && left > 0; row++, left--) {
          const start = starts[row] as number;
          const text = Buffer.from(slab.buffer, slab.byteOffset + start, lengths[row] as number).toString("latin1");
          // The file's hours are UTC without saying so; the contract wants instants.
          const instant = text.replace(/("sched_hour":"[^"]+)"/, '$1Z"');
          texts.push(Buffer.from(year === 2013 ? instant : instant.replaceAll("2013", String(year)), "latin1"));
        }
        yield texts;
        if (left === 0) return;
      }
    } finally {
      await handle.close();
    }
  }
}

const nullable = (type: string, rest: object = {}): object => ({ type: [type, "null"], ...rest });

/** What of the example contract JSON Schema can say: the peer's share of the work. */
export const flightsSchema = {
  type: "object",
  required: ["flight_date", "sched_hour", "sched_dep_hhmm", "sched_arr_hhmm", "carrier", "flight_number", "origin", "dest", "distance_mi"],
  properties: {
    flight_date: { type: "integer", minimum: 20130101, maximum: 20991231 },
    sched_hour: { type: "string", format: "date-time" },
    sched_dep_hhmm: { type: "integer", minimum: 0, maximum: 2359 },
    sched_arr_hhmm: { type: "integer", minimum: 0, maximum: 2359 },
    dep_hhmm: nullable("integer", { minimum: 1, maximum: 2400 }),
    arr_hhmm: nullable("integer", { minimum: 1, maximum: 2400 }),
    dep_delay_min: nullable("integer", { minimum: -120, maximum: 2880 }),
    arr_delay_min: nullable("integer", { minimum: -180, maximum: 2880 }),
    carrier: {
      type: "string",
      minLength: 2,
      maxLength: 2,
      enum: ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"],
    },
    flight_number: { type: "integer", minimum: 1, maximum: 9999 },
    tailnum: nullable("string", { minLength: 5, maxLength: 6, pattern: "^N?[0-9A-Z]{4,5}$" }),
    origin: { type: "string", enum: ["EWR", "JFK", "LGA"] },
    dest: { type: "string", pattern: "^[A-Z]{3}$" },
    air_time_min: nullable("integer", { minimum: 10, maximum: 1200 }),
    distance_mi: { type: "integer", exclusiveMinimum: 0, maximum: 6000 },
    temp_f: nullable("number", { minimum: -60, maximum: 140 }),
    wind_mph: nullable("number", { minimum: 0, maximum: 250 }),
    precip_in: nullable("number", { minimum: 0, maximum: 20 }),
    visibility_mi: nullable("number", { minimum: 0, maximum: 10 }),
  },
  anyOf: [
    { properties: { dep_hhmm: { type: "null" }, dep_delay_min: { type: "null" }, arr_hhmm: { type: "null" } } },
    { properties: { dep_hhmm: { type: "integer" }, dep_delay_min: { type: "integer" } } },
  ],
};
