import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import type { Field } from "../../core/schema.ts";
import { Storage } from "../column-builder.ts";

/** Bits of a timestamp column's `scale`: what its texts may have. */
export const momentParts = { zone: 1, nanos: 2 } as const;

/** Bytes of the record that describes one column to the emitted code, in the arena: each a u32 but the last. */
export const columnRecord = {
  kind: 0,
  state: 4,
  values: 8,
  /** `exact` of integers, `unscaled` of decimals. */
  exact: 12,
  starts: 16,
  lengths: 20,
  /** One more than the row's first element, so that a row writes its end at its own index. */
  ends: 24,
  id: 28,
  /** Open levels around the column's value. */
  depth: 32,
  /** Columns that one element takes, for bounding what a record makes us write. */
  width: 36,
  element: 40,
  keys: 44,
  /** Address of the count of elements so far. */
  counter: 48,
  /** Rows that fit the column. */
  capacity: 52,
  precision: 56,
  scale: 60,
  /** Records of an object's fields, one after the other. */
  children: 64,
  childCount: 68,
  slots: 72,
  slotMask: 76,
  keyText: 80,
  keyLength: 84,
  /** The object instance that had this field last. */
  stamp: 88,
  /** The key's first 16 bytes, zeros behind a shorter one. */
  keyHead: 96,
  size: 112,
} as const;

/** Kind of the columns whose text the host reads with the field's own format. */
export const formattedKind = 16;

/** A column as the emitted code, the tables and the host know it. */
export interface ColumnPlace {
  readonly field: Field;
  /** Null: the record's root, which is no column. */
  readonly layout: ColumnLayout | null;
  readonly kind: number;
  /** Address of its record. */
  readonly address: number;
  readonly id: number;
  readonly depth: number;
  readonly width: number;
  readonly children: readonly ColumnPlace[];
  readonly element: ColumnPlace | null;
  readonly keys: ColumnPlace | null;
  /** Address of the element count, 0 where there is none. */
  readonly counter: number;
  /** Spans of the text of a column with a format; 0 for others. */
  readonly spans: { readonly starts: number; readonly lengths: number };
}

const encoder = new TextEncoder();
const hashMultiplier = 0x9e37_79b9_7f4a_7c15n;
const wordMask = 0xffff_ffff_ffff_ffffn;

/** Multiplier and shifts of `keyHash`, for the emitted code that computes it too. */
export const keyHashing = { multiplier: hashMultiplier, rotate: 29, shift: 40 } as const;

/** Hash of a key: its first and last eight bytes and its length. */
function keyHash(key: Uint8Array): number {
  const view = new DataView(new ArrayBuffer(8));
  key.subarray(0, 8).forEach((byte, i) => view.setUint8(i, byte));
  const first = view.getBigUint64(0, true);
  let last = 0n;
  if (key.length >= 8) last = new DataView(key.buffer, key.byteOffset + key.length - 8, 8).getBigUint64(0, true);
  const turned = ((last << BigInt(keyHashing.rotate)) | (last >> BigInt(64 - keyHashing.rotate))) & wordMask;
  return Number(((((first ^ turned) + BigInt(key.length)) * hashMultiplier) & wordMask) >> BigInt(keyHashing.shift));
}

/** Writes the records of a contract's columns into an arena. */
export class ColumnRecords {
  readonly places: ColumnPlace[] = [];
  readonly root: ColumnPlace;
  readonly #arena: Arena;
  /** Addresses of the element counts, in the order of `lists`. */
  readonly #counters: number;
  #listCount = 0;

  /** `keyed`: the top-level column that the record's key fills, which no field of the value does. */
  constructor(layouts: readonly ColumnLayout[], arena: Arena, counters: number, keyed: string | null) {
    this.#arena = arena;
    this.#counters = counters;
    this.root = this.#placeAll([null], 0, keyed, layouts)[0] as ColumnPlace;
  }

