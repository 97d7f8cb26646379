/** Fields of Iceberg's JSON that hold 64-bit numbers: always bigint here, whatever their size. */
const longFields = new Set([
  "snapshot-id",
  "parent-snapshot-id",
  "current-snapshot-id",
  "source-snapshot-id",
  "sequence-number",
  "last-sequence-number",
  "first-row-id",
  "next-row-id",
  "added-rows",
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
  if (longFields.has(key) && /^-?\d+$/.test(context.source)) return BigInt(context.source);
  if (/^-?\d+$/.test(context.source)) return Number.isSafeInteger(value) ? value : BigInt(context.source);
  // Default values of decimals and doubles: 1.10 stays 1.10.
  return String(value) === context.source ? value : exactJson.rawJSON(context.source);
}

function rawInteger(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? exactJson.rawJSON(value.toString()) : value;
}

/**
 * Parses JSON without rounding: ids and sequence numbers, and any integer beyond 2^53, become bigint; a fraction whose text JavaScript would write
 * otherwise becomes a value that is written back as it stood. Throws SyntaxError.
 */
export function parseLosslessJson(text: string): unknown {
  return exactJson.parse(text, exactInteger);
}

/** The JSON of a value, with bigints as plain JSON numbers. */
export function writeLosslessJson(value: unknown): string {
  return JSON.stringify(value, rawInteger);
}
