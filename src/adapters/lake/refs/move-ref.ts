import type { TableDraft } from "../../iceberg/table-draft.ts";
import type { Snapshot, SnapshotRef } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../iceberg/table-metadata.ts";
import { keptUntilMs } from "./ref-records.ts";

/** Points a tag or branch at the version that takes the place of its own: it ends when it would have ended. */
export function moveRef(draft: TableDraft, name: string, placed: Snapshot): void {
  const ref = draft.base.refs[name] as SnapshotRef;
  const before = snapshotOfRef(draft.base, name);
  const untilMs = before === null ? null : keptUntilMs(ref, before);
  const age = untilMs === null ? {} : { "max-ref-age-ms": Math.max(1, untilMs - placed["timestamp-ms"]) };
  draft.update({ action: "set-snapshot-ref", "ref-name": name, ...ref, ...age, "snapshot-id": placed["snapshot-id"] });
}
