import { SluiceError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** What an S3 service's answer, or the lack of one, means for a request. */
export type S3Outcome = "missing" | "taken" | "refused" | "full" | "again" | "unclear";

/** Faults of one moment although their status is 4xx: the body was cut or altered on its way, or two conditional writes met. */
const passing4xx = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  "IncompleteBody",
  "InvalidDigest",
  "OperationAborted",
  "RequestTimeout",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);
const full = new Set(["InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"]);

interface S3Error extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number };
}

/** The HTTP status of an answer; null where there was none. */
function statusOf(fault: S3Error): number | null {
  return fault.$metadata?.httpStatusCode ?? fault.$response?.statusCode ?? null;
}

function isNetworkFault(fault: S3Error): boolean {
  if (fault.name === "TimeoutError" || fault.name === "AbortError") return true;
  return typeof fault.code === "string" && /^(E[A-Z]+|ERR_(TLS|SSL|STREAM|HTTP)_\w+|UND_ERR_\w+|CERT_\w+)$/.test(fault.code);
}

/**
 * How a fault of a request is to be taken: `again` was certainly not carried out, `unclear` may have been. Null: no fault of a service, but a bug.
 * Status codes and names as in "Error responses" of the S3 API reference.
 */
export function outcomeOf(cause: unknown): S3Outcome | null {
  if (!(cause instanceof Error)) return null;
  const fault = cause as S3Error;
  if (fault.name === "CredentialsProviderError") return "refused";
  const status = statusOf(fault);
  if (status === null) return isNetworkFault(fault) ? "unclear" : null;
  // A 200 whose body says that it failed after all, or can't be read.
  if (status < 300) return "unclear";
  if (full.has(fault.name) || status === 507) return "full";
  if (passing4xx.has(fault.name) || status === 429 || status === 409 || fault.name === "SlowDown") return "again";
  // An answer to HEAD has no body that would say which of the faults above it is.
  if (status === 400 && fault.name === "Unknown") return "again";
  if (status === 412) return "taken";
  if (status === 404) return fault.name === "NoSuchBucket" ? "refused" : "missing";
  // A server (or a proxy before it) may have done the work and then failed.
  return status >= 500 ? "unclear" : "refused";
}

const codes: Readonly<Record<S3Outcome, ErrorCode>> = {
  missing: "NOT_FOUND",
  taken: "FILE_EXISTS",
  refused: "STORAGE_REFUSED",
  full: "STORAGE_FULL",
  again: "STORAGE_FAILED",
  unclear: "STORAGE_FAILED",
};

/** The typed error of what an S3 service answered; a bug comes back as it is. */
export function s3Fault(cause: unknown, action: string, uri: string): unknown {
  const outcome = cause instanceof SluiceError ? null : outcomeOf(cause);
  if (outcome === null) return cause;
  const fault = cause as S3Error;
  const status = statusOf(fault);
  const name = fault.name === "Error" || fault.name === "Unknown" ? "" : `${fault.name}: `;
  const said = [status === null ? null : `HTTP ${status}`, `${name}${fault.message}`].filter((part) => part !== null).join(" ");
  const details = { path: uri, ...(status !== null && { status }) };
  return new SluiceError(codes[outcome], `cannot ${action} ${uri}: ${said}`, { cause, details });
}
