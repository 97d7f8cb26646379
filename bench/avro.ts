import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import avsc from "avsc";
import { compileAvroDecoder } from "../src/codecs/avro-compiled/compile-avro-decoder.ts";
import { avroCodec } from "../src/codecs/avro/avro.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import { parseAvroSchema } from "../src/core/avro/parse-avro-schema.ts";
import { span } from "../src/core/records.ts";
import { Arena } from "../src/wasm/arena.ts";
import { layoutBatch } from "../src/wasm/layout.ts";
import { makeRecords } from "../test/fixtures/contract.ts";
import type { Bench } from "./bench.ts";
import { compareDecoders } from "./decoders.ts";
import { flightTexts } from "./flights.ts";

const rows = 32_768;

const required = (name: string, type: unknown): object => ({ name, type });
const nullable = (name: string, type: unknown): object => ({ name, type: ["null", type], default: null });

/** The flights as Avro has them: strings, ints, doubles and an instant. */
const schema = {
  type: "record",
  name: "Flight",
  fields: [
    required("flight_date", "int"),
    required("sched_hour", { type: "long", logicalType: "timestamp-millis" }),
    required("sched_dep_hhmm", "int"),
    required("sched_arr_hhmm", "int"),
    nullable("dep_hhmm", "int"),
    nullable("arr_hhmm", "int"),
    nullable("dep_delay_min", "int"),
    nullable("arr_delay_min", "int"),
    required("carrier", "string"),
    required("flight_number", "int"),
    nullable("tailnum", "string"),
    required("origin", "string"),
    required("dest", "string"),
    nullable("air_time_min", "int"),
    required("distance_mi", "int"),
    nullable("temp_f", "double"),
    nullable("wind_mph", "double"),
    nullable("precip_in", "double"),
    nullable("visibility_mi", "double"),
  ],
} as const;

/** Avro to columns beside avsc, which makes an object a record, on the same real flights: CPU time of this process, in turn. */
export const avro: Bench = {
  name: "avro",
  async run() {
    const type = avsc.Type.forSchema(schema as unknown as avsc.Schema);
    const values: Uint8Array[] = [];
    for await (const texts of flightTexts(rows)) {
      for (const text of texts) {
        const flight = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
        values.push(type.toBuffer({ ...flight, sched_hour: Date.parse(flight["sched_hour"] as string) }));
      }
    }
    const records = makeRecords(values);
    const parsed = parseAvroSchema(JSON.stringify(schema));
    if ("problem" in parsed) throw new Error(parsed.problem);
    const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
    const loaded = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const contract = { ...loaded.contract, format: { format: "avro", schema: parsed.schema, text: "" } } as const;
    const arena = new Arena();
    const { decoder, fallback } = compileAvroDecoder(contract, layoutBatch(contract.fields, arena), arena);
    if (fallback !== null) throw new Error(`the decoder is not compiled: ${fallback}`);
    const interpreter = avroCodec.compile(contract);
    return compareDecoders({
      rows,
      setup: `${rows} flights of ${Math.round(records.bytes.length / rows)} bytes, ${contract.fields.length} columns`,
      peer: {
        name: "avsc",
        run: () => {
          let good = 0;
          for (let row = 0; row < rows; row++) {
            const bytes = span(records, "value", row) as Uint8Array;
            if (type.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) !== null) good++;
          }
          return good;
        },
      },
      records,
      decoder,
      interpreter,
    });
  },
};
