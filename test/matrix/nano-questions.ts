import type { Contract } from "../../src/core/contract.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { FieldType } from "../../src/core/schema.ts";
import { partitions } from "../adapters/lake/lake-fixture.ts";
import { instant, local, nanoContract, nanoWindow } from "../adapters/lake/nanoseconds-fixture.ts";
import type { Condition, Question, Row } from "./question.ts";

const nanos: readonly (readonly [type: string, FieldType])[] = [
  ["timestamp_ns", local],
  ["timestamptz_ns", instant],
];

/** What the first row has, which conditions ask for. */
const asked = 1_772_326_800_123_456_789n;
const values = [asked, -1n, asked + 1n, null] as const;
const texts = ["2026-03-01T01:00:00.123456789", "1969-12-31T23:59:59.999999999", "2026-03-01T01:00:00.123456790", null] as const;
const all: readonly Row[] = texts.map((v, id) => ({ id, v }));

/** The first row's value in the words of each reader. */
function isAsked(isZoned: boolean): Condition {
  const text = "2026-03-01 01:00:00.123456789";
  const zone = isZoned ? ', time_zone="UTC"' : "";
  return {
    sql: `v = TIMESTAMP${isZoned ? "" : "_NTZ"} '${text}'`,
    trino: `v = TIMESTAMP '${text}${isZoned ? " UTC" : ""}'`,
    duckdb: `v = ${isZoned ? "TIMESTAMPTZ" : "TIMESTAMP_NS"} '${text}${isZoned ? "+00" : ""}'`,
    polars: `col("v") == polars.lit("${text}").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns"${zone})`,
    pyiceberg: `v = '${text.replace(" ", "T")}${isZoned ? "+00:00" : ""}'`,
  };
}

async function begin(lake: Lake, contract: Contract): Promise<void> {
  await lake.activate(contract);
  await lake.recordStart(
    contract.dataset,
    partitions.slice(0, 1).map((key) => ({ ...key, next: 0n })),
  );
}

async function promote(lake: Lake, contract: Contract, rows: Parameters<typeof nanoWindow>[2]): Promise<void> {
  const result = await lake.commitWindow(await nanoWindow(lake, contract, rows));
  if (result.status !== "committed") throw new Error(`a window of ${contract.dataset} is ${result.status}`);
}

/** Timestamps in nanoseconds, which version 3 has: as they stand, partitioned, by a condition, and as a default value. */
export async function nanoQuestions(lake: Lake): Promise<Question[]> {
  const questions: Question[] = [];
  const ask = (table: string, what: string, rows: readonly Row[], where: Condition | null = null): void => {
    const topic = "Nanoseconds (version 3)";
    questions.push({ topic, what, table, formatVersion: 3, snapshotId: null, ref: null, where, columns: ["id", "v"], rows });
  };
  for (const [name, type] of nanos) {
    const columns = { v: type };
    const where = isAsked(name === "timestamptz_ns");
    for (const transform of [null, "day", "bucket[4]"]) {
      const dataset = `${name}_${transform?.replaceAll(/\W/g, "") ?? "plain"}_v3`;
      const contract = nanoContract({ dataset, columns, partitionBy: transform === null ? [] : [`v ${transform}`] });
      await begin(lake, contract);
      await promote(
        lake,
        contract,
        values.map((v, id) => ({ id: BigInt(id), v })),
      );
      const by = transform === null ? "" : `, partitioned by ${transform}`;
      ask(dataset, `${name}${by}`, all);
      ask(dataset, `${name}${by}: by a condition`, all.slice(0, 1), where);
    }
    const dataset = `${name}_default_v3`;
    await begin(lake, nanoContract({ dataset, columns: {} }));
    await promote(lake, nanoContract({ dataset, columns: {} }), [{ id: 0n }]);
    const text = `${texts[0]}${name === "timestamptz_ns" ? "+00:00" : ""}`;
    const second = nanoContract({ dataset, version: 2, columns, defaults: { v: text } });
    await lake.activate(second);
    await promote(lake, second, [{ id: 1n, v: -1n }]);
    ask(dataset, `a required ${name} in rows from before it`, all.slice(0, 2));
  }
  return questions;
}
