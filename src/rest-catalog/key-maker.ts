import type { S3Keys } from "./principal.ts";

/** What a client is to reach with keys that are made for it. */
export interface KeyWish {
  /** The token's name. */
  readonly name: string;
  /** URIs of folders, without slashes at their ends. */
  readonly folders: readonly string[];
  readonly mayWrite: boolean;
  readonly mayDelete: boolean;
  /** Whether missing files must be told from forbidden ones, which takes the right to list whole buckets. */
  readonly mayListAll: boolean;
}

/** Keys that end by themselves. */
export interface SessionKeys extends S3Keys {
  readonly sessionToken: string;
  /** ms since the epoch. */
  readonly endsAtMs: number;
}

/** Makes keys that reach what was wished for, and no more. Rejects with STORAGE_*. */
export type KeyMaker = (wish: KeyWish) => Promise<SessionKeys>;
