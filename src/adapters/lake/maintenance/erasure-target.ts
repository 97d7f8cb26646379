import type { ErasureTarget } from "../../../core/lake-maintenance.ts";
import { decimalOf } from "../../../core/iceberg-type.ts";
import { uuidBytes, uuidText } from "../../../core/uuid.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { QuarantinedRecord } from "../../../core/ports.ts";
import type { IcebergSchema, IcebergType } from "../../../core/table-schema.ts";
import { signedOf } from "../../../core/unscaled-bytes.ts";

/** A value as data files hold it. */
type Physical = number | bigint | boolean | Uint8Array;

/** What is looked for: in a column of the promoted table, in bytes that may be anything, or both. */
export interface Needle {
  /** The leaf whose values are compared; null where records are found by their key alone. */
  readonly leafId: number | null;
  matches(value: Physical): boolean;
  /** Whether bytes of anything, a record's or a file's, hold the value somewhere. */
  readonly isIn: (part: Uint8Array) => boolean;
  /** Whether a bound that a manifest keeps is the value. */
  readonly isBound: (bound: Uint8Array) => boolean;
  /** The value wherever it stands in a text about records. */
  readonly inText: RegExp;
  /** Whether the bytes are those of whole keys, not of something inside of a record. */
  readonly isKey: boolean;
  /** The key; for values their text. */
  readonly bytes: Buffer;
}

/** Shorter texts stand by chance in too many records. */
const textBytesMin = 3;

function refuse(message: string): SluiceError {
  return new SluiceError("ERASURE_REFUSED", message);
}

interface NamedLeaf {
  readonly id: number;
  readonly type: string;
}

/** What lists hold, however deep; anything else as it is. */
function elementOf(leaf: { readonly id: number; readonly type: IcebergType }): { readonly id: number; readonly type: IcebergType } {
  const { type } = leaf;
  return typeof type === "object" && type.type === "list" ? elementOf({ id: type["element-id"], type: type.element }) : leaf;
}

/** The leaf at a dotted path through structs and lists. */
function leafAt(schema: IcebergSchema, path: string): NamedLeaf | null {
  let fields = schema.fields;
  let found: NamedLeaf | null = null;
  for (const name of path.split(".")) {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) return null;
    const { id, type } = elementOf(field);
    fields = typeof type === "object" && type.type === "struct" ? type.fields : [];
    found = typeof type === "string" ? { id, type } : null;
  }
  return found;
}

/** Timestamp types, with the digits after the second that a value can have. */
const timestampDigits: ReadonlyMap<string, 6 | 9> = new Map([
  ["timestamp", 6],
  ["timestamptz", 6],
  ["timestamp_ns", 9],
  ["timestamptz_ns", 9],
]);

/** Units of so many digits of a second since the epoch, of an ISO 8601 time; null for anything else, and for what is finer. */
function timeOf(text: string, zoned: boolean, digits: 6 | 9): bigint | null {
  const found = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (found === null || (zoned && found[3] === undefined)) return null;
  const fraction = found[2] ?? "";
  if (fraction.length > digits) return null;
  const ms = Date.parse(`${(found[1] as string).replace(" ", "T")}${found[3] ?? "Z"}`);
  if (Number.isNaN(ms)) return null;
  const whole = BigInt(ms) * 10n ** BigInt(digits - 3) + BigInt(fraction.padEnd(digits, "0"));
  return BigInt.asIntN(64, whole) === whole ? whole : null;
}

function unscaledOf(text: string, scale: number): bigint | null {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = found?.[3] ?? "";
  if (found === null || fraction.length > scale) return null;
  return BigInt(`${found[1]}${found[2]}${fraction.padEnd(scale, "0")}`);
}

function bigintOf(value: Physical): bigint | null {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : null;
  if (!(value instanceof Uint8Array) || value.length === 0) return null;
  return signedOf(value);
}

