/** A report of retention, for the reference. */
export const retentionShape =
  "{ dataset: string, table: 'promoted' | 'quarantine', action: 'expire' | 'archive', dryRun: boolean, rule: string, files: number, rows: number, bytes: number, snapshotId: string | null, skipped: { files: number, why: string }[] }";
