import { avro } from "./avro.ts";
import type { Bench } from "./bench.ts";
import { columns } from "./columns.ts";
import { contention } from "./contention/contention.ts";
import { driftCost } from "./drift/cost.ts";
import { driftDetection } from "./drift/detection.ts";
import { driftFalseAlarms } from "./drift/false-alarms.ts";
import { driftFlights } from "./drift/flights.ts";
import { driftLabelled } from "./drift/labelled.ts";
import { driftPeers } from "./drift/peers.ts";
import { driftRows } from "./drift/raw-rows.ts";
import { duckdb } from "./duckdb.ts";
import { engine } from "./engine.ts";
import { gate } from "./gate.ts";
import { json } from "./json.ts";
import { parquetPages } from "./parquet.ts";
import { peers } from "./peers.ts";
import { manyPromotions } from "./promotions/promotions.ts";
import { protobuf } from "./protobuf.ts";
import { scale } from "./scale.ts";

/** Every bench; `npm run bench` runs those that are not on demand. */
export const benches: readonly Bench[] = [
  engine,
  duckdb,
  json,
  avro,
  protobuf,
  parquetPages,
  gate,
  columns,
  peers,
  scale,
  manyPromotions,
  contention,
  driftFlights,
  driftCost,
  driftFalseAlarms,
  driftRows,
  driftDetection,
  driftPeers,
  driftLabelled,
];
