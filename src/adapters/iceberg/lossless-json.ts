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

const defaultFields: ReadonlySet<string> = new Set(["initial-default", "write-default"]);

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
  // Of floats and doubles, whose value is all there is to keep: raw JSON does not go from thread to thread.
  if (defaultFields.has(key)) return value;
  return String(value) === context.source ? value : exactJson.rawJSON(context.source);
}

/** Iceberg's Java takes no default of a float or double that is written without a point. */
function exactNumber(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "bigint") return exactJson.rawJSON(value.toString());
  if (typeof value !== "number" || !defaultFields.has(key)) return value;
  const { type } = this as { readonly type?: unknown };
  if (type !== "float" && type !== "double") return value;
  const text = Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
  return exactJson.rawJSON(/^-?\d+$/.test(text) ? `${text}.0` : text);
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
  return JSON.stringify(value, exactNumber);
}
