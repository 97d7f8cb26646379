import type { Column, ListColumn, StructColumn } from "../core/column.ts";
import type { IcebergField, IcebergSchema } from "../core/table-schema.ts";
import { type LeafType, leafTypeOf, PhysicalType } from "./leaf.ts";
import type { ThriftWriter } from "./thrift-writer.ts";

/** One column of values in the file. */
export interface Leaf {
  readonly type: LeafType;
  /** The Iceberg field id. */
  readonly id: number;
  /** Names from the root, Parquet's own groups included. */
  readonly path: readonly string[];
  /** Levels of a value that is there: one for every optional field, list and map above it and itself; of those, lists and maps. */
  readonly definitionMax: number;
  readonly repetitionMax: number;
}

interface NodeBase {
  readonly field: IcebergField;
  /** The level at which everything above is there; one more where an optional field itself is. */
  readonly level: number;
}

export interface LeafNode extends NodeBase {
  readonly kind: "leaf";
  readonly leaf: Leaf;
  /** Of the leaf in the file. */
  readonly index: number;
}

export interface StructNode extends NodeBase {
  readonly kind: "struct";
  /** With their places among the column's children. */
  readonly children: readonly { readonly node: SchemaNode; readonly index: number }[];
}

export interface ListNode extends NodeBase {
  readonly kind: "list";
  /** The repetition level of the elements. */
  readonly repetition: number;
  readonly element: SchemaNode;
  /** Of a map. */
  readonly keys: SchemaNode | null;
}

export type SchemaNode = LeafNode | StructNode | ListNode;

/** A file's columns: those of the table's fields that batches have a column for, in the table's order. */
export class FileSchema {
  readonly table: IcebergSchema;
  readonly nodes: readonly SchemaNode[];
  readonly leaves: readonly Leaf[];

  /** Throws where a column fits no field of the table, or a required field has no column. */
  constructor(table: IcebergSchema, columns: readonly Column[]) {
    this.table = table;
    const byName = new Map(columns.map((column) => [column.field.name, column]));
    const leaves: Leaf[] = [];
    this.nodes = table.fields.flatMap((field) => {
      const column = byName.get(field.name);
      byName.delete(field.name);
      if (column !== undefined) return [nodeOf(field, column, { level: 0, repetition: 0, path: [] }, leaves)];
      if (field.required) throw new Error(`the batches have no column for the required field ${field.name}`);
      return [];
    });
    for (const column of byName.values()) throw new Error(`the table has no column ${column.field.path}`);
    this.leaves = leaves;
  }

  /** The batch's columns in the order of `nodes`. Throws where they are others than the first batch's. */
  arrange(columns: readonly Column[]): Column[] {
    const byName = new Map(columns.map((column) => [column.field.name, column]));
    const arranged = this.nodes.map(({ field: { name } }) => {
      const column = byName.get(name);
      if (column === undefined) throw new Error(`some batches have a column ${name} and others don't: they are of different contracts`);
      return column;
    });
    const extra = columns.find((column) => !arranged.includes(column));
    if (extra !== undefined)
      throw new Error(`some batches have a column ${extra.field.name} and others don't: they are of different contracts`);
    return arranged;
  }

  /** Parquet's list of SchemaElements, in depth-first order (`parquet.thrift`). */
  write(into: ThriftWriter, id: number): void {
    const elements: (() => void)[] = [() => element(into, { repetition: null, name: "table", children: this.nodes.length })];
    for (const node of this.nodes) collectElements(into, node, elements);
    into.structs(id, elements, (write) => write());
  }
}

interface Above {
  readonly level: number;
  readonly repetition: number;
  readonly path: readonly string[];
}

