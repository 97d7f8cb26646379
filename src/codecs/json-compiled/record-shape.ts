import type { Policies } from "../../core/contract.ts";
import { JsonReader, maxDepth } from "../json-reader.ts";
import type { ColumnPlace } from "./column-records.ts";

/** How a producer writes one object: the text before each value, in its order, and the text after the last one. */
export interface ObjectShape {
  readonly steps: readonly ShapeStep[];
  /** From behind the last value to the object's end; the root's: to the record's end. */
  readonly close: Uint8Array;
}

export interface ShapeStep {
  /** From behind the value before: comma, key and colon, with their spaces. */
  readonly literal: Uint8Array;
  /** The key's text; no two steps of an object have the same. */
  readonly key: string;
  /** Null: a field that the contract doesn't name. */
  readonly place: ColumnPlace | null;
  /** Open levels around the value. */
  readonly depth: number;
  /** Some records lack the field. */
  readonly optional: boolean;
  /** The shape of a struct's object; null for other values. */
  readonly inner: ObjectShape | null;
}

/** Records of a sample that a shape is made of. */
const sampleMax = 64;
/** Literals beyond this are no layout worth having. */
const literalBytesMax = 1024;

interface Scan {
  readonly reader: JsonReader;
  readonly unknownFields: Policies["unknownFields"];
  /** Key text to place, by the object's place. */
  readonly fields: Map<ColumnPlace, Map<string, ColumnPlace>>;
}

/**
 * The shape that most records of a sample have; null where no shape fits a quarter of them. `root` is the record's place, `keyed` the column that no
 * field of the value fills.
 */
export function learnShape(
  records: readonly Uint8Array[],
  root: ColumnPlace,
  options: { readonly unknownFields: Policies["unknownFields"]; readonly keyed: string | null },
): ObjectShape | null {
  const scan: Scan = { reader: new JsonReader(), unknownFields: options.unknownFields, fields: new Map() };
  collectFields(root, options.keyed, scan.fields);
  const shapes: ObjectShape[] = [];
  for (const bytes of records.slice(0, sampleMax)) {
    const shape = shapeOf(bytes, root, scan);
    if (shape !== null) shapes.push(shape);
  }
  const sorted = shapes.toSorted((a, b) => b.steps.length - a.steps.length);
  let best: ObjectShape | null = null;
  let bestCount = 0;
  // Try a few of the longest as the beginning of a merged shape.
  for (let i = 0; i < sorted.length; i += Math.max(1, sorted.length >> 2)) {
    let merged = sorted[i] as ObjectShape;
    let count = 0;
    for (const shape of sorted) {
      const both = mergeShapes(merged, shape);
      if (both === null) continue;
      merged = both;
      count++;
    }
    if (count > bestCount) {
      best = merged;
      bestCount = count;
    }
    if (count === sorted.length) break;
  }
  return bestCount * 4 >= records.slice(0, sampleMax).length ? best : null;
}

function collectFields(place: ColumnPlace, keyed: string | null, fields: Scan["fields"]): void {
  if (place.layout !== null && place.field.type.kind !== "struct") return;
  fields.set(place, new Map(place.children.filter((child) => child.field.name !== keyed).map((child) => [child.field.sourceName, child])));
  for (const child of place.children) collectFields(child, null, fields);
}

/** The shape of one record; null where it is not a plain object, has a key twice, or an escape in a key. */
function shapeOf(bytes: Uint8Array, root: ColumnPlace, scan: Scan): ObjectShape | null {
  const { reader } = scan;
  reader.bytes = bytes;
  reader.end = bytes.length;
  const at = reader.space(0);
  if (bytes[at] !== 0x7b) return null;
  const object = objectShape(bytes, 0, at, root, scan);
  if (object === null || reader.space(object.after) !== bytes.length) return null;
  return { steps: object.shape.steps, close: bytes.slice(object.last) };
}

interface Found {
  readonly shape: ObjectShape;
  /** Behind the last value, and behind the object. */
  readonly last: number;
  readonly after: number;
}