  /** Places columns whose records stand side by side. */
  #placeAll(layouts: readonly (ColumnLayout | null)[], depth: number, keyed: string | null, root?: readonly ColumnLayout[]): ColumnPlace[] {
    const first = this.#arena.allocate(layouts.length * columnRecord.size);
    return layouts.map((layout, i) => {
      const address = first + i * columnRecord.size;
      return this.#place(layout, address, depth, layout?.children ?? root ?? [], keyed);
    });
  }

  #place(layout: ColumnLayout | null, address: number, depth: number, inner: readonly ColumnLayout[], keyed: string | null): ColumnPlace {
    const nested = (one: ColumnLayout | null): ColumnPlace | null =>
      one === null ? null : (this.#placeAll([one], depth + 1, null)[0] as ColumnPlace);
    const children = this.#placeAll(inner, depth + 1, null);
    const field = layout === null ? rootField : layout.field;
    const formatted = isFormatted(field);
    const inside = { element: nested(layout?.element ?? null), keys: nested(layout?.keys ?? null) };
    const place: ColumnPlace = {
      field,
      layout,
      kind: formatted ? formattedKind : Storage[field.type.kind],
      address,
      id: this.places.length,
      depth,
      width: 1 + children.reduce((sum, child) => sum + child.width, 0),
      children,
      ...inside,
      counter: inside.element === null ? 0 : this.#counters + 4 * this.#listCount++,
      spans: formatted && layout !== null ? this.#spans(layout.capacity) : { starts: 0, lengths: 0 },
    };
    this.places.push(place);
    this.#write(place, keyed);
    return place;
  }

  #spans(capacity: number): { starts: number; lengths: number } {
    return { starts: this.#arena.allocate(capacity * 4 + 16), lengths: this.#arena.allocate(capacity * 4 + 16) };
  }

  /** How many lists and maps there are. */
  get lists(): number {
    return this.#listCount;
  }

  #write(place: ColumnPlace, keyed: string | null): void {
    const { layout, field, children } = place;
    const { type } = field;
    const slots = children.length === 0 && type.kind !== "struct" ? null : this.#slots(children, keyed);
    const set = (offset: number, value: number): void => {
      this.#arena.u32(place.address + offset, 1)[0] = value;
    };
    set(columnRecord.kind, place.kind);
    set(columnRecord.depth, place.depth);
    set(columnRecord.width, place.width);
    set(columnRecord.id, place.id);
    set(columnRecord.counter, place.counter);
    set(columnRecord.element, place.element?.address ?? 0);
    set(columnRecord.keys, place.keys?.address ?? 0);
    if (layout !== null) {
      set(columnRecord.state, layout.state);
      set(columnRecord.values, layout.values);
      set(columnRecord.exact, layout.kind === "decimal" ? layout.unscaled : layout.exact);
      set(columnRecord.starts, place.spans.starts === 0 ? layout.starts : place.spans.starts);
      set(columnRecord.lengths, place.spans.starts === 0 ? layout.lengths : place.spans.lengths);
      set(columnRecord.ends, layout.offsets === 0 ? 0 : layout.offsets + 4);
      set(columnRecord.capacity, layout.capacity);
    }
    if (type.kind === "decimal") {
      set(columnRecord.precision, type.precision);
      set(columnRecord.scale, type.scale);
    }
    if (type.kind === "timestamp") set(columnRecord.scale, partsOf(type));
    if (slots !== null) {
      set(columnRecord.children, children[0]?.address ?? 0);
      set(columnRecord.childCount, children.length);
      set(columnRecord.slots, slots.address);
      set(columnRecord.slotMask, slots.mask);
    }
  }

  /** An open hash table of the fields' keys: each slot the address of a field's record, or 0. */
  #slots(children: readonly ColumnPlace[], keyed: string | null): { address: number; mask: number } {
    let size = 8;
    while (size < children.length * 4) size *= 2;
    const table = new Uint32Array(size);
    for (const child of children) {
      if (keyed !== null && child.field.name === keyed) continue;
      const key = encoder.encode(child.field.sourceName);
      const text = this.#arena.allocate(key.length + 16, 8);
      this.#arena.bytes(text, key.length).set(key);
      this.#arena.u32(child.address + columnRecord.keyText, 1)[0] = text;
      this.#arena.bytes(child.address + columnRecord.keyHead, 16).set(key.subarray(0, 16));
      this.#arena.u32(child.address + columnRecord.keyLength, 1)[0] = key.length;
      let slot = keyHash(key) & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = child.address;
    }
    const address = this.#arena.allocate(size * 4);
    this.#arena.u32(address, size).set(table);
    return { address, mask: size - 1 };
  }
}

/** What a timestamp's text may have: a local time takes no offset. */
function partsOf({ zoned, unit }: Extract<Field["type"], { readonly kind: "timestamp" }>): number {
  return (zoned ? momentParts.zone : 0) | (unit === "nanos" ? momentParts.nanos : 0);
}

/** Writes a record that says of a column of dates or times what `emitMoment`'s function needs; answers its address. */
export function placeMoment({ field: { type }, values, exact }: ColumnLayout, arena: Arena): number {
  const address = arena.allocate(columnRecord.size);
  const words = arena.u32(address, columnRecord.size / 4);
  words[columnRecord.kind / 4] = Storage[type.kind];
  words[columnRecord.values / 4] = values;
  words[columnRecord.exact / 4] = exact;
  words[columnRecord.scale / 4] = type.kind === "timestamp" ? partsOf(type) : 0;
  return address;
}

const rootField: Field = {
  name: "",
  sourceName: "",
  path: "",
  type: { kind: "struct", fields: [] },
  required: true,
  doc: null,
  classification: null,
  format: null,
};

/** Whether a field's text is read by a format of its own. */
function isFormatted({ type, format }: Field): boolean {
  return format !== null && (type.kind === "date" || type.kind === "time" || type.kind === "timestamp");
}
