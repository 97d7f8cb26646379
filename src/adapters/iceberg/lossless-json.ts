/** Fields of Iceberg's JSON that hold 64-bit numbers: always bigint here, whatever their size. */
const longFields = new Set([
  "snapshot-id",
  "parent-snapshot-id",
  "current-snapshot-id",
  "source-snapshot-id",
  "sequence-number",
  "last-sequence-number",
]);

interface ReviverContext {
  readonly source?: string;
}

// TypeScript's library does not know the JSON.parse source text proposal yet; Node 24 has it.
const exactJson = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: ReviverContext) => unknown): unknown;
};

function exactInteger(key: string, value: unknown, context: ReviverContext): unknown {
  if (typeof value !== "number" || context.source === undefined) return value;
  if (longFields.has(key)) return BigInt(context.source);
  return !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

function rawInteger(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? exactJson.rawJSON(value.toString()) : value;
}

/** Parses JSON without rounding: ids and sequence numbers, and any integer beyond 2^53, become bigint. Throws SyntaxError. */
export function parseLosslessJson(text: string): unknown {
  return exactJson.parse(text, exactInteger);
}

/** The JSON of a value, with bigints as plain JSON numbers. */
export function writeLosslessJson(value: unknown): string {
  return JSON.stringify(value, rawInteger);
}
