import type { Decision } from "./decision.ts";
import type { OffsetRange } from "./position.ts";

/** The JSON form of a decision (`schemas/decision.schema.json`), UTF-8: offsets are decimal text, for they may pass 2^53. */
export function encodeDecision(decision: Decision): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(decision, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
  );
}

/** A decision from its JSON form. The bytes are this program's own, checked by their hash. */
export function decodeDecision(bytes: Uint8Array): Decision {
  const raw = JSON.parse(new TextDecoder().decode(bytes)) as Decision;
  const ranges = raw.ranges.map((range): OffsetRange => ({ ...range, from: BigInt(range.from), to: BigInt(range.to) }));
  return { ...raw, ranges };
}
