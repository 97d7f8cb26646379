import type { Catalog } from "../adapters/catalog/catalog.ts";
import type { CatalogDirectory } from "../adapters/catalog/catalog-directory.ts";
import type { CatalogRows } from "../adapters/catalog/catalog-rows.ts";
import type { CatalogEvent } from "../core/catalog-events.ts";
import type { ConsumptionLog } from "../core/consumption.ts";
import type { Clock } from "../core/ports.ts";
import type { Storage } from "../core/storage.ts";
import type { CommitTurns } from "./commit-turns.ts";
import type { KeyMaker } from "./key-maker.ts";
import type { TableGuard } from "./table-guard.ts";

/** What the server works with. */
export interface CatalogContext {
  readonly catalog: Catalog;
  readonly rows: CatalogRows;
  readonly views: CatalogRows;
  readonly directory: CatalogDirectory;
  readonly storage: Storage;
  readonly consumption: ConsumptionLog;
  readonly guard: TableGuard;
  readonly clock: Clock;
  readonly uuid: () => string;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** One for all requests of a server. */
  readonly turns: CommitTurns;
  /** How long a commit goes on against other writers while its requirements hold. */
  readonly patienceMs: number;
  /** What every client is told to reach the files with, such as an S3 endpoint; never a secret: those stand with tokens. */
  readonly clientProperties: Readonly<Record<string, string>>;
  /** Makes keys of the bucket for clients that ask and have none at their token; absent or null: none are made. */
  readonly makeKeys?: KeyMaker | null;
  readonly observe: (event: CatalogEvent) => void;
}
