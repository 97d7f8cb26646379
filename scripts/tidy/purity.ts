import type { Node } from "./syntax.ts";
import { walk } from "./syntax.ts";

/** Something a pure room must not touch. */
export interface Impurity {
  readonly name: string;
  readonly start: number;
}

const worldly = new Set([
  "Worker",
  "WebSocket",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "eval",
  "fetch",
  "Function",
  "global",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/**
 * References to the clock, to randomness and to the world in a file's code. Names are judged without scopes: a local variable
 * called `process` is reported too, and should have another name.
 */
export function findImpurities(program: Node): readonly Impurity[] {
  const found: Impurity[] = [];
  walk(program, (node, parent, key) => {
    if (node.type === "MetaProperty" && parent?.type === "MemberExpression" && key === "object") {
      const property = propertyName(parent);
      if (property !== "url") found.push({ name: `import.meta.${property ?? "[...]"}`, start: node.start });
    }
    if (node.type !== "Identifier" || !isReference(parent, key) || isTypeOnly(parent, key)) return;
    const name = String(node["name"]);
    if (worldly.has(name)) found.push({ name, start: node.start });
    const whole = wholeUse(name, parent, key);
    if (whole !== null) found.push({ name: whole, start: node.start });
  });
  return found;
}

/** `Date`, `Math`, `Temporal` and `Atomics` are pure in some of their parts; any other use of the name is reported. */
function wholeUse(name: string, parent: Node | null, key: string): string | null {
  const member = parent?.type === "MemberExpression" && key === "object" ? propertyName(parent) : null;
  const isMember = parent?.type === "MemberExpression" && key === "object";
  switch (name) {
    case "Date": {
      if (isMember && (member === "UTC" || member === "parse")) return null;
      const constructed = parent?.type === "NewExpression" && key === "callee";
      if (constructed && (parent["arguments"] as readonly unknown[]).length > 0) return null;
      if (parent?.type === "BinaryExpression" && parent["operator"] === "instanceof") return null;
      return constructed ? "new Date()" : isMember ? `Date.${member ?? "[...]"}` : "Date";
    }
    case "Math":
      return isMember && member !== null && member !== "random" ? null : member === null ? "Math" : `Math.${member}`;
    case "Temporal":
      return isMember && member !== null && member !== "Now" ? null : "Temporal.Now";
    default:
      return null;
  }
}

function propertyName(member: Node): string | null {
  const property = member["property"] as Node;
  if (member["computed"] !== true) return String(property["name"]);
  return property.type === "Literal" && typeof property["value"] === "string" ? property["value"] : null;
}

/** Names of members and of keys are not references. */
function isReference(parent: Node | null, key: string): boolean {
  if (parent === null) return true;
  if (parent.type === "MemberExpression") return key !== "property" || parent["computed"] === true;
  const keyed = ["Property", "PropertyDefinition", "MethodDefinition", "AccessorProperty", "TSPropertySignature", "TSMethodSignature"];
  if (keyed.includes(parent.type)) return key !== "key" || parent["computed"] === true || parent["shorthand"] === true;
  return !["LabeledStatement", "BreakStatement", "ContinueStatement", "ImportSpecifier", "ExportSpecifier"].includes(parent.type);
}

function isTypeOnly(parent: Node | null, key: string): boolean {
  if (parent === null) return false;
  if (parent.type === "TSFunctionType") return key === "params";
  return ["TSTypeReference", "TSTypeQuery", "TSQualifiedName", "TSInterfaceHeritage"].includes(parent.type);
}
