/** A JSON Schema object, as far as the configuration uses it. */
export interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  /** A path, relative to the configuration's folder. */
  readonly "x-path"?: boolean;
  /** A secret: may only come from the environment. */
  readonly "x-secret"?: boolean;
}

/** Follows a node's `$ref` into the document's `$defs`; keeps the description that stands beside it. */
export function dereference(root: SchemaNode, node: SchemaNode): SchemaNode {
  if (node.$ref === undefined) return node;
  const target = root.$defs?.[node.$ref.replace("#/$defs/", "")];
  if (target === undefined) throw new Error(`schema has no ${node.$ref}`);
  return target;
}

/** The branches of a node that is told apart by its `kind`; none for any other node. */
export function branches(root: SchemaNode, node: SchemaNode): readonly SchemaNode[] {
  if (node.oneOf === undefined || node.properties !== undefined) return [];
  return node.oneOf.map((one) => dereference(root, one));
}

/** Calls `visit` for each value below `value` with the schema that describes it; values without a schema are left out. */
export function visitAnnotated(
  root: SchemaNode,
  value: unknown,
  visit: (at: { readonly schema: SchemaNode; readonly value: unknown; readonly pointer: string; replace(next: unknown): void }) => void,
): void {
  const step = (unresolved: SchemaNode, current: unknown, pointer: string, replace: (next: unknown) => void): void => {
    const schema = dereference(root, unresolved);
    const kinds = branches(root, schema);
    if (kinds.length > 0) {
      const kind = (current as { readonly kind?: unknown } | null)?.kind;
      const branch = kinds.find((one) => one.properties?.["kind"]?.const === kind);
      if (branch !== undefined) step(branch, current, pointer, replace);
      return;
    }
    visit({ schema, value: current, pointer, replace });
    if (Array.isArray(current) && schema.items !== undefined) {
      const items = schema.items;
      current.forEach((one, index) => step(items, one, `${pointer}/${index}`, (next) => (current[index] = next)));
    } else if (typeof current === "object" && current !== null) {
      const object = current as Record<string, unknown>;
      for (const [name, child] of Object.entries(schema.properties ?? {})) {
        if (Object.hasOwn(object, name)) step(child, object[name], `${pointer}/${name}`, (next) => (object[name] = next));
      }
    }
  };
  step(root, value, "", () => {});
}