/** The object whose brace is at `p`; its first literal begins at `from`. */
function objectShape(bytes: Uint8Array, from: number, p: number, place: ColumnPlace, scan: Scan): Found | null {
  const { reader } = scan;
  const steps: ShapeStep[] = [];
  const keys = new Set<string>();
  const fields = scan.fields.get(place);
  if (fields === undefined || place.depth >= maxDepth) return null;
  p = reader.space(p + 1);
  if (bytes[p] === 0x7d) return null;
  for (;;) {
    if (bytes[p] !== 0x22) return null;
    const key = p + 1;
    p = reader.string(key);
    if (p < 0 || reader.escaped) return null;
    const name = Buffer.from(bytes.subarray(key, p - 1)).toString();
    if (keys.has(name)) return null;
    keys.add(name);
    p = reader.colon(p);
    if (p < 0 || p - from > literalBytesMax) return null;
    const child = fields.get(name) ?? null;
    // Unknown fields of nested objects are kept under their path, by the reference.
    if (child === null && (scan.unknownFields === "reject" || (scan.unknownFields === "keep" && place.layout !== null))) return null;
    const literal = bytes.slice(from, p);
    const inner = child !== null && child.field.type.kind === "struct" && bytes[p] === 0x7b ? objectShape(bytes, p, p, child, scan) : null;
    p = inner === null ? reader.skip(p, place.depth + 1) : inner.after;
    if (p < 0) return null;
    steps.push({ literal, key: name, place: child, depth: place.depth + 1, optional: false, inner: inner?.shape ?? null });
    from = p;
    p = reader.space(p);
    if (bytes[p] === 0x7d) return { shape: { steps, close: bytes.slice(from, p + 1) }, last: from, after: p + 1 };
    if (bytes[p] !== 0x2c) return null;
    p = reader.space(p + 1);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Whether two shapes take the same records. */
export function sameShape(a: ObjectShape, b: ObjectShape): boolean {
  const same = (one: ShapeStep, two: ShapeStep): boolean =>
    one.optional === two.optional &&
    sameBytes(one.literal, two.literal) &&
    (one.inner === null || two.inner === null ? one.inner === two.inner : sameShape(one.inner, two.inner));
  return (
    a.steps.length === b.steps.length && sameBytes(a.close, b.close) && a.steps.every((step, i) => same(step, b.steps[i] as ShapeStep))
  );
}

/** Whether two steps take the same text before a value that is no object of its own shape. */
function sameStep(a: ShapeStep, b: ShapeStep): boolean {
  return a.inner === null && b.inner === null && sameBytes(a.literal, b.literal);
}

/** A shape that takes records of both; null where their order or spacing differs. Steps that one lacks become optional. */
function mergeShapes(a: ObjectShape, b: ObjectShape): ObjectShape | null {
  if (!sameBytes(a.close, b.close)) return null;
  if (a.steps.length === b.steps.length && a.steps.every((step, i) => sameStep(step, b.steps[i] as ShapeStep))) return a;
  const steps: ShapeStep[] = [];
  const keys = new Set(a.steps.map((step) => step.key));
  let i = 0;
  for (const step of b.steps) {
    let at = i;
    while (at < a.steps.length && !sameBytes((a.steps[at] as ShapeStep).literal, step.literal)) at++;
    if (at === a.steps.length) {
      // A field that `a` has elsewhere, or spaced otherwise; or one before the first, whose literal has the brace.
      if (keys.has(step.key) || steps.length === 0) return null;
      steps.push({ ...step, optional: true });
      continue;
    }
    for (; i < at; i++) steps.push({ ...(a.steps[i] as ShapeStep), optional: true });
    const one = a.steps[at] as ShapeStep;
    const inner = one.inner === null ? step.inner : step.inner === null ? one.inner : mergeShapes(one.inner, step.inner);
    if (one.inner !== null && step.inner !== null && inner === null) return null;
    steps.push({ ...one, optional: one.optional || step.optional, inner });
    i = at + 1;
  }
  for (; i < a.steps.length; i++) steps.push({ ...(a.steps[i] as ShapeStep), optional: true });
  return steps[0]?.optional === true ? null : { steps, close: a.close };
}
