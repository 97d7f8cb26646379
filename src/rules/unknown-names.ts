import type { Batch } from "../core/batch.ts";
import { Cell } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { spanText } from "./text-check.ts";

function childrenOf(field: Field): readonly Field[] {
  const { type } = field;
  return type.kind === "struct" ? type.fields : [];
}

function collect(value: Record<string, unknown>, fields: readonly Field[], under: string, into: Set<string>): void {
  for (const [name, inner] of Object.entries(value)) {
    const field = fields.find(({ sourceName }) => sourceName === name);
    if (field === undefined) into.add(under === "" ? name : `${under}.${name}`);
    else collectInside(inner, field, into);
  }
}

/** What is kept of a known field is what it holds that is unknown; of lists and maps by index or key. */
function collectInside(value: unknown, field: Field, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  const { type } = field;
  const inner = type.kind === "list" ? type.element : type.kind === "map" ? type.value : null;
  if (inner === null) collect(value as Record<string, unknown>, childrenOf(field), field.path, into);
  else for (const each of Object.values(value)) collectInside(each, inner, into);
}

/** Paths of the fields of a row that the contract does not name (`extra`, `order.note`), each once; none where the contract does not keep them. */
export function unknownNames(batch: Batch, row: number, fields: readonly Field[]): ReadonlySet<string> {
  const names = new Set<string>();
  const { unknown } = batch;
  if (unknown?.kind !== "bytes" || unknown.state[row] !== Cell.value) return names;
  const start = unknown.starts[row] as number;
  const text = spanText(unknown.bytes, start, start + (unknown.lengths[row] as number));
  collect(JSON.parse(text) as Record<string, unknown>, fields, "", names);
  return names;
}
