import { SluiceError } from "../../core/errors.ts";
import { parseTransform, transformFault } from "../../core/partition-transform.ts";
import type { TablePlan } from "../../core/table-plan.ts";
import type { FileLayout, PartitionField, PartitionSpec, SortField, SortOrder } from "../../core/table-layout.ts";
import type { IcebergField, IcebergSchema } from "../../core/table-schema.ts";
import { fieldAt, fieldWithId } from "../../core/table-schema.ts";
import { lastPartitionIdMin } from "./metadata-parts.ts";
import type { Update } from "./metadata-update.ts";
import { isWritable } from "./partition-record.ts";
import type { TableMetadata } from "./table-metadata.ts";
import { currentSchema } from "./table-metadata.ts";

/** Ids of the fields that any file of a table may be partitioned by, and that its rows are sorted by now. */
export function layoutSources(metadata: TableMetadata): ReadonlySet<number> {
  const sorted = metadata["sort-orders"].find((order) => order["order-id"] === metadata["default-sort-order-id"]);
  const fields = [...metadata["partition-specs"].flatMap((spec) => spec.fields), ...(sorted?.fields ?? [])];
  return new Set(fields.map((field) => field["source-id"]));
}

/**
 * How a table's next files are laid out. What another program chose and is not written here is left to it: files go unpartitioned and unsorted then.
 * Throws TABLE_UNSUPPORTED where the table has no spec for that.
 */
export function fileLayoutOf(metadata: TableMetadata): FileLayout {
  const specs = metadata["partition-specs"];
  const plain = specs.find((each) => each.fields.length === 0) ?? null;
  const chosen = specs.find((each) => each["spec-id"] === metadata["default-spec-id"]);
  const spec = chosen !== undefined && isSupported(metadata, chosen) ? chosen : plain;
  if (spec === null)
    throw new SluiceError("TABLE_UNSUPPORTED", `partition spec ${metadata["default-spec-id"]} of the table is not written by Sluice`);
  const order = metadata["sort-orders"].find((each) => each["order-id"] === metadata["default-sort-order-id"]);
  const isSorted = order?.fields.every((field) => field.transform === "identity") === true;
  return { spec, sortOrder: isSorted ? order : { "order-id": 0, fields: [] }, unpartitionedSpecId: plain?.["spec-id"] ?? null };
}

function isSupported(metadata: TableMetadata, spec: PartitionSpec): boolean {
  const { fields } = currentSchema(metadata);
  return spec.fields.every((field) => {
    const transform = parseTransform(field.transform);
    const source = fieldWithId(fields, field["source-id"]);
    if (transform === null) return false;
    // A column that is gone is null in new rows, and so is what is made of it; manifests need its type all the same.
    if (source === null) return isWritable(metadata, spec["spec-id"]);
    return typeof source.type === "string" && transformFault(transform, source.type) === null;
  });
}

/** What gives a table the layout that a contract plans for the columns of a schema; none where it has it. Files that are written keep theirs. */
export function layoutUpdates(metadata: TableMetadata, plan: TablePlan | undefined, schema: IcebergSchema): Update[] {
  return [...specUpdates(metadata, plan, schema), ...orderUpdates(metadata, plan, schema)];
}

function sourceOf(schema: IcebergSchema, path: string): IcebergField {
  const field = fieldAt(schema.fields, path);
  if (field === null) throw new Error(`bug: the table has no column ${path} to be laid out by`);
  return field;
}

function specUpdates(metadata: TableMetadata, plan: TablePlan | undefined, schema: IcebergSchema): Update[] {
  const wanted = plan?.partitionBy ?? null;
  if (wanted === null) return [];
  const specs = metadata["partition-specs"];
  const known = specs.flatMap((spec) => spec.fields);
  let last = Math.max(lastPartitionIdMin, metadata["last-partition-id"]);
  const names = new Set<string>();
  const fields = wanted.map(({ column, transform }): PartitionField => {
    const source = sourceOf(schema, column).id;
    // A part that an earlier spec had keeps its id: so says the specification of v2 tables.
    const before = known.find((field) => field["source-id"] === source && field.transform === transform);
    const id = before?.["field-id"] ?? ++last;
    return { "source-id": source, "field-id": id, name: freeName(schema, { column, transform, source }, names), transform };
  });
  const same = specs.find((spec) => isSameSpec(spec, fields));
  if (same?.["spec-id"] === metadata["default-spec-id"]) return [];
  if (same !== undefined) return [{ action: "set-default-spec", "spec-id": same["spec-id"] }];
  const spec: PartitionSpec = { "spec-id": Math.max(...specs.map((each) => each["spec-id"])) + 1, fields };
  return [
    { action: "add-spec", spec },
    { action: "set-default-spec", "spec-id": -1 },
  ];
}

function isSameSpec(spec: PartitionSpec, fields: readonly PartitionField[]): boolean {
  const text = (parts: readonly PartitionField[]): string => parts.map((part) => `${part["source-id"]} ${part.transform}`).join(", ");
  return text(spec.fields) === text(fields);
}

const suffixes: Readonly<Record<string, string>> = {
  year: "_year",
  month: "_month",
  day: "_day",
  hour: "_hour",
  bucket: "_bucket",
  truncate: "_trunc",
};

/** A partition's name as Iceberg's own writers make it, of letters that any format takes; one that another column has can't be used. */
function freeName(
  schema: IcebergSchema,
  { column, transform, source }: { readonly column: string; readonly transform: string; readonly source: number },
  taken: Set<string>,
): string {
  const plain = column.replaceAll(/[^A-Za-z0-9_]/g, "_");
  const base = `${/^[0-9]/.test(plain) ? "_" : ""}${plain}${suffixes[transform.replace(/\[.*$/, "")] ?? ""}`;
  const isTaken = (name: string): boolean => {
    const other = fieldAt(schema.fields, name);
    return taken.has(name) || (other !== null && !(transform === "identity" && other.id === source));
  };
  let name = base;
  for (let i = 2; isTaken(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}

function orderUpdates(metadata: TableMetadata, plan: TablePlan | undefined, schema: IcebergSchema): Update[] {
  const wanted = plan?.sortBy ?? null;
  if (wanted === null) return [];
  const orders = metadata["sort-orders"];
  const fields = wanted.map(({ column, direction, nulls }): SortField => {
    return { transform: "identity", "source-id": sourceOf(schema, column).id, direction, "null-order": `nulls-${nulls}` };
  });
  const same = orders.find((order) => JSON.stringify(order.fields.map(plainSort)) === JSON.stringify(fields.map(plainSort)));
  if (same?.["order-id"] === metadata["default-sort-order-id"]) return [];
  if (same !== undefined) return [{ action: "set-default-sort-order", "sort-order-id": same["order-id"] }];
  const order: SortOrder = { "order-id": Math.max(0, ...orders.map((each) => each["order-id"])) + 1, fields };
  // Order 0 is the one without fields, and only that.
  if (fields.length === 0)
    return [
      { action: "add-sort-order", "sort-order": { ...order, "order-id": 0 } },
      { action: "set-default-sort-order", "sort-order-id": 0 },
    ];
  return [
    { action: "add-sort-order", "sort-order": order },
    { action: "set-default-sort-order", "sort-order-id": -1 },
  ];
}

function plainSort(field: SortField): unknown {
  return [field.transform, field["source-id"], field.direction, field["null-order"]];
}
