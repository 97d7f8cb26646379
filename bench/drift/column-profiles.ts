import { jsonCodec } from "../../src/codecs/json.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import { textRecords } from "../text-records.ts";

/** Values of a column, row by row. */
export type ColumnValues = readonly (number | string | null)[];

/** A contract of columns that hold numbers or texts and may be null. */
export async function columnContract(columns: ReadonlyMap<string, "number" | "text">): Promise<Contract> {
  const types = { number: "logicalType: number, physicalType: double", text: "logicalType: string" };
  const properties = [...columns].map(([name, kind]) => `{ name: ${JSON.stringify(name)}, ${types[kind]} }`);
  const text = `apiVersion: v3.1.0
kind: DataContract
id: columns
version: 1.0.0
status: active
schema:
  - name: columns
    physicalName: columns
    physicalType: topic
    logicalType: object
    properties: [${properties.join(", ")}]
`;
  return (await loadContract("columns.odcs.yaml", () => Promise.resolve(text))).contract;
}

/** The kinds of columns by their values. */
export function kindsOf(columns: ReadonlyMap<string, ColumnValues>): ReadonlyMap<string, "number" | "text"> {
  return new Map([...columns].map(([name, values]) => [name, values.some((value) => typeof value === "string") ? "text" : "number"]));
}

/** Profiles rows `from` to `until` of columns, decoded from JSON as records are. */
export function profileColumns(contract: Contract, columns: ReadonlyMap<string, ColumnValues>, from: number, until: number): Profile {
  const texts = Array.from({ length: until - from }, (_, row) =>
    Buffer.from(JSON.stringify(Object.fromEntries([...columns].map(([name, values]) => [name, values[from + row] ?? null])))),
  );
  return profileBatch(contract, jsonCodec.compile(contract)(textRecords("columns", texts)), null);
}
