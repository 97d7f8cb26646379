/**
 * Files that are written once and never changed. Paths are relative, with `/`, and never leave the storage's root. A write that resolved is
 * durable: it survives power loss. Faults are typed: STORAGE_FULL, STORAGE_FAILED, NOT_FOUND, FILE_EXISTS.
 */
export interface Storage {
  /** The root as a URI without a trailing slash, not percent-encoded (as readers of Iceberg take it), such as `file:///data/lake`: a file's URI is `<root>/<path>`. */
  readonly root: string;
  /** Archives beside it, if there are any: the path `@<name>/<path>` is the file `<root>/<path>` of the archive of that name. */
  readonly archives?: readonly { readonly name: string; readonly root: string }[];
  read(path: string): Promise<Uint8Array>;
  /** Bytes `[from, to)`; fewer where the file ends before `to`. */
  readRange(path: string, from: number, to: number): Promise<Uint8Array>;
  /** Writes a new file whole. Rejects with FILE_EXISTS if there is one: nothing is ever overwritten. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Writes a new file piece by piece: it exists under its path only once `close` has resolved. */
  create(path: string): Promise<FileWriter>;
  exists(path: string): Promise<boolean>;
  sizeBytes(path: string): Promise<number>;
  /** Removes a file; one that does not exist is no fault. */
  delete(path: string): Promise<void>;
  /** Every file under a folder, deep, in name order; nothing for a folder that does not exist. */
  list(folder: string): AsyncIterable<string>;
  /** The same files with their sizes and when each was written; one that goes meanwhile is left out. */
  files(folder: string): AsyncIterable<StoredFile>;
}

/** A file as a listing shows it. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  /** ms since the epoch, by the storage's own clock. */
  readonly writtenAtMs: number;
}

/** A file being written. Nothing of it is visible before `close` resolves; `abort` leaves nothing behind. */
export interface FileWriter {
  /** Takes the bytes before it resolves: the caller may reuse them afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file durable and visible. Rejects with FILE_EXISTS if its path was taken meanwhile. */
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** What kinds of content are stored by their hash; each has its own folder. */
export type ContentKind = "decision" | "profile" | "contract" | "ledger" | "erasure" | "retention";

/** Immutable texts and values named by the SHA-256 of their bytes. */
export interface ContentStore {
  /** Durable once it resolves; putting the same bytes again changes nothing. Answers the hash as 64 hex digits. */
  put(kind: ContentKind, bytes: Uint8Array): Promise<string>;
  /** Rejects with NOT_FOUND, or with CONTENT_CORRUPT where the stored bytes no longer fit their name. */
  get(kind: ContentKind, hash: string): Promise<Uint8Array>;
}
