/** The types a column can have. `time` is stored in the lake as text `HH:MM:SS[.ffffff]`: Spark refuses tables with Iceberg's time. */
export type FieldType =
  | { readonly kind: "boolean" }
  | { readonly kind: "int" }
  | { readonly kind: "long" }
  | { readonly kind: "float" }
  | { readonly kind: "double" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "date" }
  | { readonly kind: "time" }
  /** Since the epoch, in whole `unit`s; `zoned`: an instant in UTC (Iceberg timestamptz), else a local wall-clock time. Nanoseconds reach from 1677 to 2262. */
  | { readonly kind: "timestamp"; readonly zoned: boolean; readonly unit: "micros" | "nanos" }
  | { readonly kind: "string" }
  | { readonly kind: "binary" }
  /** The 128 bits of a UUID (RFC 9562), most significant byte first: the case of its text is not kept. */
  | { readonly kind: "uuid" }
  /** Any JSON value, kept as its exact source text. */
  | { readonly kind: "json" }
  | { readonly kind: "struct"; readonly fields: readonly Field[] }
  | { readonly kind: "list"; readonly element: Field }
  | { readonly kind: "map"; readonly value: Field };

/** One column of a contract. */
export interface Field {
  /** The name in the lake (an ODCS property's `name`). */
  readonly name: string;
  /** The key in the source record (ODCS `physicalName` if given, else `name`). */
  readonly sourceName: string;
  /** Dotted path from the root, list elements as `[]`: `order.items[].price`. Unique in a contract. */
  readonly path: string;
  readonly type: FieldType;
  readonly required: boolean;
  readonly doc: string | null;
  /** The contract's classification; any value but null or "public" masks observed values. */
  readonly classification: string | null;
  /** How text becomes the value where several ways exist (ODCS `logicalTypeOptions.format` of dates and times); null: ISO 8601. */
  readonly format: string | null;
}

/** Whether observed values of this field must not leave the quarantine table (events, logs, alerts, terminal). */
export function isMasked(field: Field): boolean {
  return field.classification !== null && field.classification !== "public";
}

/** Paths of all fields, nested ones included, whose values must not leave the quarantine table; what lies inside a masked field is masked. */
export function maskedPaths(fields: readonly Field[], outer = false): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const field of fields) {
    const masked = outer || isMasked(field);
    if (masked) paths.add(field.path);
    const { type } = field;
    const inner = type.kind === "struct" ? type.fields : type.kind === "list" ? [type.element] : type.kind === "map" ? [type.value] : [];
    for (const path of maskedPaths(inner, masked)) paths.add(path);
  }
  return paths;
}