/** A whole number of a type's own unit, from the text that people write; null where the text is none. */
function wholeOf(type: string, text: string): bigint | null {
  const decimal = decimalOf(type);
  if (decimal !== null) return unscaledOf(text, decimal.scale);
  const digits = timestampDigits.get(type);
  if (digits !== undefined) return timeOf(text, type.startsWith("timestamptz"), digits);
  if (type === "date") return /^\d{4}-\d{2}-\d{2}$/.test(text) ? BigInt(Date.parse(text) / 86_400_000) : null;
  return /^-?\d+$/.test(text) ? BigInt(text) : null;
}

function matcherOf(type: string, text: string): ((value: Physical) => boolean) | null {
  const bytes = Buffer.from(text);
  if (type === "string" || type === "binary") return (value) => value instanceof Uint8Array && bytes.equals(value);
  if (type === "uuid") {
    const wanted = uuidBytes(text);
    return wanted === null ? null : (value) => value instanceof Uint8Array && Buffer.from(wanted).equals(value);
  }
  if (type === "boolean") return null;
  if (type === "float" || type === "double") {
    const wanted = type === "float" ? Math.fround(Number(text)) : Number(text);
    return text.trim() === "" || Number.isNaN(wanted) ? null : (value) => value === wanted;
  }
  const whole = wholeOf(type, text);
  return whole === null ? null : (value) => bigintOf(value) === whole;
}

function viewOf(part: Uint8Array): Buffer {
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}

type Form = Pick<Needle, "isIn" | "isBound" | "inText" | "bytes">;

/** A value by its text as people write it, which stands as it is in records and texts. */
function plainForm(bytes: Buffer): Form {
  return {
    bytes,
    isIn: (part) => viewOf(part).includes(bytes),
    isBound: (bound) => bytes.equals(bound),
    inText: new RegExp(RegExp.escape(bytes.toString()), "g"),
  };
}

/** A UUID, which stands in records as text of either case, or as its 16 bytes. */
function uuidForm(raw: Uint8Array): Form {
  const text = uuidText(raw);
  // In latin1 no other byte becomes a digit in lower case.
  const isText = (part: Buffer): boolean => part.toString("latin1").toLowerCase().includes(text);
  return {
    bytes: Buffer.from(text),
    isIn: (part) => viewOf(part).includes(viewOf(raw)) || isText(viewOf(part)),
    isBound: (bound) => viewOf(bound).equals(raw),
    inText: new RegExp(text, "gi"),
  };
}

/** What to look for. Rejects with ERASURE_REFUSED a column that the table lacks, a value that is none of its type, and one too short to be told from chance. */
export function needleOf(target: ErasureTarget, schema: IcebergSchema): Needle {
  if (target.kind === "key") {
    if (target.key.length === 0) throw refuse("an empty key is every record's that has none");
    return { ...plainForm(Buffer.from(target.key)), leafId: null, matches: () => false, isKey: true };
  }
  const { column, value } = target;
  const leaf = leafAt(schema, column);
  if (leaf === null) throw refuse(`the table has no column ${column} with values to compare`);
  const matches = matcherOf(leaf.type, value);
  if (matches === null) throw refuse(`${JSON.stringify(value)} is no ${leaf.type} that could be told from others`);
  const raw = leaf.type === "uuid" ? uuidBytes(value) : null;
  const form = raw === null ? plainForm(Buffer.from(value)) : uuidForm(raw);
  const { length } = form.bytes;
  if (length < textBytesMin) throw refuse(`a value of ${length} bytes stands by chance in too many records: name their key`);
  return { ...form, leafId: leaf.id, matches, isKey: false };
}

/** Whether the needle is in a quarantined record: its key, value, headers, or what the reasons say of it. */
export function isInRecord({ bytes, isKey, isIn, inText }: Needle, record: QuarantinedRecord): boolean {
  if (isKey) return record.key !== null && bytes.equals(record.key);
  const has = (part: Uint8Array | null): boolean => part !== null && isIn(part);
  const said = (text: string): boolean => text.search(inText) >= 0;
  return (
    has(record.key) ||
    has(record.value) ||
    has(record.headersRaw) ||
    record.reasons.some(({ message, observed }) => said(message) || (observed !== null && said(observed)))
  );
}
