import type { Field } from "../../core/schema.ts";
import { JsonReader } from "../json-reader.ts";
import type { JsonTexts } from "./json-texts.ts";

const numberPattern = /^(?=[+-]?\.?[0-9])(?<sign>[+-]?)0*(?<whole>[0-9]*)(?:\.(?<fraction>[0-9]*))?(?<exponent>[eE][+-]?[0-9]+)?$/;
const numericKinds: ReadonlySet<string> = new Set(["int", "long", "float", "double", "decimal"]);
const nestedKinds: ReadonlySet<string> = new Set(["struct", "list", "map"]);

/**
 * Writes a text (a cell of CSV, a header, a key) as the JSON value that its field takes: numbers and booleans as such, JSON objects and lists for nested
 * fields, all else as a string. A text that is none of what its field takes stays a string, which then is an invalid cell.
 */
export class TextCells {
  readonly #texts: JsonTexts;
  readonly #reader = new JsonReader();

  constructor(texts: JsonTexts) {
    this.#texts = texts;
  }

  write(field: Field, bytes: Uint8Array, start: number, end: number): void {
    const { kind } = field.type;
    if (numericKinds.has(kind)) {
      if (isJsonNumber(bytes, start, end)) return this.#texts.copy(bytes, start, end);
      const number = jsonNumber(bytes, start, end);
      if (number !== null) return this.#texts.raw(number);
    } else if (kind === "boolean") {
      const word = end - start > 5 ? "" : latin1(bytes, start, end).toLowerCase();
      if (word === "true" || word === "false") return this.#texts.raw(word);
    } else if (nestedKinds.has(kind) && this.isJson(bytes, start, end)) {
      this.#texts.copy(bytes, start, end);
      return;
    }
    this.#texts.string(bytes, start, end);
  }

  /** Whether a span is one whole JSON value. */
  isJson(bytes: Uint8Array, start: number, end: number): boolean {
    const reader = this.#reader;
    reader.bytes = bytes;
    reader.end = end;
    const after = reader.skip(reader.space(start), 1);
    return after >= 0 && reader.space(after) === end;
  }
}

/** Whether a text is a number as JSON writes it, without an exponent: which most are. */
function isJsonNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start < end && bytes[start] === 0x2d ? start + 1 : start;
  const whole = p;
  while (p < end && isDigit(bytes[p] as number)) p++;
  if (p === whole || (bytes[whole] === 0x30 && p > whole + 1)) return false;
  if (p === end) return true;
  if (bytes[p] !== 0x2e || ++p === end) return false;
  while (p < end && isDigit(bytes[p] as number)) p++;
  return p === end;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The JSON number that a decimal text such as `+007.50` stands for, digit for digit; null for any other text. */
function jsonNumber(bytes: Uint8Array, start: number, end: number): string | null {
  const parts = numberPattern.exec(latin1(bytes, start, end))?.groups;
  if (parts === undefined) return null;
  const { sign, whole, fraction, exponent } = parts;
  return `${sign === "-" ? "-" : ""}${whole === "" ? "0" : whole}${fraction === undefined || fraction === "" ? "" : `.${fraction}`}${exponent ?? ""}`;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
