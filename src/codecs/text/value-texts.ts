import { dateText, timeText } from "../../core/civil.ts";
import type { Field } from "../../core/schema.ts";
import { uuidSize, uuidText } from "../../core/uuid.ts";
import { KeyTable } from "../key-table.ts";
import type { JsonTexts } from "./json-texts.ts";

/** Maps and lists nested deeper than this are refused. */
export const maxDepth = 100;

/**
 * Writes the values of a self-describing binary format as JSON text: whole numbers of any size digit for digit, floats in the shortest form that gives
 * them back, moments as ISO 8601, bytes as base64, 16 bytes for a uuid column as its text. `field` is what the value is for, null where the contract has no name for it. A value that JSON would
 * take for something it is not (bytes for text, text for bytes) is written as an object that names its type, so that its cell is invalid.
 */
export class ValueTexts {
  readonly texts: JsonTexts;
  readonly #children = new Map<Field | null, Children>();

  constructor(texts: JsonTexts, root: readonly Field[]) {
    this.texts = texts;
    this.#children.set(null, childrenOf(root));
  }

  /** What the value of a map's key is for. `parent` is null for the record itself, and undefined for a value without a field. */
  child(parent: Field | null | undefined, bytes: Uint8Array, start: number, end: number): Field | undefined {
    if (parent === undefined) return undefined;
    if (parent !== null && parent.type.kind === "map") return parent.type.value;
    let children = this.#children.get(parent);
    if (children === undefined) {
      children = childrenOf(parent?.type.kind === "struct" ? parent.type.fields : []);
      this.#children.set(parent, children);
    }
    return children.fields[children.keys.find(bytes, start, end)];
  }

  /** What the elements of a list are for. */
  element(parent: Field | null | undefined): Field | undefined {
    return parent?.type.kind === "list" ? parent.type.element : undefined;
  }

  text(field: Field | null | undefined, bytes: Uint8Array, start: number, end: number): void {
    if (field?.type.kind !== "binary") return this.texts.string(bytes, start, end);
    this.texts.raw('{"text":');
    this.texts.string(bytes, start, end);
    this.texts.raw("}");
  }

  binary(field: Field | null | undefined, bytes: Uint8Array, start: number, end: number): void {
    if (field?.type.kind === "uuid" && end - start === uuidSize) return this.texts.raw(`"${uuidText(bytes, start)}"`);
    const named = field !== undefined && field !== null && field.type.kind !== "binary" && field.type.kind !== "json";
    if (named) this.texts.raw('{"binary":');
    this.texts.base64(bytes, start, end);
    if (named) this.texts.raw("}");
  }

  float(value: number): void {
    if (!Number.isFinite(value)) this.texts.raw(`"${value}"`);
    else this.texts.raw(Object.is(value, -0) ? "-0" : String(value));
  }

  /** Seconds since the epoch and nanoseconds after them; digits finer than a microsecond are written where there are any. */
  instant(seconds: bigint, nanos: number): void {
    if (nanos > 999_999_999) return this.texts.raw(`{"seconds":${seconds},"nanoseconds":${nanos}}`);
    const ofDay = ((seconds % secondsPerDay) + secondsPerDay) % secondsPerDay;
    const day = dateText(Number((seconds - ofDay) / secondsPerDay));
    const digits = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
    this.texts.raw(`"${day}T${timeText(Number(ofDay) * 1e6)}${digits}Z"`);
  }

  /** A calendar day by its distance from 1970-01-01. */
  day(days: bigint): void {
    this.texts.raw(`"${dateText(Number(days))}"`);
  }
}

interface Children {
  readonly fields: readonly Field[];
  readonly keys: KeyTable;
}

function childrenOf(fields: readonly Field[]): Children {
  return { fields, keys: new KeyTable(fields.map(({ sourceName }) => sourceName)) };
}

const secondsPerDay = 86_400n;
