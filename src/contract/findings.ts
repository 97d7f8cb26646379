import type { Diagnostic, SourceLocation } from "../core/errors.ts";

/** Collects diagnostics while a document is read, so that all come at once. */
export interface Findings {
  readonly list: Diagnostic[];
  error(code: string, at: SourceLocation, message: string, hint?: string | null): void;
  warning(code: string, at: SourceLocation, message: string, hint?: string | null): void;
  note(code: string, at: SourceLocation, message: string, hint?: string | null): void;
  hasErrors(): boolean;
}

/** An empty collection. */
export function createFindings(): Findings {
  const list: Diagnostic[] = [];
  const add =
    (severity: Diagnostic["severity"]) =>
    (code: string, location: SourceLocation, message: string, hint: string | null = null) => {
      list.push({ severity, code, message, location, hint });
    };
  return {
    list,
    error: add("error"),
    warning: add("warning"),
    note: add("info"),
    hasErrors: () => list.some((each) => each.severity === "error"),
  };
}

/** Diagnostics in the order of their places, errors before the rest at one place, each once. */
export function sortDiagnostics(list: readonly Diagnostic[]): Diagnostic[] {
  const rank = { error: 0, warning: 1, info: 2 };
  // Several datasets of one document note the same of what they share.
  const once = new Map(list.map((each) => [`${each.location.line}:${each.location.column}:${each.code}:${each.message}`, each]));
  return [...once.values()].toSorted(
    (a, b) =>
      (a.location.file < b.location.file ? -1 : a.location.file > b.location.file ? 1 : 0) ||
      a.location.line - b.location.line ||
      a.location.column - b.location.column ||
      rank[a.severity] - rank[b.severity],
  );
}
