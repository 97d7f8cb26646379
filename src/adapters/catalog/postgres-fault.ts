import { SluiceError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** What a fault of PostgreSQL says of the statement that met it. */
interface FaultKind {
  readonly code: ErrorCode;
  /** Over in a moment: another transaction in the way, a server that restarts, a connection that was cut. */
  readonly passes: boolean;
}

/** By SQLSTATE, or its first two digits (PostgreSQL manual, appendix A). */
const bySqlState: Readonly<Record<string, FaultKind>> = {
  "08": { code: "CATALOG_FAILED", passes: true },
  "28": { code: "CATALOG_REFUSED", passes: false },
  "3D": { code: "CATALOG_REFUSED", passes: false },
  "3F": { code: "CATALOG_REFUSED", passes: false },
  40: { code: "CATALOG_BUSY", passes: true },
  // Somebody dropped or changed a table.
  "42P01": { code: "CATALOG_CORRUPT", passes: false },
  42703: { code: "CATALOG_CORRUPT", passes: false },
  42501: { code: "CATALOG_REFUSED", passes: false },
  53: { code: "CATALOG_BUSY", passes: true },
  53100: { code: "STORAGE_FULL", passes: false },
  "55P03": { code: "CATALOG_BUSY", passes: true },
  // A standby, or a server that was told to take no writes.
  "25P": { code: "CATALOG_FAILED", passes: true },
  25006: { code: "CATALOG_FAILED", passes: true },
  57014: { code: "CATALOG_BUSY", passes: true },
  "57P": { code: "CATALOG_FAILED", passes: true },
  58: { code: "CATALOG_FAILED", passes: false },
  XX001: { code: "CATALOG_CORRUPT", passes: false },
  XX002: { code: "CATALOG_CORRUPT", passes: false },
};

const lostConnection: FaultKind = { code: "CATALOG_FAILED", passes: true };

interface PostgresFault extends Error {
  readonly code?: unknown;
  readonly severity?: unknown;
}

/** The SQLSTATE of a fault that the server itself reported; null for any other. */
function sqlStateOf(fault: PostgresFault): string | null {
  return typeof fault.severity === "string" && typeof fault.code === "string" ? fault.code : null;
}

/** What the client says where a connection can't be had, breaks or falls silent: mostly without any code. */
const brokenConnection =
  /^Connection terminated|^timeout exceeded when trying to connect|^Query read timeout|^Client has encountered a connection error/;
/** Where client and server do not agree on a login. */
const refusedLogin = /^SASL: |^The server does not support SSL/;

function kindOf(fault: unknown): FaultKind | null {
  if (!(fault instanceof Error) || fault instanceof SluiceError) return null;
  const state = sqlStateOf(fault);
  if (state !== null) return bySqlState[state] ?? bySqlState[state.slice(0, 3)] ?? bySqlState[state.slice(0, 2)] ?? null;
  if (refusedLogin.test(fault.message)) return { code: "CATALOG_REFUSED", passes: false };
  const code = (fault as PostgresFault).code;
  const network = typeof code === "string" && /^(E[A-Z]{3,}|ERR_(TLS|SSL)_\w+|[A-Z]+_CERT\w*|CERT_\w+|UNABLE_TO_\w+)$/.test(code);
  return network || brokenConnection.test(fault.message) ? lostConnection : null;
}

/** Whether trying again in a moment may help. */
export function passes(fault: unknown): boolean {
  return kindOf(fault)?.passes === true;
}

/** Whether the server itself said that the statement failed, and goes on: then it has certainly changed nothing. */
export function wasRefused(fault: unknown): boolean {
  return fault instanceof Error && (fault as PostgresFault).severity === "ERROR";
}

/** Whether the connection is of no more use after a fault. */
export function endsConnection(fault: unknown): boolean {
  return fault instanceof SluiceError || (kindOf(fault) !== null && !wasRefused(fault));
}

/** The typed error of what PostgreSQL, or the way to it, refused; anything else is a bug and comes back as it is. */
export function postgresFault(fault: unknown, where: string): unknown {
  const kind = kindOf(fault);
  if (kind === null) return fault;
  const state = sqlStateOf(fault as PostgresFault);
  const options = { cause: fault, ...(state !== null && { details: { sqlState: state } }) };
  return new SluiceError(kind.code, `catalog ${where}: ${(fault as Error).message || String((fault as PostgresFault).code)}`, options);
}
