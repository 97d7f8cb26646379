/**
 * Decoding (and decoding plus rules) of flight records against JSON.parse + a compiled ajv schema, one record at a time, on the same bytes:
 * `node bench/decode.ts [rows] [rounds]`. Both sides alternate; it prints the least, median and largest ratio of a round.
 */
import { Ajv } from "ajv";
import { jsonCodec } from "../src/codecs/json.ts";
import { span, type Records } from "../src/core/records.ts";
import type { RuleCheck } from "../src/core/rule.ts";
import { compileValidator } from "../src/rules/compile-validator.ts";
import { makeContract, makeRecords, type FieldSketch, type RuleSketch } from "../test/fixtures/contract.ts";

const rows = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 15);

const fields: Readonly<Record<string, FieldSketch>> = {
  year: { type: "int", required: true },
  month: { type: "int", required: true },
  day: { type: "int", required: true },
  dep_time: { type: "int" },
  sched_dep_time: { type: "int", required: true },
  dep_delay: { type: "double" },
  arr_time: { type: "int" },
  sched_arr_time: { type: "int", required: true },
  arr_delay: { type: "double" },
  carrier: { type: "string", required: true },
  flight: { type: "int", required: true },
  tailnum: { type: "string" },
  origin: { type: "string", required: true },
  dest: { type: "string", required: true },
  air_time: { type: "double" },
  distance: { type: "double", required: true },
  hour: { type: "int", required: true },
  minute: { type: "int", required: true },
  time_hour: { type: "timestamp", required: true },
};

/** A repeatable stream of numbers below `below` (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

function flight(next: (below: number) => number): string {
  const cancelled = next(40) === 0;
  const delay = next(300) - 40;
  const month = 1 + next(12);
  const day = 1 + next(28);
  const hour = 5 + next(18);
  const pad = (value: number): string => String(value).padStart(2, "0");
  return JSON.stringify({
    year: 2013,
    month,
    day,
    dep_time: cancelled ? null : hour * 100 + next(60),
    sched_dep_time: hour * 100 + next(60),
    dep_delay: cancelled ? null : delay,
    arr_time: cancelled ? null : next(2400),
    sched_arr_time: next(2400),
    arr_delay: cancelled ? null : delay - 10 + next(20),
    carrier: ["UA", "B6", "EV", "DL", "AA"][next(5)],
    flight: 1 + next(6000),
    tailnum: `N${10_000 + next(4000)}`,
    origin: ["EWR", "JFK", "LGA"][next(3)],
    dest: ["ORD", "ATL", "LAX", "BOS", "MCO", "CLT"][next(6)],
    air_time: cancelled ? null : 30 + next(400),
    distance: 80 + next(4900),
    hour,
    minute: next(60),
    time_hour: `2013-${pad(month)}-${pad(day)}T${pad(hour)}:00:00Z`,
  });
}

function range(path: string, min: number, max: number): RuleSketch {
  const check: RuleCheck = {
    family: "range",
    min: String(min),
    max: String(max),
    exclusiveMin: false,
    exclusiveMax: false,
    minText: null,
    maxText: null,
  };
  return { check, path };
}

const rules: readonly RuleSketch[] = [
  range("month", 1, 12),
  range("day", 1, 31),
  range("dep_time", 0, 2400),
  range("dep_delay", -120, 1440),
  range("distance", 1, 6000),
  { check: { family: "pattern", pattern: "^[A-Z0-9]{2}$" }, path: "carrier" },
  { check: { family: "pattern", pattern: "^N[0-9A-Z]{1,5}$" }, path: "tailnum" },
  { check: { family: "length", min: 3, max: 3 }, path: "origin" },
  {
    check: { family: "set", negated: false, values: ["EWR", "JFK", "LGA"].map((value) => ({ type: "string" as const, value })) },
    path: "origin",
  },
];

const schema = {
  type: "object",
  required: Object.entries(fields).flatMap(([name, { required }]) => (required === true ? [name] : [])),
  properties: Object.fromEntries(
    Object.entries(fields).map(([name, { type }]) => [
      name,
      { type: [type === "int" ? "integer" : type === "double" ? "number" : "string", "null"] },
    ]),
  ) as Record<string, Record<string, unknown>>,
};
for (const [name, more] of Object.entries({
  month: { minimum: 1, maximum: 12 },
  day: { minimum: 1, maximum: 31 },
  dep_time: { minimum: 0, maximum: 2400 },
  dep_delay: { minimum: -120, maximum: 1440 },
  distance: { minimum: 1, maximum: 6000 },
  carrier: { pattern: "^[A-Z0-9]{2}$" },
  tailnum: { pattern: "^N[0-9A-Z]{1,5}$" },
  origin: { minLength: 3, maxLength: 3, enum: ["EWR", "JFK", "LGA"] },
}))
  Object.assign(schema.properties[name] as object, more);

const next = numbers(7);
const records: Records = makeRecords(Array.from({ length: rows }, () => flight(next)));
const contract = makeContract(fields, { rules });
const decode = jsonCodec.compile(contract);
const validator = compileValidator(contract);
const accepts = new Ajv({ allowUnionTypes: true }).compile(schema);

const contenders: Readonly<Record<string, () => number>> = {
  "JSON.parse + ajv": () => {
    let good = 0;
    for (let row = 0; row < rows; row++) if (accepts(JSON.parse(Buffer.from(span(records, "value", row) as Uint8Array).toString()))) good++;
    return good;
  },
  decode: () => decode(records).rows,
  "decode + rules": () => {
    const { rejected } = validator.open().add(decode(records));
    return rejected.reduce((sum, flag) => sum + 1 - flag, 0);
  },
};

const seconds = new Map<string, number[]>();
for (let round = -3; round < rounds; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const before = process.cpuUsage();
    if (run() !== rows) throw new Error(`${name} refused good records`);
    const { user, system } = process.cpuUsage(before);
    // The first rounds warm up the compiler.
    if (round >= 0) seconds.set(name, [...(seconds.get(name) ?? []), (user + system) / 1e6]);
  }
}

const bytes = records.bytes.length / rows;
console.log(`${rows} records of ${Math.round(bytes)} bytes, ${Object.keys(fields).length} columns, ${rounds} rounds; CPU time`);
const base = seconds.get("JSON.parse + ajv") as number[];
for (const [name, taken] of seconds) {
  const ratios = taken.map((s, i) => (base[i] as number) / s).sort((a, b) => a - b);
  const median = [...taken].sort((a, b) => a - b)[Math.floor(taken.length / 2)] as number;
  const [least, middle, most] = [ratios[0], ratios[Math.floor(ratios.length / 2)], ratios.at(-1)] as [number, number, number];
  console.log(
    `${name.padEnd(18)} ${Math.round(rows / median / 1000)} k rows/s (median); ratio min ${least.toFixed(2)} median ${middle.toFixed(2)} max ${most.toFixed(2)}`,
  );
}
