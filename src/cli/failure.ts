import { DocumentError, formatDiagnostic, SluiceError } from "../core/errors.ts";
import type { Terminal } from "./terminal.ts";

/** A command line that can't be carried out as it was typed: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Prints why a command failed and what to do about it; as JSON on `out` where the command was asked for JSON. */
export function printFailure(error: unknown, terminal: Terminal, json: boolean): void {
  if (json) {
    terminal.json({ error: describeFailure(error) });
    return;
  }
  if (error instanceof DocumentError) {
    for (const one of error.diagnostics) terminal.err(formatDiagnostic(one));
    terminal.err(error.action);
  } else if (error instanceof SluiceError) {
    const place = error.location === null ? "" : `${error.location.file}:${error.location.line}:${error.location.column}: `;
    terminal.err(`${place}${terminal.styleErr("red", "error")}: ${error.message} [${error.code}]`);
    terminal.err(error.action);
  } else if (error instanceof UsageError) {
    terminal.err(`${terminal.styleErr("red", "error")}: ${error.message}`);
    terminal.err("`--help` shows what it takes.");
  } else {
    terminal.err(`${terminal.styleErr("red", "bug")}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    terminal.err("This is a fault in Sluice. What was committed is safe; please report it with the lines above.");
  }
}

interface FailureDescription {
  readonly code: string;
  readonly message: string;
  readonly action?: string;
  readonly retryable?: boolean;
  readonly details?: unknown;
  readonly diagnostics?: unknown;
}

function describeFailure(error: unknown): FailureDescription {
  if (!(error instanceof SluiceError)) {
    return { code: error instanceof UsageError ? "USAGE" : "BUG", message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, action, retryable, details } = error;
  return { code, message, action, retryable, details, ...(error instanceof DocumentError && { diagnostics: error.diagnostics }) };
}
