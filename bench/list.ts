import { avro } from "./avro.ts";
import type { Bench } from "./bench.ts";
import { decode } from "./decode.ts";
import { gate } from "./gate.ts";
import { json } from "./json.ts";
import { parquetPages } from "./parquet.ts";
import { protobuf } from "./protobuf.ts";

/** Every bench that `npm run bench` runs. */
export const benches: readonly Bench[] = [decode, json, gate, parquetPages, avro, protobuf];
