import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create, createFileRegistry, fromBinary, toBinary, type DescMessage } from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  OneofDescriptorProtoSchema,
  file_google_protobuf_timestamp,
} from "@bufbuild/protobuf/wkt";
import { compileProtobufDecoder } from "../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { protobufCodec } from "../src/codecs/protobuf/protobuf.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import { protoMessage } from "../src/core/protobuf/read-descriptor-set.ts";
import { span } from "../src/core/records.ts";
import { Arena } from "../src/wasm/arena.ts";
import { layoutBatch } from "../src/wasm/layout.ts";
import { makeRecords } from "../test/fixtures/contract.ts";
import type { Bench } from "./bench.ts";
import { compareDecoders } from "./decoders.ts";
import { flightTexts } from "./flights.ts";

const rows = 32_768;

const { DOUBLE, INT32, MESSAGE, SINT32, STRING } = FieldDescriptorProto_Type;

/** The flights' fields, in the order of their numbers; `?`: optional. */
const fields: readonly (readonly [string, FieldDescriptorProto_Type])[] = [
  ["flight_date", INT32],
  ["sched_hour?", MESSAGE],
  ["sched_dep_hhmm", INT32],
  ["sched_arr_hhmm", INT32],
  ["dep_hhmm?", INT32],
  ["arr_hhmm?", INT32],
  ["dep_delay_min?", SINT32],
  ["arr_delay_min?", SINT32],
  ["carrier", STRING],
  ["flight_number", INT32],
  ["tailnum?", STRING],
  ["origin", STRING],
  ["dest", STRING],
  ["air_time_min?", INT32],
  ["distance_mi", INT32],
  ["temp_f?", DOUBLE],
  ["wind_mph?", DOUBLE],
  ["precip_in?", DOUBLE],
  ["visibility_mi?", DOUBLE],
];

/** `message Flight` of proto3, as protoc would describe it. */
function flightMessage(): DescMessage {
  const optional = fields.filter(([name, type]) => name.endsWith("?") && type !== MESSAGE).map(([name]) => name.slice(0, -1));
  const flight = create(DescriptorProtoSchema, {
    name: "Flight",
    field: fields.map(([sketch, type], i) => {
      const name = sketch.replace("?", "");
      const oneofIndex = optional.indexOf(name);
      return create(FieldDescriptorProtoSchema, {
        name,
        number: i + 1,
        type,
        label: FieldDescriptorProto_Label.OPTIONAL,
        ...(type === MESSAGE ? { typeName: ".google.protobuf.Timestamp" } : {}),
        ...(oneofIndex < 0 ? {} : { proto3Optional: true, oneofIndex }),
      });
    }),
    oneofDecl: optional.map((name) => create(OneofDescriptorProtoSchema, { name: `_${name}` })),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "flight.proto",
    syntax: "proto3",
    dependency: ["google/protobuf/timestamp.proto"],
    messageType: [flight],
  });
  const found = createFileRegistry(create(FileDescriptorSetSchema, { file: [file_google_protobuf_timestamp.proto, file] })).getMessage(
    "Flight",
  );
  if (found === undefined) throw new Error("the registry lost the message");
  return found;
}

/** A flight's JSON as protobuf-es takes it. */
function initOf(text: Buffer): Record<string, unknown> {
  const flight = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
  const seconds = BigInt(Date.parse(flight["sched_hour"] as string) / 1000);
  const init: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ ...flight, sched_hour: { $typeName: "google.protobuf.Timestamp", seconds, nanos: 0 } })) {
    if (value !== null) init[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return init;
}

/** Protobuf to columns beside protobuf-es, which makes an object a record, on the same real flights: CPU time of this process, in turn. */
export const protobuf: Bench = {
  name: "protobuf",
  async run() {
    const desc = flightMessage();
    const values: Uint8Array[] = [];
    for await (const texts of flightTexts(rows)) for (const text of texts) values.push(toBinary(desc, create(desc, initOf(text))));
    const records = makeRecords(values);
    const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
    const loaded = await loadContract(file, (path) => Promise.resolve(readFileSync(path)));
    const contract = { ...loaded.contract, format: { format: "protobuf", message: protoMessage(desc) } } as const;
    const arena = new Arena();
    const { decoder, fallback } = compileProtobufDecoder(contract, layoutBatch(contract.fields, arena), arena);
    if (fallback !== null) throw new Error(`the decoder is not compiled: ${fallback}`);
    return compareDecoders({
      rows,
      setup: `${rows} flights of ${Math.round(records.bytes.length / rows)} bytes, ${contract.fields.length} columns`,
      peer: {
        name: "protobuf-es",
        run: () => {
          let good = 0;
          for (let row = 0; row < rows; row++) if (fromBinary(desc, span(records, "value", row) as Uint8Array) !== null) good++;
          return good;
        },
      },
      records,
      decoder,
      interpreter: protobufCodec.compile(contract),
    });
  },
};
