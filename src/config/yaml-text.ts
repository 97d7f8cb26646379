import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Node } from "yaml";
import type { Diagnostic, SourceLocation } from "../core/errors.ts";

const nodesMax = 20_000;

/** A YAML text as plain values, with the place of each by JSON pointer. */
export interface YamlText {
  readonly value: unknown;
  /** Where a value stands. */
  readonly places: ReadonlyMap<string, SourceLocation>;
  /** Where a map's key stands, by the pointer of its value. */
  readonly keyPlaces: ReadonlyMap<string, SourceLocation>;
  /** Pointers of values that came, whole or in part, from the environment. */
  readonly fromEnvironment: ReadonlySet<string>;
  /** Of those, the values that text of the document is a part of: a default, or letters around a variable. */
  readonly mixed: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a YAML text and puts `${NAME}` and `${NAME:-default}` of its text values in from `environment`; `$${` stays `${`. */
export function parseYamlText(file: string, text: string, environment: Readonly<Record<string, string | undefined>>): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.2", prettyErrors: false });
  const place = (offset: number): SourceLocation => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const diagnostics: Diagnostic[] = document.errors
    // After a syntax error the parser guesses: what it says next is mostly about its guess.
    .filter((error, index) => index === 0 || error.code === "DUPLICATE_KEY")
    .map((error) => ({
      severity: "error",
      code: "yaml",
      message: error.message,
      location: place(error.pos[0]),
      hint: /\{[^\n"']*\$\{/.test(text) ? 'inside { }, write "${NAME}" in quotes' : null,
    }));
  const places = new Map<string, SourceLocation>();
  const keyPlaces = new Map<string, SourceLocation>();
  const fromEnvironment = new Set<string>();
  const mixed = new Set<string>();
  let nodes = 0;

  const fail = (code: string, message: string, location: SourceLocation, hint: string | null = null): null => {
    diagnostics.push({ severity: "error", code, message, location, hint });
    return null;
  };
  const visit = (unresolved: Node | null, pointer: string, expanded: SourceLocation | null): unknown => {
    if (unresolved === null) return null;
    const location = expanded ?? place(unresolved.range?.[0] ?? 0);
    places.set(pointer, location);
    if (++nodes > nodesMax) return nodes === nodesMax + 1 ? fail("too-large", `more than ${nodesMax} values`, location) : null;
    if (isAlias(unresolved)) {
      const target = unresolved.resolve(document);
      return target === undefined ? fail("yaml", `no anchor ${unresolved.source}`, location) : visit(target, pointer, location);
    }
    if (isSeq(unresolved)) return unresolved.items.map((item, index) => visit(item as Node | null, `${pointer}/${index}`, expanded));
    if (isMap(unresolved)) {
      const object: Record<string, unknown> = {};
      for (const pair of unresolved.items) {
        const key = isPair(pair) && isScalar(pair.key) ? pair.key : null;
        const plain = key?.value;
        if (key === null || (typeof plain !== "string" && typeof plain !== "number" && typeof plain !== "boolean")) {
          fail("yaml", "a key must be plain text", location);
          continue;
        }
        const name = String(plain);
        const below = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        keyPlaces.set(below, expanded ?? place(key.range?.[0] ?? 0));
        const value = visit(pair.value as Node | null, below, expanded);
        // Assigning "__proto__" would set the prototype and hide the key from validation.
        Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
      }
      return object;
    }
    if (!isScalar(unresolved)) return null;
    if (typeof unresolved.value !== "string" || !unresolved.value.includes("${")) return unresolved.value;
    const result = substitute(unresolved.value, environment);
    if (result.used) fromEnvironment.add(pointer);
    if (result.used && !/^(\$\{[A-Za-z_][A-Za-z0-9_]*\})+$/.test(unresolved.value)) mixed.add(pointer);
    for (const name of result.unset) {
      fail(
        "unset-variable",
        `the environment has no ${name}`,
        location,
        `set it; what is no secret may have a default: \${${name}:-default}`,
      );
    }
    return result.text;
  };
  const value = document.errors.length > 0 ? null : visit(document.contents, "", null);
  return { value, places, keyPlaces, fromEnvironment, mixed, diagnostics };
}

function substitute(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly used: boolean; readonly unset: readonly string[] } {
  const unset: string[] = [];
  let used = false;
  const replaced = text.replaceAll(
    /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_whole, name: string | undefined, fallback: string | undefined) => {
      if (name === undefined) return "${";
      used = true;
      const value = environment[name];
      if (value !== undefined && value !== "") return value;
      if (fallback !== undefined) return fallback;
      if (value === undefined) unset.push(name);
      return "";
    },
  );
  return { text: replaced, used, unset };
}
