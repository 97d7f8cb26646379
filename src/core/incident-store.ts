import type { Incident, IncidentNote, IncidentNotice, IncidentStatus } from "./incident.ts";

/** The fold's state as it was last kept, with the version that the next one must replace. */
export interface KeptFold {
  readonly version: number;
  readonly state: string;
}

/** All that one step of the fold changes, kept as one. Notes and notices are numbered on from those that are kept. */
export interface IncidentChange {
  readonly state: string;
  readonly notes: readonly { readonly number: number; readonly note: IncidentNote }[];
  readonly notices: readonly { readonly number: number; readonly notice: IncidentNotice }[];
  /** As they now are. */
  readonly incidents: readonly Incident[];
}

/** Which incidents to answer; what is left out does not restrict. */
export interface IncidentFilter {
  readonly status?: IncidentStatus;
  readonly ids?: readonly string[];
  /** Those that a person labelled as a false alarm: what calibration learns from. */
  readonly isFalsePositive?: boolean;
  readonly limit?: number;
}

/** Which incidents are old. */
export interface IncidentAge {
  /** Those that were over before this time, ms since the epoch. */
  readonly closedBeforeMs: number;
  /** Ids of those that stay nevertheless. */
  readonly except: readonly string[];
}

/** What went, or would. */
export interface PrunedIncidents {
  readonly incidents: number;
  readonly notices: number;
}

/** Incidents, notices and recorded answers, beside the catalog's tables. */
export interface IncidentStore {
  /** Null: nothing was kept yet. */
  load(dataset: string): Promise<KeptFold | null>;
  /** Keeps a step, all or none, if `version` (0: none yet) still stands; false: another process was quicker. Rejects with CATALOG_*, COMMIT_UNKNOWN. */
  keep(dataset: string, version: number, change: IncidentChange): Promise<boolean>;
  /** Every recorded note of a dataset, in order: with its commits, all that the fold is made of. */
  notes(dataset: string): Promise<readonly IncidentNote[]>;
  /** Notices after a number, in order, a page at a time. */
  notices(dataset: string, after: bigint, limit: number): Promise<readonly { readonly number: bigint; readonly notice: IncidentNotice }[]>;
  /** Incidents of a dataset, or of all where it is null, newest first. */
  incidents(dataset: string | null, filter?: IncidentFilter): Promise<readonly Incident[]>;
  /** Below the first notice of an incident that is still open, or below none to come: where one who was never told begins. At least 1; notices are numbered from 2. */
  begin(dataset: string): Promise<bigint>;
  /**
   * Removes old incidents of a dataset with their notices, at once or not at all. Open ones stay, those with windows that wait, and false positives, which
   * calibration reads; so do all notes: they are the record of who said what, and what the fold is made of again.
   */
  prune(dataset: string, age: IncidentAge, dryRun: boolean): Promise<PrunedIncidents>;
}