function nodeOf(field: IcebergField, column: Column, above: Above, leaves: Leaf[]): SchemaNode {
  const { level } = above;
  const path = [...above.path, field.name];
  const present = field.required ? level : level + 1;
  if (column.kind === "struct") {
    const children = structFields(field, column).map(({ child, index }) => {
      const below = { level: present, repetition: above.repetition, path };
      return { node: nodeOf(child, column.children[index] as Column, below, leaves), index };
    });
    return { kind: "struct", field, level, children };
  }
  if (column.kind === "list") {
    const { key, value } = listFields(field, column);
    const repetition = above.repetition + 1;
    const below = { level: present + 1, repetition, path: [...path, key === null ? "list" : "key_value"] };
    const keys = key === null ? null : nodeOf(key, column.keys as Column, below, leaves);
    return { kind: "list", field, level, repetition, keys, element: nodeOf(value, column.element, below, leaves) };
  }
  if (typeof field.type !== "string") throw misfit(field, column);
  const leaf = { type: leafTypeOf(column.field.type), id: field.id, path, definitionMax: present, repetitionMax: above.repetition };
  return { kind: "leaf", field, level, leaf, index: leaves.push(leaf) - 1 };
}

function misfit(field: IcebergField, column: Column): Error {
  return new Error(`column ${column.field.path} does not fit the table's field ${field.name} (${JSON.stringify(field.type)})`);
}

/** A struct's children by name; table fields that the contract no longer names are not in the file. */
function structFields(field: IcebergField, column: StructColumn): { child: IcebergField; index: number }[] {
  const { type } = field;
  if (typeof type !== "object" || type.type !== "struct") throw misfit(field, column);
  const indexes = new Map(column.children.map((child, index) => [child.field.name, index]));
  const children = type.fields.flatMap((child) => {
    const index = indexes.get(child.name);
    return index === undefined ? [] : [{ child, index }];
  });
  if (children.length !== column.children.length) throw misfit(field, column);
  return children;
}

function listFields(field: IcebergField, column: ListColumn): { key: IcebergField | null; value: IcebergField } {
  const { type } = field;
  if (typeof type === "object" && type.type === "list" && column.keys === null) {
    return { key: null, value: { id: type["element-id"], name: "element", required: type["element-required"], type: type.element } };
  }
  if (typeof type === "object" && type.type === "map" && column.keys !== null) {
    const key = { id: type["key-id"], name: "key", required: true, type: type.key };
    return { key, value: { id: type["value-id"], name: "value", required: type["value-required"], type: type.value } };
  }
  throw misfit(field, column);
}

const Repetition = { required: 0, optional: 1, repeated: 2 } as const;
const Converted = { map: 1, list: 3 } as const;
const Logical = { map: 2, list: 3 } as const;

interface Element {
  readonly repetition: number | null;
  readonly name: string;
  readonly children: number;
  readonly converted?: number;
  readonly id?: number;
  readonly logical?: number;
}

function element(into: ThriftWriter, of: Element): void {
  if (of.repetition !== null) into.i32(3, of.repetition);
  into.binary(4, of.name);
  into.i32(5, of.children);
  if (of.converted !== undefined) into.i32(6, of.converted);
  if (of.id !== undefined) into.i32(9, of.id);
  const { logical } = of;
  if (logical !== undefined) into.struct(10, () => into.struct(logical, () => {}));
}

function collectElements(into: ThriftWriter, node: SchemaNode, elements: (() => void)[]): void {
  const { name, id } = node.field;
  const repetition = node.field.required ? Repetition.required : Repetition.optional;
  if (node.kind === "leaf") {
    const { type } = node.leaf;
    elements.push(() => {
      into.i32(1, type.physical);
      if (type.physical === PhysicalType.fixed) into.i32(2, type.width);
      into.i32(3, repetition);
      into.binary(4, name);
      type.annotate(into, id);
    });
  } else if (node.kind === "struct") {
    elements.push(() => element(into, { repetition, name, children: node.children.length, id }));
    for (const child of node.children) collectElements(into, child.node, elements);
  } else {
    const kind = node.keys === null ? "list" : "map";
    elements.push(() => element(into, { repetition, name, children: 1, id, converted: Converted[kind], logical: Logical[kind] }));
    const group = {
      repetition: Repetition.repeated,
      name: node.keys === null ? "list" : "key_value",
      children: node.keys === null ? 1 : 2,
    };
    elements.push(() => element(into, group));
    if (node.keys !== null) collectElements(into, node.keys, elements);
    collectElements(into, node.element, elements);
  }
}
