import type { SourceLocation } from "../core/errors.ts";

/** A YAML scalar; `text` is its source where it is a number, so that nothing is lost to a double. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly text: string;
  readonly at: SourceLocation;
  /** The place of a character of a text, by its index in the value; absent for numbers and the like. */
  readonly within?: (offset: number) => SourceLocation;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  /** Items that were left out because their structure is wrong, as they stood. */
  readonly lost?: readonly Node[];
  readonly at: SourceLocation;
}

export interface Entry {
  readonly key: string;
  /** Where the key stands. */
  readonly at: SourceLocation;
  readonly value: Node;
}

export interface ObjectNode {
  readonly kind: "object";
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: SourceLocation;
}

/** A parsed value with its place in the file. Aliases are expanded. */
export type Node = ScalarNode | ListNode | ObjectNode;

/** The value under a key, or null where the node is no object or has no such key. */
export function child(node: Node | null, key: string): Node | null {
  return node?.kind === "object" ? (node.entries.get(key)?.value ?? null) : null;
}

/** The items of a list under a key; none where there is no list. */
export function items(node: Node | null, key: string): readonly Node[] {
  const list = child(node, key);
  return list?.kind === "list" ? list.items : [];
}

/** The items that a list under a key lost because their structure is wrong. */
export function lostItems(node: Node | null, key: string): readonly Node[] {
  const list = child(node, key);
  return list?.kind === "list" ? (list.lost ?? []) : [];
}

/** The text under a key, or null where there is none or it is no text. */
export function textAt(node: Node | null, key: string): string | null {
  const value = child(node, key);
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : null;
}

/** The finite number under a key, or null. */
export function numberAt(node: Node | null, key: string): number | null {
  const value = child(node, key);
  return value?.kind === "scalar" && typeof value.value === "number" && Number.isFinite(value.value) ? value.value : null;
}

/** The boolean under a key, or null. */
export function booleanAt(node: Node | null, key: string): boolean | null {
  const value = child(node, key);
  return value?.kind === "scalar" && typeof value.value === "boolean" ? value.value : null;
}

/** The place of a key, else of the node itself. */
export function placeOf(node: Node, key?: string): SourceLocation {
  if (key === undefined || node.kind !== "object") return node.at;
  return node.entries.get(key)?.at ?? node.at;
}

/** An object without keys at the place of another node. */
export function emptyNode(node: Node): ObjectNode {
  return { kind: "object", entries: new Map(), at: node.at };
}

/** The node as plain JavaScript values; numbers become doubles. */
export function toPlain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toPlain);
  const out: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    // A plain assignment to __proto__ would set the prototype instead.
    Object.defineProperty(out, key, { value: toPlain(entry.value), enumerable: true, configurable: true, writable: true });
  }
  return out;
}
