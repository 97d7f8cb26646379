import { Ajv2020 } from "ajv/dist/2020.js";
import { schemaOfContract } from "../src/adapters/iceberg/table-schema.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Contract } from "../src/core/contract.ts";
import { span, type Records } from "../src/core/records.ts";
import { openCompiledEngine } from "../src/gate/chunk-engine.ts";
import { passingRows, rejectedRows } from "../src/gate/settle-chunk.ts";
import { textRecords } from "./text-records.ts";

/** One point of a curve. */
export interface ScalePoint {
  readonly columns: number;
  readonly rules: number;
  /** Share of rows that break a rule. */
  readonly bad: number;
  /** Bytes that text fills a record up to. */
  readonly bytes: number;
  readonly kind: "mixed" | "text" | "number";
  /** Structs around each other that hold the last columns. */
  readonly depth: number;
  readonly rows: number;
}

export interface ScaleReport {
  readonly rows: number;
  readonly recordBytes: number;
  /** CPU seconds a million records, of each round. */
  readonly peer: readonly number[];
  readonly judged: readonly number[];
  readonly written: readonly number[];
  readonly compileMs: number;
  readonly peakRssMb: number;
}

type Kind = "integer" | "number" | "string";

function kindOf(point: ScalePoint, column: number): Kind {
  if (point.kind === "text") return "string";
  if (point.kind === "number") return column % 2 === 0 ? "integer" : "number";
  return (["integer", "string", "number"] as const)[column % 3] as Kind;
}

/** Rules of column `c`: the point's rules dealt out over its columns. */
function rulesOf(point: ScalePoint, column: number): string {
  const count = Math.floor(point.rules / point.columns) + (column < point.rules % point.columns ? 1 : 0);
  const kind = kindOf(point, column);
  const rules = Array.from({ length: count }, (_, i) =>
    kind === "string"
      ? `{ check: length, maxLength: ${100_000 + i} }`
      : column === 0 && i === 0
        ? "{ check: range, maximum: 1000000 }"
        : `{ check: range, minimum: ${-1_000_000 - i}, maximum: ${1_000_000 + i} }`,
  );
  return rules.map((rule) => `{ type: custom, engine: sluice, implementation: ${rule} }`).join(", ");
}

const physical = { integer: "bigint", number: "double", string: "string" } as const;

async function contractOf(point: ScalePoint): Promise<Contract> {
  const property = (column: number): string =>
    `{ name: c${column}, logicalType: ${kindOf(point, column)}, physicalType: ${physical[kindOf(point, column)]}, quality: [${rulesOf(point, column)}] }`;
  const nested = (depth: number): string =>
    depth === 0 ? property(point.columns - 1) : `{ name: s${depth}, logicalType: object, properties: [${nested(depth - 1)}] }`;
  const flat = Array.from({ length: point.columns - 1 }, (_, column) => property(column));
  const text = `apiVersion: v3.1.0
kind: DataContract
id: scale
version: 1.0.0
status: active
schema:
  - name: scale
    physicalName: scale
    physicalType: topic
    logicalType: object
    properties:
${[...flat, nested(point.depth)].map((each) => `      - ${each}`).join("\n")}
`;
  return (await loadContract("scale.odcs.yaml", () => Promise.resolve(text))).contract;
}

function recordsOf(point: ScalePoint): Records {
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const strings = Math.max(1, Array.from({ length: point.columns }, (_, c) => kindOf(point, c)).filter((kind) => kind === "string").length);
  const texts: Buffer[] = [];
  for (let row = 0; row < point.rows; row++) {
    const bad = random() < point.bad;
    const valueOf = (column: number): unknown => {
      const kind = kindOf(point, column);
      if (kind === "integer") return column === 0 && bad ? 2_000_000 : Math.floor(random() * 100_000);
      if (kind === "number") return Math.round(random() * 1e6) / 1000;
      const length = Math.max(4, Math.floor(point.bytes / strings) - 8);
      return `${Math.floor(random() * 1e6)}`.padEnd(length, "abcdefghij ");
    };
    const record: Record<string, unknown> = {};
    for (let column = 0; column < point.columns - 1; column++) record[`c${column}`] = valueOf(column);
    let at = record;
    for (let depth = point.depth; depth > 0; depth--) at = at[`s${depth}`] = {} as Record<string, unknown>;
    at[`c${point.columns - 1}`] = valueOf(point.columns - 1);
    texts.push(Buffer.from(JSON.stringify(record)));
  }
  return textRecords("scale", texts);
}

/** What JSON Schema can say of the contract: its types. */
function schemaOf(point: ScalePoint): object {
  const leaf = (column: number): object => {
    const kind = kindOf(point, column);
    return kind === "string" ? { type: "string", maxLength: 100_000 } : { type: kind, minimum: -1_000_000, maximum: 1_000_000 };
  };
  let last: [string, object] = [`c${point.columns - 1}`, leaf(point.columns - 1)];
  for (let depth = 1; depth <= point.depth; depth++) last = [`s${depth}`, { type: "object", properties: Object.fromEntries([last]) }];
  const flat = Array.from({ length: point.columns - 1 }, (_, column): [string, object] => [`c${column}`, leaf(column)]);
  return { type: "object", properties: Object.fromEntries([...flat, last]) };
}

const point = JSON.parse(process.argv[2] ?? "{}") as ScalePoint;
const rounds = 5;
const contract = await contractOf(point);
const records = recordsOf(point);
const begin = performance.now();
const engine = openCompiledEngine(contract);
engine.decode(records, 0, new Map());
const compileMs = performance.now() - begin;
if (engine.fallback !== null) throw new Error(`not compiled: ${engine.fallback}`);
const accepts = new Ajv2020({ strict: false }).compile(schemaOf(point));

function peer(): void {
  let good = 0;
  for (let row = 0; row < records.count; row++) {
    const bytes = span(records, "value", row) as Uint8Array;
    if (accepts(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")))) good++;
  }
  if (good > records.count || good === 0) throw new Error("the peer found nothing");
}

function judge(write: boolean): void {
  const window = engine.validator.open();
  engine.profiler.reset();
  const file = write ? engine.openFile(schemaOfContract(contract, null).schema) : null;
  for (let from = 0; from < records.count;) {
    const batch = engine.decode(records, from, new Map());
    const validation = window.add(batch);
    const passed = passingRows(batch, validation.rejected);
    rejectedRows(engine.validator, { batch, validation, passed });
    engine.profiler.add(batch, passed);
    file?.append(batch, passed);
    from += batch.rows;
  }
  window.close();
  engine.profiler.finish();
  file?.finish();
}

/** CPU seconds a million records of each round, after one that is not counted. */
function measure(work: () => void): number[] {
  work();
  return Array.from({ length: rounds }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / records.count;
  });
}

const judged = measure(() => judge(false));
const written = measure(() => judge(true));
const peakRssMb = process.resourceUsage().maxRSS / 1024;
const report: ScaleReport = {
  rows: records.count,
  recordBytes: Math.round(records.bytes.length / records.count),
  peer: measure(peer),
  judged,
  written,
  compileMs,
  peakRssMb,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
