import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { CsvPlan } from "../../core/record-plan.ts";
import type { Records } from "../../core/records.ts";
import type { Field } from "../../core/schema.ts";
import { ByteArea } from "../byte-area.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { compileTexts, type RowTexts } from "../text/compile-texts.ts";
import { memberKey, type JsonTexts } from "../text/json-texts.ts";
import { TextCells } from "../text/text-cell.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** One CSV record (RFC 4180) a value, its cells by position. A line end behind it is allowed. */
export function compileCsv(contract: Contract, plan: CsvPlan): (records: Records) => Batch {
  return compileTexts(contract, (texts) => new CsvRows(contract.fields, plan, texts));
}

const unknownField = (name: string): Field => ({
  name,
  sourceName: name,
  path: name,
  type: { kind: "string" },
  required: false,
  doc: null,
  classification: null,
  format: null,
});

class CsvRows implements RowTexts {
  readonly #texts: JsonTexts;
  readonly #cells: TextCells;
  readonly #columns: readonly { readonly field: Field; readonly key: string }[];
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #nullToken: Uint8Array;
  /** A quoted cell without its doubled quotes. */
  readonly #unquoted = new ByteArea();

  constructor(fields: readonly Field[], plan: CsvPlan, texts: JsonTexts) {
    const byName = new Map(fields.map((field) => [field.sourceName, field]));
    this.#texts = texts;
    this.#cells = new TextCells(texts);
    this.#columns = plan.columns.map((name) => ({ field: byName.get(name) ?? unknownField(name), key: memberKey(name) }));
    this.#delimiter = plan.delimiter.charCodeAt(0);
    this.#quote = plan.quote.charCodeAt(0);
    this.#nullToken = Buffer.from(plan.nullToken, "utf8");
  }

  write(row: number, bytes: Uint8Array, start: number, end: number): void {
    const texts = this.#texts;
    const fail = (code: DecodeFaultCode, at: number, detail = ""): void => texts.fail(row, code, at - start, detail);
    if (start === end) return fail("csv.empty", start);
    texts.raw("{");
    let p = start;
    let cell = 0;
    for (;;) {
      const column = this.#columns[cell];
      if (column !== undefined) texts.raw(cell === 0 ? column.key : `,${column.key}`);
      let after: number;
      if (p < end && bytes[p] === this.#quote) {
        after = this.#quoted(column?.field ?? null, bytes, p + 1, end);
        if (after < 0) return fail("csv.truncated", end);
      } else {
        after = p;
        while (after < end && !this.#endsCell(bytes[after] as number)) {
          if (bytes[after] === this.#quote) return fail("csv.quote", after);
          after++;
        }
        if (column !== undefined) this.#plain(column.field, bytes, p, after);
      }
      cell++;
      p = after;
      if (p >= end || bytes[p] !== this.#delimiter) break;
      p++;
    }
    if (p < end) {
      const isLineEnd = bytes[p] === lineFeed || bytes[p] === carriageReturn;
      if (!isLineEnd) return fail("csv.quote", p);
      p += bytes[p] === carriageReturn && bytes[p + 1] === lineFeed && p + 1 < end ? 2 : 1;
      if (p < end) return fail("csv.several", p);
    }
    if (cell !== this.#columns.length) return texts.fail(row, "csv.cells", null, `${cell} cells, ${this.#columns.length} columns`);
    texts.raw("}");
    texts.end(row);
  }

  #endsCell(byte: number): boolean {
    return byte === this.#delimiter || byte === lineFeed || byte === carriageReturn;
  }

  #plain(field: Field, bytes: Uint8Array, start: number, end: number): void {
    const token = this.#nullToken;
    if (end - start === token.length && token.every((byte, i) => bytes[start + i] === byte)) this.#texts.raw("null");
    else this.#cells.write(field, bytes, start, end);
  }

  /** The cell whose opening quote stands before `p`; answers the position after its closing one, or -1. */
  #quoted(field: Field | null, bytes: Uint8Array, p: number, end: number): number {
    const cell = this.#unquoted;
    cell.length = 0;
    let from = p;
    for (;;) {
      const at = bytes.indexOf(this.#quote, p);
      if (at < 0 || at >= end) return -1;
      if (at + 1 < end && bytes[at + 1] === this.#quote) {
        cell.append(bytes, from, at + 1);
        from = p = at + 2;
        continue;
      }
      cell.append(bytes, from, at);
      if (field !== null) this.#cells.write(field, cell.bytes, 0, cell.length);
      return at + 1;
    }
  }
}
