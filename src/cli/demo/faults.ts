/** A flight as the example data has it. */
export type Flight = Record<string, string | number | null>;

/** A kind of damage that the demo does to records, and how often. */
export interface FaultKind {
  readonly name: string;
  /** Of all records. */
  readonly share: number;
  /** The rule of the example contract that finds it. */
  readonly rule: string;
  /** The damaged value's text; null makes a tombstone. */
  readonly damage: (flight: Flight) => string | null;
}

/** What the demo injects. Each record has at most one fault, and which one follows from its index alone. */
export const faultKinds: readonly FaultKind[] = [
  { name: "carrier missing", rule: "carrier.required", share: 0.002, damage: ({ carrier: _gone, ...rest }) => JSON.stringify(rest) },
  { name: "unknown carrier", rule: "carrier_known", share: 0.002, damage: (flight) => JSON.stringify({ ...flight, carrier: "??" }) },
  {
    name: "distance below zero",
    rule: "distance_mi.range",
    share: 0.002,
    damage: (flight) => JSON.stringify({ ...flight, distance_mi: -1 }),
  },
  {
    name: "delay as text",
    rule: "dep_delay_min.type",
    share: 0.002,
    damage: (flight) => JSON.stringify({ ...flight, dep_delay_min: "late" }),
  },
  { name: "broken JSON", rule: "json.truncated", share: 0.0015, damage: (flight) => JSON.stringify(flight).slice(0, -20) },
  { name: "tombstone", rule: "record.tombstone", share: 0.0005, damage: () => null },
];

/** Where the drift is, as shares of all records. */
const driftFrom = 0.6;
const driftTo = 0.7;

/** A well-mixed number in [0, 1) of an index, the same on every machine (the finaliser of MurmurHash3). */
function fraction(index: number): number {
  let mixed = (index + 0x9e3779b9) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

/** The fault of the record with this index, or null. */
export function faultOf(index: number, kinds: readonly FaultKind[] = faultKinds): FaultKind | null {
  let at = fraction(index);
  for (const kind of kinds) {
    if (at < kind.share) return kind;
    at -= kind.share;
  }
  return null;
}

/** Whether the record with this index falls into the drift of `rows` records. */
export function isDrifted(index: number, rows: number): boolean {
  return index >= Math.floor(rows * driftFrom) && index < Math.floor(rows * driftTo);
}

/** The drift: a feed that books two airlines' flights on a third. Every record stays valid; only the shares tell. */
export function drifted(flight: Flight): Flight {
  return flight["carrier"] === "B6" || flight["carrier"] === "EV" ? { ...flight, carrier: "UA" } : flight;
}

/** How many records of the first `rows` have each fault: what the demo declares before it begins. */
export function countFaults(rows: number, kinds: readonly FaultKind[] = faultKinds): ReadonlyMap<string, number> {
  const counts = new Map(kinds.map((kind) => [kind.name, 0]));
  for (let index = 0; index < rows; index++) {
    const kind = faultOf(index, kinds);
    if (kind !== null) counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1);
  }
  return counts;
}
