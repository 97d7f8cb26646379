import type { SchemaNode } from "./annotated.ts";
import { branches, dereference } from "./annotated.ts";

/** One setting that an environment variable can set. */
export interface Override {
  /** `SLUICE_HTTP_PORT` for `http.port`. */
  readonly variable: string;
  readonly path: readonly string[];
  /** A list is written with commas. */
  readonly list: boolean;
}

/** Variables that other parts of Sluice read; they are not settings. */
const otherVariables = new Set(["SLUICE_CACHE", "SLUICE_CONFIG", "SLUICE_CRASH_AT", "SLUICE_RANDOM_KILLS"]);

/** Every scalar, and every list of texts, of the configuration that is not inside a list of objects. */
export function listOverrides(root: SchemaNode): readonly Override[] {
  const found = new Map<string, Override>();
  const step = (unresolved: SchemaNode, path: readonly string[]): void => {
    const node = dereference(root, unresolved);
    const kinds = branches(root, node);
    for (const branch of kinds) step(branch, path);
    if (kinds.length > 0) return;
    if (node.properties !== undefined) {
      for (const [name, child] of Object.entries(node.properties)) step(child, [...path, name]);
      return;
    }
    const list = node.type === "array";
    if (list && node.items?.type !== "string") return;
    const variable = variableOf(path);
    found.set(variable, { variable, path, list });
  };
  step(root, []);
  found.set("SLUICE_BROKERS", { variable: "SLUICE_BROKERS", path: ["source", "brokers"], list: true });
  return [...found.values()];
}

/** `http.port` is `SLUICE_HTTP_PORT`, `source.bytesInFlightMax` is `SLUICE_SOURCE_BYTES_IN_FLIGHT_MAX`. */
function variableOf(path: readonly string[]): string {
  return ["SLUICE", ...path.map((name) => name.replaceAll(/[A-Z]/g, "_$&").toUpperCase())].join("_");
}

/**
 * Puts the environment's overrides into the document's value, in place, and answers which pointers they set and by which variable.
 * `SLUICE_BROKERS`, the short name, applies to a Kafka source only.
 */
export function applyOverrides(
  value: Record<string, unknown>,
  overrides: readonly Override[],
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const applied = new Map<string, string>();
  const short = overrides.filter((one) => one.variable === "SLUICE_BROKERS");
  const long = overrides.filter((one) => one.variable !== "SLUICE_BROKERS");
  for (const { variable, path, list } of [...short, ...long]) {
    const text = environment[variable];
    if (text === undefined || text === "") continue;
    if (variable === "SLUICE_BROKERS" && (value["source"] as { kind?: unknown } | undefined)?.kind !== "kafka") continue;
    const parent = parentOf(value, path);
    if (parent === null) continue;
    const parts = list ? text.split(",").map((one) => one.trim()) : text;
    parent[path.at(-1) as string] = parts;
    const pointer = `/${path.join("/")}`;
    applied.set(pointer, variable);
    if (Array.isArray(parts)) parts.forEach((_one, index) => applied.set(`${pointer}/${index}`, variable));
  }
  return applied;
}

/** `SLUICE_` variables that nothing reads: most likely misspelt. */
export function unknownVariables(
  overrides: readonly Override[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const known = new Set(overrides.map((one) => one.variable));
  return Object.keys(environment)
    .filter((name) => name.startsWith("SLUICE_") && !name.startsWith("SLUICE_TEST_"))
    .filter((name) => !known.has(name) && !otherVariables.has(name))
    .sort();
}

/** The object that holds the last key of a path, made where it is not there; null where something else stands in the way. */
function parentOf(value: Record<string, unknown>, path: readonly string[]): Record<string, unknown> | null {
  let current = value;
  for (const name of path.slice(0, -1)) {
    current[name] ??= {};
    const next = current[name];
    if (typeof next !== "object" || next === null || Array.isArray(next)) return null;
    current = next as Record<string, unknown>;
  }
  return current;
}
