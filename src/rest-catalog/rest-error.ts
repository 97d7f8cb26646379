import { SluiceError } from "../core/errors.ts";

/** A fault as the Iceberg REST specification answers it: status, and the type by which clients choose their own exception. */
export class RestError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = "RestError";
    this.status = status;
    this.type = type;
  }
}

/** A request that is wrong in itself. */
export function badRequest(message: string): RestError {
  return new RestError(400, "BadRequestException", message);
}

/** A request that this token may not make, or nobody. */
export function forbidden(message: string): RestError {
  return new RestError(403, "ForbiddenException", message);
}

/** A namespace that the catalog does not have. */
export function noSuchNamespace(namespace: string): RestError {
  return new RestError(404, "NoSuchNamespaceException", `Namespace does not exist: ${namespace}`);
}

/** A table that the catalog does not have. */
export function noSuchTable(table: { readonly namespace: string; readonly name: string }): RestError {
  return new RestError(404, "NoSuchTableException", `Table does not exist: ${table.namespace}.${table.name}`);
}

/** A view that the catalog does not have. */
export function noSuchView(view: { readonly namespace: string; readonly name: string }): RestError {
  return new RestError(404, "NoSuchViewException", `View does not exist: ${view.namespace}.${view.name}`);
}

/** What has names in a namespace, in the words of errors. */
export type NamedThing = "Table" | "View";

/** A name that something of the other kind has. */
export function otherAlreadyExists(kind: NamedThing, name: string): RestError {
  return new RestError(409, "AlreadyExistsException", `${kind} with same name already exists: ${name}`);
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** A name that can't be given, for a table or view has it. */
export function takenByRename(from: Named, to: Named, kind: NamedThing): RestError {
  const message = `Cannot rename ${from.namespace}.${from.name} to ${to.namespace}.${to.name}. ${kind} already exists`;
  return new RestError(409, "AlreadyExistsException", message);
}

/** A name that is taken; clients' own tests read the words. */
export function alreadyExists(kind: "Namespace" | NamedThing, name: string): RestError {
  return new RestError(409, "AlreadyExistsException", `${kind} already exists: ${name}`);
}

/** A commit that did not happen, and that the client may make again over the table as it is now. */
export function commitFailed(message: string): RestError {
  return new RestError(409, "CommitFailedException", message);
}

/** What a client is told of an operating fault: which of its own exceptions it becomes decides whether it may try again, and whether it cleans up. */
function answerOf(fault: SluiceError): RestError {
  const { code, message } = fault;
  if (code === "COMMIT_UNKNOWN") return new RestError(500, "CommitStateUnknownException", message);
  // A table whose metadata file is gone: clients tell this from a table that is not there.
  if (code === "TABLE_CORRUPT" || code === "NOT_FOUND") return new RestError(404, "NotFoundException", message);
  if (code === "TABLE_UNSUPPORTED" || code === "EVENT_INVALID") return badRequest(message);
  if (fault.retryable || code === "STORAGE_FULL") return new RestError(503, "ServiceUnavailableException", message);
  return new RestError(500, "InternalServerError", message);
}

/** The answer to any fault; null for one that no table of errors knows: a bug. */
export function restErrorOf(fault: unknown): RestError | null {
  if (fault instanceof RestError) return fault;
  return fault instanceof SluiceError ? answerOf(fault) : null;
}

/** The body of an error (specification, `IcebergErrorResponse`). */
export function errorBody(error: RestError): string {
  return JSON.stringify({ error: { message: error.message, type: error.type, code: error.status } });
}
