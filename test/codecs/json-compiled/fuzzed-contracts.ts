import type { Contract } from "../../../src/core/contract.ts";
import type { FieldType } from "../../../src/core/schema.ts";
import { makeContract, type FieldSketch } from "../../fixtures/contract.ts";
import type { SeededRandom } from "./seeded-random.ts";

type Sketches = Readonly<Record<string, FieldSketch>>;

/** A column of every kind that is no container. */
export const scalars: Sketches = {
  i: { type: "int" },
  l: { type: "long" },
  g: { type: "double" },
  f: { type: "float" },
  d: { type: "decimal" },
  wide: { type: { kind: "decimal", precision: 38, scale: 10 } },
  s: { type: "string" },
  b: { type: "boolean" },
  bin: { type: "binary" },
  u: { type: "uuid" },
  date: { type: "date" },
  time: { type: "time" },
  ts: { type: "timestamp" },
  local: { type: { kind: "timestamp", zoned: false, unit: "micros" } },
  nanos: { type: { kind: "timestamp", zoned: true, unit: "nanos" } },
  localNanos: { type: { kind: "timestamp", zoned: false, unit: "nanos" } },
  j: { type: "json" },
  own: { type: "date", format: "dd.MM.yyyy" },
  ownNanos: { type: { kind: "timestamp", zoned: true, unit: "nanos" }, format: "yyyyMMddHHmmss[.SSSSSSSSS]X" },
  ownInstant: { type: "timestamp", format: "yyyyMMddHHmmssX" },
  "a key that is longer than sixteen bytes": { type: "int" },
  größe: { type: "string" },
};

export const nested: Sketches = {
  id: { type: "long" },
  o: {
    type: "struct",
    of: { ...scalars, p: { type: "struct", of: { s: { type: "string" } } }, n: { type: "list", of: { type: "long" } } },
  },
  l: { type: "list", of: { type: "string" } },
  ls: {
    type: "list",
    of: {
      type: "struct",
      of: { a: { type: "int" }, t: { type: "list", of: { type: "double" } }, own: { type: "date", format: "dd.MM.yyyy" } },
    },
  },
  m: { type: "map", of: { type: "double" } },
  mm: { type: "map", of: { type: "struct", of: { x: { type: "string" } } } },
};

const kinds = "int long float double boolean string binary uuid date time timestamp json decimal struct list map".split(
  " ",
) as FieldType["kind"][];

function randomSketch(random: SeededRandom, depth: number): FieldSketch {
  const kind = random.of(depth < 3 ? kinds : kinds.slice(0, 13));
  if (kind === "decimal") {
    const precision = 1 + random.below(38);
    return { type: { kind, precision, scale: random.below(precision + 1) } };
  }
  if (kind === "timestamp") return { type: { kind, unit: random.of(["micros", "nanos"]), zoned: random.chance(0.5) } };
  if (kind === "struct") return { type: kind, of: randomSketches(random, 1 + random.below(4), depth + 1) };
  if (kind === "list" || kind === "map") return { type: kind, of: randomSketch(random, depth + 1) };
  return { type: kind };
}

function randomSketches(random: SeededRandom, count: number, depth: number): Sketches {
  const names = [
    "a",
    "b",
    "c'",
    'd"\\',
    "eight888",
    "nine99999",
    "ключ",
    "sixteen_letters_",
    "sixteen_letters_and_more",
    "sixteen_letters_and_none",
  ];
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${random.of(names)}${i}`, randomSketch(random, depth)]));
}

/** A contract of one to nine fields of any types, with any policies. */
export function randomContract(random: SeededRandom): Contract {
  const fields = randomSketches(random, 1 + random.below(9), 0);
  return makeContract(fields, {
    policies: {
      unknownFields: random.of(["ignore", "ignore", "keep", "reject"]),
      tombstone: random.of(["skip", "quarantine"]),
      oversized: { bytes: random.of([1 << 20, 300]), action: "quarantine" },
    },
  });
}
