import type { Contract } from "../../core/contract.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { columnRecord, ColumnRecords } from "./column-records.ts";
import { exactPowers, integerPowers, powersOfFive } from "./powers.ts";

/** Words that the emitted modules and the host share, by their offset from `DecoderMemory.cells`. */
export const cell = {
  /** Cells that list elements of the record may still take. */
  cellsLeft: 0,
  /** Number of the object instance begun last. */
  stamp: 4,
  /** First object instance of the record. */
  rowStamp: 8,
  /** Unknown keys noted of the record. */
  unknownKeys: 12,
  /** 1 where a record was given up because the chunk's columns are full. */
  full: 16,
  /** The straight-line layout that the last record had. */
  current: 20,
  /** Records that no straight-line layout took, and their rows. */
  misses: 24,
  missRows: 32,
  /** Records that each straight-line layout took. */
  hits: 32 + 4 * 64,
  /** From here on is what a record that is given up takes back. The end of the area's text: */
  area: 32 + 4 * 64 + 32,
  /** Invalid cells, and unknown fields to keep, noted since the host looked. */
  invalidCount: 32 + 4 * 64 + 36,
  keptCount: 32 + 4 * 64 + 40,
  /** The elements of each list. */
  elements: 32 + 4 * 64 + 44,
} as const;

/** Words of the rollback block before the lists'. */
export const fixedRollbackWords = 3;

/** Rows noted in `cell.missRows`. */
export const missRowsMax = 64;
/** Layouts that are tried. */
export const layoutsMax = 4;
/** Invalid cells that one run of the module can note, 16 bytes each: column, row, start, length and cause. */
export const invalidCellsMax = 8192;
/** Unknown fields that one run of the module can note to be kept, 20 bytes each: row, span of the key with its quotes, span of the value. */
export const keptFieldsMax = 8192;
/** Slots of the table of a record's unknown keys, 16 bytes each: stamp, start, length. */
export const unknownSlots = 4096;

/** Everything of one decoder that stands in the arena beside the batch layout. */
export interface DecoderMemory {
  readonly layout: BatchLayout;
  readonly records: ColumnRecords;
  readonly cells: number;
  /** Words of the rollback block. */
  readonly rollbackWords: number;
  /** Where the rollback block is kept while a record is decoded. */
  readonly mark: number;
  readonly invalid: number;
  readonly kept: number;
  readonly unknown: number;
  /** Levels of a value that is skipped, one byte each. */
  readonly levels: number;
  /** 256 bytes each: what an escape's letter means, a hex digit's or base64 letter's value. */
  readonly escapes: number;
  readonly hex: number;
  readonly base64: number;
  readonly integerPowers: number;
  readonly exactPowers: number;
  readonly fives: number;
}

/** Takes room in the arena for a decoder of a contract, and fills its tables. */
export function placeDecoder(contract: Contract, layout: BatchLayout, arena: Arena): DecoderMemory {
  const { key } = contract.policies;
  const lists = countLists(layout.columns);
  const cells = arena.allocate(cell.elements + lists * 4 + 16);
  const records = new ColumnRecords(layout.columns, arena, cells + cell.elements, key.action === "column" ? key.name : null);
  const table = (bytes: Uint8Array): number => {
    const address = arena.allocate(bytes.length + 16);
    arena.bytes(address, bytes.length).set(bytes);
    return address;
  };
  const words = (of: { readonly buffer: ArrayBufferLike }): number => table(new Uint8Array(of.buffer));
  return {
    layout,
    records,
    cells,
    rollbackWords: fixedRollbackWords + lists,
    mark: arena.allocate((fixedRollbackWords + lists) * 4 + 16),
    invalid: arena.allocate(invalidCellsMax * 16),
    kept: contract.policies.unknownFields === "keep" ? arena.allocate(keptFieldsMax * 20) : 0,
    unknown: arena.allocate(unknownSlots * 16),
    levels: arena.allocate(256),
    escapes: table(escapeTable()),
    hex: table(digitTable("0123456789abcdef", "0123456789ABCDEF")),
    base64: table(digitTable("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")),
    integerPowers: words(integerPowers()),
    exactPowers: words(exactPowers()),
    fives: words(powersOfFive()),
  };
}

/** Makes the fields of all objects unseen, and lets the objects' numbers begin anew. */
export function forgetStamps({ records, cells, unknown }: DecoderMemory, arena: Arena): void {
  for (const place of records.places) arena.u32(place.address + columnRecord.stamp, 1)[0] = 0;
  arena.u32(cells + cell.stamp, 1)[0] = 0;
  arena.bytes(unknown, unknownSlots * 16).fill(0);
}

function countLists(columns: BatchLayout["columns"]): number {
  let count = 0;
  for (const column of columns) {
    if (column.element !== null) count += 1 + countLists([column.element]);
    count += countLists(column.children);
  }
  return count;
}

/** 0 where the letter is no escape; `u` is not in it. */
function escapeTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const [letter, byte] of Object.entries({ '"': 0x22, "\\": 0x5c, "/": 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }))
    table[letter.charCodeAt(0)] = byte;
  return table;
}

/** Each letter's place in the alphabets; 0x80 for others. */
function digitTable(...alphabets: readonly string[]): Uint8Array {
  const table = new Uint8Array(256).fill(0x80);
  for (const letters of alphabets) for (const [i, letter] of Array.from(letters).entries()) table[letter.charCodeAt(0)] = i;
  return table;
}
