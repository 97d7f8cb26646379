import { Cell, type Column, type DecodeFault } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { KeyPlan } from "../core/record-plan.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { Field } from "../core/schema.ts";
import { copyBatch } from "../wasm/copy-batch.ts";
import { bareContract, outerFields } from "./envelope/attributes.ts";
import type { ForeignColumns } from "./compose.ts";
import type { Decode, DecoderTools } from "./decoder.ts";
import { compileValues } from "./compile-values.ts";
import { decodeFaults } from "./faults.ts";
import { isWholeKey, wholeKey, wholeKeySchema } from "./whole-key.ts";
import { isUtf8 } from "./utf8.ts";
import { compileTexts, type RowTexts } from "./text/compile-texts.ts";
import type { JsonTexts } from "./text/json-texts.ts";
import { TextCells } from "./text/text-cell.ts";

/** The columns that come from the records' keys, and the records whose keys can't be read. */
export interface KeyColumns extends ForeignColumns {
  readonly faults: readonly DecodeFault[];
}

/** Decodes keys by their own format into the columns that the plan names; a null key leaves them null. */
export function compileKey(
  contract: Contract,
  plan: KeyPlan,
  tools: DecoderTools,
): (records: Records, schemas: ResolvedSchemas) => KeyColumns {
  const outer = outerFields(
    contract,
    plan.columns.map(({ column, path }) => ({ column, path: path.length === 0 ? [wholeKey] : path })),
  );
  const decode = compileKeyFormat(bareContract(contract, outer.fields), plan, tools);
  return (records, schemas) => {
    const keys = { ...records, valueStart: records.keyStart, valueLength: records.keyLength };
    const decoded = decode(keys, schemas);
    // The values are decoded next, perhaps into the same memory.
    const batch = decoded.resident === undefined || decoded.resident === null ? decoded : copyBatch(decoded);
    const faults = batch.faults.map(({ row, code, message }): DecodeFault => {
      return { row, code: "key.undecodable", message: `${decodeFaults["key.undecodable"]}: ${inner(code, message)}`, at: null };
    });
    const columns = outer.pick(batch.columns).map((column) => withNulls(column, records));
    return { columns, slab: (batch.payload ?? batch.records).bytes, faults };
  };
}

/** What a fault of the key says: its message speaks of a value, which here is the key. */
function inner(code: string, message: string): string {
  return `${message.replace(/^the value\b/, "the key")} [${code}]`;
}

function withNulls(column: Column, records: Records): Column {
  const state = column.state.slice();
  for (let row = 0; row < records.count; row++) if ((records.keyLength[row] as number) < 0) state[row] = Cell.null;
  return { ...column, state };
}

function compileKeyFormat(
  contract: Contract,
  { value }: KeyPlan,
  tools: DecoderTools,
): (records: Records, schemas: ResolvedSchemas) => ReturnType<Decode> {
  const isWhole = isWholeKey(contract.fields);
  switch (value.format) {
    case "text":
    case "int":
    case "long":
      return compileTexts(contract, (texts) => new PlainKeys(contract.fields[0] as Field, value.format, texts));
    case "avro":
      return compileValues(contract, isWhole ? { ...value, schema: wholeKeySchema(value.schema) } : value, "key", tools);
    default:
      return compileValues(contract, value, "key", isWhole ? { ...tools, json: wrapped } : tools);
  }
}

/** JSON keys that are one value. */
function wrapped(contract: Contract): Decode {
  return compileTexts(contract, (texts) => new WholeJson(texts));
}

class PlainKeys implements RowTexts {
  readonly #field: Field;
  readonly #format: "text" | "int" | "long";
  readonly #texts: JsonTexts;
  readonly #cells: TextCells;

  constructor(field: Field, format: "text" | "int" | "long", texts: JsonTexts) {
    this.#field = field;
    this.#format = format;
    this.#texts = texts;
    this.#cells = new TextCells(texts);
  }

  write(row: number, bytes: Uint8Array, start: number, end: number): void {
    const texts = this.#texts;
    texts.raw(`{"${wholeKey}":`);
    if (this.#format === "text") {
      if (!isUtf8(bytes, start, end)) return texts.fail(row, "json.utf8", null);
      this.#cells.write(this.#field, bytes, start, end);
    } else {
      const size = this.#format === "int" ? 4 : 8;
      if (end - start !== size) return texts.fail(row, "key.size", null, `${end - start} bytes, ${size} expected`);
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
      texts.raw(String(size === 4 ? view.getInt32(0) : view.getBigInt64(0)));
    }
    texts.raw("}");
    texts.end(row);
  }
}

/** JSON values of any kind, each wrapped into an object. */
class WholeJson implements RowTexts {
  readonly #texts: JsonTexts;
  readonly #cells: TextCells;

  constructor(texts: JsonTexts) {
    this.#texts = texts;
    this.#cells = new TextCells(texts);
  }

  write(row: number, bytes: Uint8Array, start: number, end: number): void {
    const texts = this.#texts;
    if (start === end) return texts.fail(row, "json.empty", null);
    // Text that is no whole value by itself could be one in its wrapping: `1,"other":2`.
    if (!this.#cells.isJson(bytes, start, end)) return texts.fail(row, "json.syntax", null);
    texts.raw(`{"${wholeKey}":`);
    texts.area.append(bytes, start, end);
    texts.raw("}");
    texts.end(row);
  }
}
