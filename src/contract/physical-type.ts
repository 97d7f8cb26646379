import type { FieldType } from "../core/schema.ts";

/** A physical type as written, split: `DECIMAL(10, 2)` is name `decimal`, arguments [10, 2]. */
interface ParsedType {
  readonly name: string;
  readonly args: readonly number[];
}

const kinds: Readonly<Record<string, FieldType["kind"]>> = {
  boolean: "boolean",
  bool: "boolean",
  bit: "boolean",
  tinyint: "int",
  smallint: "int",
  mediumint: "int",
  byteint: "int",
  short: "int",
  int: "int",
  integer: "int",
  int8: "int",
  int16: "int",
  int32: "int",
  int2: "int",
  int4: "int",
  uint8: "int",
  uint16: "int",
  serial: "int",
  smallserial: "int",
  uint32: "long",
  bigint: "long",
  long: "long",
  int64: "long",
  bigserial: "long",
  float: "float",
  float4: "float",
  float32: "float",
  real: "float",
  double: "double",
  "double precision": "double",
  float8: "double",
  float64: "double",
  binary_float: "float",
  binary_double: "double",
  money: "decimal",
  decimal: "decimal",
  dec: "decimal",
  numeric: "decimal",
  number: "decimal",
  bignumeric: "decimal",
  date: "date",
  time: "time",
  timetz: "time",
  "time without time zone": "time",
  timestamp: "timestamp",
  datetime: "timestamp",
  datetime2: "timestamp",
  timestamptz: "timestamp",
  timestamp_tz: "timestamp",
  timestamp_ltz: "timestamp",
  timestamp_ntz: "timestamp",
  timestamp_ns: "timestamp",
  timestamptz_ns: "timestamp",
  "timestamp-nanos": "timestamp",
  "local-timestamp-nanos": "timestamp",
  "timestamp[ns]": "timestamp",
  "timestamp[ns, tz]": "timestamp",
  "datetime64[ns]": "timestamp",
  "datetime64[ns, tz]": "timestamp",
  datetimeoffset: "timestamp",
  "timestamp with time zone": "timestamp",
  "timestamp with local time zone": "timestamp",
  "timestamp without time zone": "timestamp",
  string: "string",
  text: "string",
  char: "string",
  character: "string",
  varchar: "string",
  varchar2: "string",
  nvarchar: "string",
  nvarchar2: "string",
  nchar: "string",
  bpchar: "string",
  "character varying": "string",
  clob: "string",
  uuid: "uuid",
  enum: "string",
  binary: "binary",
  varbinary: "binary",
  bytes: "binary",
  bytea: "binary",
  blob: "binary",
  raw: "binary",
  image: "binary",
  json: "json",
  jsonb: "json",
  variant: "json",
};

const localTimestamps = new Set([
  "timestamp_ntz",
  "datetime",
  "datetime2",
  "timestamp without time zone",
  "local-timestamp-nanos",
  "timestamp[ns]",
  "datetime64[ns]",
]);
const zonedTimestamps = new Set([
  "timestamptz",
  "timestamp_tz",
  "timestamp_ltz",
  "datetimeoffset",
  "timestamp with time zone",
  "timestamp with local time zone",
  "timestamptz_ns",
  "timestamp-nanos",
  "timestamp[ns, tz]",
  "datetime64[ns, tz]",
]);
/** Names that say nanoseconds and nothing else, of Iceberg, DuckDB, Avro, Arrow and pandas. A precision in brackets says what a source could hold, so it does not count. */
const nanoTimestamps = new Set(Object.keys(kinds).filter((name) => /_ns$|-nanos$|\[ns/.test(name)));

/** What a physical type says of a column; `problem` where it can't be stored as it says. */
export interface PhysicalType {
  readonly kind: FieldType["kind"];
  readonly decimal: { readonly precision: number; readonly scale: number } | null;
  /** null where it does not say. */
  readonly zoned: boolean | null;
  /** Of timestamps. */
  readonly unit: "micros" | "nanos";
  readonly problem: string | null;
}

/** Reads a physical type of SQL, Avro, Arrow or Iceberg; null where Sluice does not know it. Case, spaces and arguments of text types do not matter. */
export function readPhysicalType(text: string): PhysicalType | null {
  const parsed = parse(text);
  if (parsed === null) return null;
  const kind = Object.hasOwn(kinds, parsed.name) ? kinds[parsed.name] : undefined;
  if (kind === undefined) return null;
  const zoned = localTimestamps.has(parsed.name) ? false : zonedTimestamps.has(parsed.name) ? true : null;
  const unit = nanoTimestamps.has(parsed.name) ? "nanos" : "micros";
  const plain = { kind, decimal: null, zoned, unit, problem: null } as const;
  if (kind !== "decimal") return plain;
  if (parsed.name === "money") return { ...plain, decimal: { precision: 19, scale: 4 } };
  const [precision, scale = 0] = parsed.args;
  if (precision === undefined) return { ...plain, kind: "double", problem: `${text} has no precision, so it is kept as a double` };
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
    return { ...plain, kind: "double", problem: `${text} is beyond decimal(38, 38), so it is kept as a double` };
  return { ...plain, decimal: { precision, scale } };
}

/** Whether a physical type says more digits of the second than the microseconds that its column gets: `timestamp(9)`. */
export function hasLostDigits(text: string): boolean {
  const parsed = parse(text);
  return parsed !== null && kinds[parsed.name] === "timestamp" && !nanoTimestamps.has(parsed.name) && (parsed.args[0] ?? 0) > 6;
}

function parse(text: string): ParsedType | null {
  const lower = text.trim().toLowerCase().replace(/\s+/g, " ");
  if (lower.length === 0 || lower.length > 100) return null;
  // Arrow and pandas name the zone of an instant: `timestamp[ns, tz=UTC]`, `datetime64[ns, UTC]`.
  const arrow = /^(timestamp|datetime64)\[ns(, ?[\w=/+:-]+)?\]$/.exec(lower);
  if (arrow !== null) return { name: `${arrow[1]}[ns${arrow[2] === undefined ? "" : ", tz"}]`, args: [] };
  const open = lower.indexOf("(");
  if (open < 0) return { name: lower, args: [] };
  const close = lower.indexOf(")", open);
  if (close < 0) return null;
  const args = lower
    .slice(open + 1, close)
    .split(",")
    .map(Number);
  // "timestamp(6) with time zone": the words after the arguments belong to the name.
  const name = `${lower.slice(0, open).trim()} ${lower.slice(close + 1).trim()}`.trim();
  return { name, args: args.every((each) => Number.isInteger(each)) ? args : [] };
}
