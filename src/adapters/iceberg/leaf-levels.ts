import type { SchemaElement } from "hyparquet";
import { SluiceError } from "../../core/errors.ts";
import type { PhysicalValue } from "./initial-default.ts";
import { initialDefault } from "./initial-default.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../../core/table-schema.ts";

/** How one step of a leaf's path repeats. */
export type Step = "required" | "optional" | "repeated";

/** A leaf of a table's schema: the steps from the root to it, with the field ids of those that have one. */
export interface LeafPath {
  readonly id: number;
  readonly type: string;
  readonly steps: readonly { readonly step: Step; readonly id: number | null }[];
  /** What rows have whose file is without the leaf; null: nothing. Of leaves at the top. */
  readonly absent: PhysicalValue | null;
}

/** The leaves of a table's schema in the order that files have them. */
export function leafPaths(schema: IcebergSchema): LeafPath[] {
  const leaves: LeafPath[] = [];
  const defaults = new Map(schema.fields.map((field) => [field.id, initialDefault(field)]));
  const walk = (field: Pick<IcebergField, "id" | "required" | "type">, above: LeafPath["steps"]): void => {
    const steps = [...above, { step: field.required ? ("required" as const) : ("optional" as const), id: field.id }];
    const { type } = field;
    if (typeof type === "string")
      leaves.push({ id: field.id, type, steps, absent: above.length > 0 ? null : (defaults.get(field.id) ?? null) });
    else for (const child of childrenOf(type)) walk(child.field, child.isRepeated ? [...steps, { step: "repeated", id: null }] : steps);
  };
  for (const field of schema.fields) walk(field, []);
  return leaves;
}

function childrenOf(type: Exclude<IcebergType, string>): { field: Pick<IcebergField, "id" | "required" | "type">; isRepeated: boolean }[] {
  if (type.type === "struct") return type.fields.map((field) => ({ field, isRepeated: false }));
  if (type.type === "list") {
    return [{ field: { id: type["element-id"], required: type["element-required"], type: type.element }, isRepeated: true }];
  }
  return [
    { field: { id: type["key-id"], required: true, type: type.key }, isRepeated: true },
    { field: { id: type["value-id"], required: type["value-required"], type: type.value }, isRepeated: true },
  ];
}

/** The steps of a leaf in a file, from the elements on its path below the root. */
export function stepsOfFile(path: readonly SchemaElement[]): LeafPath["steps"] {
  return path.map((element) => ({
    step: element.repetition_type === "REPEATED" ? "repeated" : element.repetition_type === "OPTIONAL" ? "optional" : "required",
    id: element.field_id ?? null,
  }));
}

/** The definition level of a value that is there. */
export function definitionMax(steps: LeafPath["steps"]): number {
  return steps.filter(({ step }) => step !== "required").length;
}

/** The highest repetition level: lists and maps on the path. */
export function repetitionMax(steps: LeafPath["steps"]): number {
  return steps.filter(({ step }) => step === "repeated").length;
}

/**
 * Definition levels of a leaf as the table's schema counts them, by those that the file counts: a field that was required when the file was written may
 * be optional now. -1: a level that the table has no place for. Throws TABLE_UNSUPPORTED where the two are of different shapes.
 */
export function levelMap(file: LeafPath["steps"], table: LeafPath["steps"], column: string): Int8Array {
  if (file.length !== table.length) throw shape(column);
  const map = new Int8Array(definitionMax(file) + 1).fill(-1);
  map[0] = 0;
  let fileLevel = 0;
  let tableLevel = 0;
  for (const [i, { step }] of file.entries()) {
    const wanted = (table[i] as LeafPath["steps"][number]).step;
    if ((step === "repeated") !== (wanted === "repeated")) throw shape(column);
    // Null in the file, and required now: whoever has such a row sees it fail, not turn into something else.
    if (step === "optional" && wanted === "required") map[fileLevel] = -1;
    if (step !== "required") fileLevel++;
    if (wanted !== "required") tableLevel++;
    map[fileLevel] = tableLevel;
  }
  return map;
}

function shape(column: string): SluiceError {
  return new SluiceError("TABLE_UNSUPPORTED", `column ${column} of a data file is built otherwise than the table's`);
}
