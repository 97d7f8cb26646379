import { parseSync } from "oxc-parser";

/** A node of the ESTree that oxc-parser gives, as loosely as the tidy check needs it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One import, re-export, dynamic import or import type of a file. */
export interface ImportEdge {
  /** The module text; null where it is not a constant. */
  readonly specifier: string | null;
  /** Names taken from it, as the other module calls them; null where all could be used. */
  readonly names: readonly string[] | null;
  readonly start: number;
}

/** A parsed source file. */
export interface Syntax {
  readonly text: string;
  readonly program: Node;
  readonly imports: readonly ImportEdge[];
  /** Ends of the doc comments (`/** ... *\/`) by their end offset. */
  readonly docEnds: readonly number[];
  readonly errors: readonly string[];
}

/** Parses one TypeScript file. */
export function parseSyntax(path: string, text: string): Syntax {
  const result = parseSync(path, text);
  const program = result.program as unknown as Node;
  const imports: ImportEdge[] = [];
  walk(program, (node) => {
    const edge = edgeOf(node);
    if (edge !== null) imports.push(edge);
  });
  return {
    text,
    program,
    imports,
    docEnds: result.comments.filter((one) => one.type === "Block" && one.value.startsWith("*")).map((one) => one.end),
    errors: result.errors.map((error) => error.message),
  };
}

/** Calls `visit` for every node below and including `node`, with its parent and the parent's key for it. */
export function walk(node: Node, visit: (node: Node, parent: Node | null, key: string) => void): void {
  const step = (current: Node, parent: Node | null, key: string): void => {
    visit(current, parent, key);
    for (const [name, value] of Object.entries(current)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) step(child, current, name);
      }
    }
  };
  step(node, null, "");
}

/** Line and column, from 1, of an offset in UTF-16 units. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function edgeOf(node: Node): ImportEdge | null {
  switch (node.type) {
    case "ImportDeclaration":
      return { specifier: constant(node["source"]), names: importedNames(node["specifiers"], "imported"), start: node.start };
    case "ExportNamedDeclaration":
      if (!isNode(node["source"])) return null;
      return { specifier: constant(node["source"]), names: importedNames(node["specifiers"], "local"), start: node.start };
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return { specifier: constant(node["source"] ?? node["argument"]), names: null, start: node.start };
    case "TSExternalModuleReference":
      return { specifier: constant(node["expression"]), names: null, start: node.start };
    default:
      return null;
  }
}

function constant(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === "TSLiteralType") return constant(node["literal"]);
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : null;
}

function importedNames(specifiers: unknown, key: "imported" | "local"): readonly string[] | null {
  const names: string[] = [];
  for (const specifier of specifiers as readonly Node[]) {
    const name = specifier[key];
    if (specifier.type === "ImportNamespaceSpecifier" || specifier.type === "ImportDefaultSpecifier" || !isNode(name)) return null;
    names.push(String(name["name"] ?? name["value"]));
  }
  return names;
}
