/** Where in a file something is wrong; lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface ErrorKind {
  /** What the reader can do about it. */
  readonly action: string;
  readonly httpStatus: number;
  readonly retryable: boolean;
}

/** Every operating fault that Sluice knows; codes are stable, and `docs/reference/errors.md` is generated from this table. */
export const errorTable = {
  CONFIG_INVALID: { action: "Correct the configuration at the place named.", httpStatus: 400, retryable: false },
  CONTRACT_INVALID: {
    action: "Correct the contract at the places named; `sluice contract lint FILE` checks it.",
    httpStatus: 400,
    retryable: false,
  },
  EVENT_INVALID: {
    action: "Send an OpenLineage RunEvent: job, run and eventTime, and the inputs that were read.",
    httpStatus: 400,
    retryable: false,
  },
  FILE_NOT_FOUND: { action: "Check the path.", httpStatus: 404, retryable: false },
  SOURCE_UNREACHABLE: { action: "Check that the brokers run and that address, TLS and credentials fit.", httpStatus: 503, retryable: true },
  SOURCE_IDENTITY_CHANGED: {
    action:
      "The topic was deleted and created again, or a partly read file changed. `sluice source accept` reads the new one from its start; `sluice source reset` sets a position.",
    httpStatus: 409,
    retryable: false,
  },
  SOURCE_OFFSET_OUT_OF_RANGE: {
    action: "Records were removed before they were read. `sluice source reset` sets a position that exists.",
    httpStatus: 409,
    retryable: false,
  },
  SOURCE_CORRUPT: {
    action: "A record batch fails its checksum. Check the broker's disk; `sluice source reset` can skip past it.",
    httpStatus: 502,
    retryable: false,
  },
  WINDOW_STOPPED: {
    action:
      "A window broke a rule whose policy is stop. `sluice unblock --retry` reads it again (after a fix of contract or data), `--hold` sets it aside.",
    httpStatus: 409,
    retryable: false,
  },
  CONTRACT_SUPERSEDED: {
    action: "Give this worker the contract that is active, or give this text a new version to make it the next one.",
    httpStatus: 409,
    retryable: false,
  },
  SOURCE_OVERSIZED: {
    action:
      "A record batch (or a line of a file) is larger than this source's limit for one. Raise the limit, or `sluice source reset` past it.",
    httpStatus: 413,
    retryable: false,
  },
  SOURCE_UNREADABLE: {
    action: "A record batch has a format or codec that can't be read. `sluice source reset` can set a position past it.",
    httpStatus: 422,
    retryable: false,
  },
  SOURCE_TOPIC_MISSING: {
    action: "Create the topic, or take it out of the configuration; it is picked up as soon as it exists.",
    httpStatus: 404,
    retryable: true,
  },
  SOURCE_FENCED: {
    action: "Another process runs under the same group instance id. Give each worker its own.",
    httpStatus: 409,
    retryable: true,
  },
  REGISTRY_UNAVAILABLE: {
    action: "Check that the schema registry runs and that its URL and TLS fit; records wait for it, and none is lost.",
    httpStatus: 503,
    retryable: true,
  },
  REGISTRY_REFUSED: {
    action: "The schema registry refuses this worker's credentials: correct them, or its permissions. Records wait, and none is lost.",
    httpStatus: 403,
    retryable: true,
  },
  WINDOW_LOST: {
    action: "Nothing: another worker committed these records; this worker's copy was dropped.",
    httpStatus: 409,
    retryable: false,
  },
  ENGINE_THREAD_LOST: {
    action:
      "Nothing for the data: the open window was dropped, and its records are read again. If it comes back at the same records, set `engine.kind: reference`, and report it.",
    httpStatus: 503,
    retryable: true,
  },
  ERASURE_REFUSED: {
    action:
      "Nothing was erased. Name a column of the table and a value of its type, or the key of the records; `sluice erase --help` shows examples.",
    httpStatus: 400,
    retryable: false,
  },
  COPIES_REFUSED: {
    action:
      "Let this user read, write and delete records of the dead letter topic, or leave it out with --keep-dead-letters. Beginning again is safe, and finishes what is left.",
    httpStatus: 409,
    retryable: false,
  },
  ARCHIVE_UNKNOWN: {
    action:
      "Nothing was moved. Name the contract's archive under `lake.archives` in the configuration of every worker, or another one in the contract.",
    httpStatus: 400,
    retryable: false,
  },
  RETENTION_REFUSED: {
    action: "Nothing was removed. Run the worker until it has taken up the contract, then try again.",
    httpStatus: 409,
    retryable: false,
  },
  MAINTENANCE_FAILED: {
    action:
      "Nothing waits for it, and it is tried again at the next interval. `sluice maintain run` does it at once and shows what is wrong.",
    httpStatus: 500,
    retryable: true,
  },
  COMMIT_CONFLICT: { action: "Nothing: the commit is tried again.", httpStatus: 409, retryable: true },
  COMMIT_UNKNOWN: { action: "Nothing: the table is read back to learn whether the commit took effect.", httpStatus: 503, retryable: true },
  SINK_UNAVAILABLE: {
    action: "Nothing for the data: it goes on. Check the receiver; what was not delivered waits in the table and is delivered later.",
    httpStatus: 503,
    retryable: true,
  },
  ALERT_REFUSED: {
    action:
      "Nothing for the data: it goes on. The receiver says no to this notice: check its address and kind in `alerts.receivers`; after three tries the next notices get their turn, and `sluice incident list` has them all.",
    httpStatus: 502,
    retryable: true,
  },
  PRODUCE_REFUSED: {
    action: "The brokers refuse the records themselves: check the topic's name, its limit on a record's size, and this user's permissions.",
    httpStatus: 422,
    retryable: false,
  },
  STORAGE_FULL: { action: "Free disk space; the window is tried again and nothing is lost.", httpStatus: 507, retryable: true },
  BROKER_FAILED: {
    action: "Read the broker's log named in the message, or set SLUICE_BROKERS to a Kafka that already runs.",
    httpStatus: 503,
    retryable: false,
  },
  STORAGE_FAILED: {
    action: "Check the disk, its mount and the folder's permissions, or the object store; what was being written is tried again.",
    httpStatus: 503,
    retryable: true,
  },
  STORAGE_REFUSED: {
    action:
      "The object store refuses the request: check the credentials and what they allow, the bucket's name and region, and this machine's clock. Windows wait, and nothing is lost.",
    httpStatus: 403,
    retryable: true,
  },
  STORAGE_UNSUPPORTED: {
    action: "Keep the lake in an object store that has conditional writes (If-None-Match), such as Amazon S3, MinIO or versitygw.",
    httpStatus: 501,
    retryable: false,
  },
  FILE_EXISTS: {
    action: "Nothing is ever overwritten: choose another path, or remove the file yourself.",
    httpStatus: 409,
    retryable: false,
  },
  CONTENT_CORRUPT: {
    action: "A stored file is damaged: restore it from a backup, and check the disk.",
    httpStatus: 500,
    retryable: false,
  },
  FILE_UNREADABLE: {
    action: "Check that the file is what its name says, whole, and readable by this user.",
    httpStatus: 422,
    retryable: false,
  },
  FILE_UNWRITABLE: {
    action: "Check that the folder is there, that this user may write in it, and that the disk has room.",
    httpStatus: 507,
    retryable: false,
  },
  PROFILE_CORRUPT: {
    action: "The stored profile is damaged or of another version. Restore the file; drift rebuilds from the windows that remain.",
    httpStatus: 500,
    retryable: false,
  },
  HELD_WINDOW_SETTLED: {
    action: "Nothing: the held window was published or dropped before. `sluice hold list` shows what is still held.",
    httpStatus: 409,
    retryable: false,
  },
  INCIDENT_REFUSED: {
    action: "Nothing was changed. `sluice incident show ID` shows how the incident stands.",
    httpStatus: 409,
    retryable: false,
  },
  REF_NAME_INVALID: {
    action:
      "Choose a name of letters, digits and `. _ / -` that is no time, number or name of Sluice's own; `sluice tag --help` shows examples.",
    httpStatus: 400,
    retryable: false,
  },
  REF_TAKEN: {
    action: "Choose another name: a tag never comes to mean another version. `sluice tag list` shows what names mean.",
    httpStatus: 409,
    retryable: false,
  },
  REF_REFUSED: {
    action: "Nothing was changed. The message says which command is about what the name stands for.",
    httpStatus: 409,
    retryable: false,
  },
  VERSION_UNKNOWN: {
    action: "Name a tag, branch, snapshot, `main~3` or time that the dataset has; `sluice tag list` and `sluice snapshots` show them.",
    httpStatus: 404,
    retryable: false,
  },
  ROLLBACK_REFUSED: {
    action: "Nothing was changed. `sluice snapshots` shows main's versions, `sluice rollback --list` the rollbacks that can be undone.",
    httpStatus: 409,
    retryable: false,
  },
  CATALOG_BUSY: {
    action: "Nothing: another process is writing to the catalog database, and the commit is tried again.",
    httpStatus: 503,
    retryable: true,
  },
  CATALOG_FAILED: {
    action:
      "Check that the catalog can be reached and is healthy (for a file: its disk, mount and permissions); what was being committed is tried again.",
    httpStatus: 503,
    retryable: true,
  },
  CATALOG_REFUSED: {
    action:
      "The catalog refuses this worker: check its credentials, what they allow, and that the database or warehouse named exists. Windows wait, and nothing is lost.",
    httpStatus: 403,
    retryable: true,
  },
  CATALOG_UNSUPPORTED: {
    action:
      "Releases of several datasets need a catalog that commits several tables at once, such as Sluice's own, Polaris or Lakekeeper, or SQLite or PostgreSQL: elsewhere tag the datasets one by one. A server that made half of a transaction can't be used as it is.",
    httpStatus: 501,
    retryable: false,
  },
  CATALOG_CORRUPT: {
    action: "The catalog file is damaged or no catalog. Restore it from a backup; table data and metadata files are not affected.",
    httpStatus: 500,
    retryable: false,
  },
  TABLE_CORRUPT: {
    action: "A table's metadata or manifest is damaged or missing: restore the file from a backup, and check the disk.",
    httpStatus: 500,
    retryable: false,
  },
  TABLE_UNSUPPORTED: {
    action: "Another program changed the table in a way that Sluice can't write. Undo that, or use another dataset name.",
    httpStatus: 409,
    retryable: false,
  },
  NOT_FOUND: { action: "List what exists, and name one of those.", httpStatus: 404, retryable: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

/** An operating fault: a code of `errorTable`, a message for people, and where it is if a file is at fault. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly location: SourceLocation | null;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { location?: SourceLocation; details?: Record<string, string | number | boolean>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SluiceError";
    this.code = code;
    this.location = options.location ?? null;
    this.details = options.details ?? {};
  }

  get action(): string {
    return errorTable[this.code].action;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

/** One fault in a document, with its place; documents are checked whole, so these come in lists. */
export interface Diagnostic {
  readonly severity: "error" | "warning" | "info";
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  readonly location: SourceLocation;
  /** What to write instead, if that can be said. */
  readonly hint: string | null;
}

/** Several diagnostics thrown as one: a document that can't be used. */
export class DocumentError extends SluiceError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: "CONFIG_INVALID" | "CONTRACT_INVALID", diagnostics: readonly Diagnostic[]) {
    const first = diagnostics[0];
    super(code, diagnostics.map(formatDiagnostic).join("\n"), first === undefined ? {} : { location: first.location });
    this.name = "DocumentError";
    this.diagnostics = diagnostics;
  }
}

/** `file:line:column: error: message (hint)`, as compilers and editors know it. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column } = diagnostic.location;
  const hint = diagnostic.hint === null ? "" : ` (${diagnostic.hint})`;
  return `${file}:${line}:${column}: ${diagnostic.severity}: ${diagnostic.message}${hint} [${diagnostic.code}]`;
}
