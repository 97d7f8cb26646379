import type { Contract } from "../../../src/core/contract.ts";
import type { Lake, WindowCommit } from "../../../src/core/ports.ts";
import type { FieldType } from "../../../src/core/schema.ts";
import type { TablePlan } from "../../../src/core/table-plan.ts";
import type { Value } from "../iceberg/parquet-fixture.ts";
import { batchOf } from "../iceberg/parquet-fixture.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { encode, makeWindow, partitions } from "./lake-fixture.ts";

export const instant: FieldType = { kind: "timestamp", zoned: true, unit: "nanos" };
export const local: FieldType = { kind: "timestamp", zoned: false, unit: "nanos" };

const location = { file: "orders.odcs.yaml", line: 1, column: 1 };

interface NanoSketch {
  readonly dataset?: string;
  readonly version?: number;
  /** Columns beside `id`. */
  readonly columns: Readonly<Record<string, FieldType>>;
  /** Columns that are required, with what rows before them have. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Columns and transforms: `at day`. */
  readonly partitionBy?: readonly string[];
  readonly sortBy?: readonly string[];
}

/** A contract in version 3 of Iceberg, with columns in nanoseconds beside a required `id`. */
export function nanoContract(sketch: NanoSketch): Contract {
  const { dataset = "orders", version = 1, columns, defaults = {}, partitionBy = [], sortBy = [] } = sketch;
  const table: TablePlan = {
    partitionBy: partitionBy.map((text) => {
      const [column = "", transform = ""] = text.split(" ");
      return { column, transform, location };
    }),
    sortBy: sortBy.map((column) => ({ column, direction: "desc", nulls: "last", location })),
    formatVersion: 3,
    statistics: null,
    columns: new Map(
      Object.entries(defaults).map(
        ([name, value]) => [name, { location, previousNames: [], earlierEmpty: false, default: value }] as const,
      ),
    ),
  };
  const fields = Object.entries(columns).map(([name, type]) => [name, { type, required: name in defaults }] as const);
  const plain = makeContract({ id: { type: "long", required: true }, ...Object.fromEntries(fields) });
  return {
    ...plain,
    dataset,
    topic: dataset,
    hash: `sha256:nanos${version}`,
    version: `${version}.0.0`,
    text: `nanoseconds ${version}`,
    table,
  };
}

/** The next window of partition 0 with these rows, as the gate would hand it over. */
export async function nanoWindow(
  lake: Lake,
  contract: Contract,
  rows: readonly ({ readonly id: bigint } & Readonly<Record<string, Value>>)[],
): Promise<WindowCommit> {
  const { schema, layout, positions } = await lake.state(contract.dataset);
  const from = positions[0]?.next ?? 0n;
  const values = rows.map(({ id }) => `{"id":${id}}`);
  const window = makeWindow({ id: `w${from}`, from, values, contract: { ...contract, fields: contract.fields.slice(0, 1) } });
  const records = { ...makeRecords(values, [], Number(from)), partitions: partitions.slice(0, 1) };
  const batch = { ...batchOf(contract.fields, rows), records };
  return { ...window, contract, passed: encode(batch, Uint32Array.from(rows.keys()), schema, layout) };
}
