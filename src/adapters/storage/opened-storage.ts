import type { Storage } from "../../core/storage.ts";

/** A storage, and what ends its connections. */
export interface OpenedStorage {
  readonly storage: Storage;
  readonly close: () => void;
}
