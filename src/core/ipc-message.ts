import type { Batch } from "./batch.ts";

/** An encapsulated message of Arrow's IPC format (Columnar Format 1.5): bytes of their own buffer, of which the first are its metadata. */
export interface IpcMessage {
  readonly bytes: Uint8Array;
  readonly metadataBytes: number;
}

/** Encodes some rows of a batch, ascending, as a message. */
export type EncodeRows = (batch: Batch, rows: Uint32Array) => IpcMessage;
