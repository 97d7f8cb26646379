import type { RecordKey, Removal, RowPlace } from "../core/lake-trace.ts";
import type { Lake, QuarantinedRecord } from "../core/ports.ts";
import type { PartitionKey } from "../core/position.ts";
import type { TracedWindow } from "./traced-window.ts";
import { summarizedWindow } from "./traced-window.ts";
import { VersionTree } from "./version-tree.ts";

/**
 * Where a record is: one of the states that every record has at every commit, or why it has none. `withdrawn`: its row stands in no version of main any
 * more. `expired`: retention took it. `erased`: it was asked for. `deleted`: another program's delete files leave its row out of main. `unread`: its offset lies ahead of the table's position. `absent`: a window read past its offset and met no record there (a transaction marker,
 * an aborted or compacted record), or it is one of those that a policy skipped, which are counted and not listed. `passed-over`: reading began behind it.
 */
export type RecordState =
  | "promoted"
  | "held"
  | "quarantined"
  | "parked"
  | "discarded"
  | "withdrawn"
  | "expired"
  | "erased"
  | "deleted"
  | "absent"
  | "unread"
  | "passed-over";

/** What became of one record, from its source to where it is now. */
export interface RecordTrace {
  readonly dataset: string;
  readonly source: PartitionKey & { readonly offset: bigint };
  readonly state: RecordState;
  /** The state in words. */
  readonly says: string;
  /** Every decision about it, oldest first: its window's, a person's answer if that was held, its last replay's. */
  readonly decisions: readonly TracedWindow[];
  /** Its row in the promoted table; empty where it has none. */
  readonly rows: readonly RowPlace[];
  /** Its last version in quarantine; null where it never was there. */
  readonly quarantined: QuarantinedRecord | null;
}

/** Follows a record of a dataset; `topic` is only said. Rejects with NOT_FOUND where there is no such dataset. */
export async function traceRecord(lake: Lake, dataset: string, topic: string, key: RecordKey): Promise<RecordTrace> {
  const id = `${key.topicId}:${key.partition}:${key.offset}`;
  const tree = new VersionTree(await lake.snapshots(dataset));
  const rows = await lake.traces.findRow(dataset, key);
  let quarantined: QuarantinedRecord | null = null;
  for await (const record of lake.quarantined(dataset, { ids: [id], valueBytesMax: 0 })) quarantined = record;
  const { positions } = await lake.state(dataset);
  const position = positions.find((each) => each.topicId === key.topicId && each.partition === key.partition);
  // Of a file that was read to its end, or a topic that was created again, there is no position any more.
  const isAhead = position !== undefined && key.offset >= position.next;
  const decisions = isAhead ? [] : await decisionsAbout(lake, dataset, tree, { key, quarantined });
  const removal = rows.some((row) => row.refs.includes("main")) ? null : await lake.traces.findRemoval(dataset, key);
  const found = { rows, quarantined, decisions, removal, tree };
  const state = stateOf(found) ?? (position === undefined || isAhead ? "unread" : "passed-over");
  const says = sayState(state, found);
  return { dataset, source: { topic, ...key }, state, says, decisions, rows, quarantined };
}

interface Found {
  readonly rows: readonly RowPlace[];
  readonly quarantined: QuarantinedRecord | null;
  readonly decisions: readonly TracedWindow[];
  /** What took its rows off main for good; null: nothing. */
  readonly removal: Removal | null;
  readonly tree: VersionTree;
}

/** Decisions about a record, by the snapshots that the table has; where they have none, by the ledger of those that expired. */
async function decisionsAbout(
  lake: Lake,
  dataset: string,
  tree: VersionTree,
  { key, quarantined }: { readonly key: RecordKey; readonly quarantined: QuarantinedRecord | null },
): Promise<readonly TracedWindow[]> {
  const known = tree.snapshots
    .flatMap((snapshot) => summarizedWindow(snapshot) ?? [])
    .filter((window) => isAbout(window, key, quarantined));
  if (known.some((window) => window.kind === "window")) return known;
  const found: TracedWindow[] = [];
  for await (const commit of lake.traces.snapshots(dataset)) {
    const window = summarizedWindow(commit);
    if (window !== null && isAbout(window, key, quarantined)) found.push(window);
  }
  return found;
}

/** Whether a decision is about a record. A replay's ranges span records that it did not replay. */
function isAbout(window: TracedWindow, key: RecordKey, quarantined: QuarantinedRecord | null): boolean {
  if (window.kind === "replay") return window.decisionHash === quarantined?.decisionHash;
  return window.ranges.some(
    (range) => range.topicId === key.topicId && range.partition === key.partition && range.from <= key.offset && key.offset < range.to,
  );
}

function stateOf({ rows, quarantined, decisions, removal, tree }: Found): RecordState | null {
  if (rows.some((row) => row.refs.includes("main"))) return "promoted";
  if (quarantined !== null && quarantined.state !== "promoted") return quarantined.state === "open" ? "quarantined" : quarantined.state;
  if (decisions.some((window) => tree.named(`held/${window.windowId}`) !== null)) return "held";
  if (removal !== null) return removal.kind;
  if (rows.some((row) => deletedFromMain(row) !== undefined)) return "deleted";
  if (rows.length > 0) return "withdrawn";
  return decisions.length > 0 ? "absent" : null;
}

function deletedFromMain({ deletedIn }: RowPlace): RowPlace["deletedIn"][number] | undefined {
  return deletedIn.find(({ ref }) => ref === "main");
}

function sayState(state: RecordState, { rows, quarantined, decisions, removal }: Found): string {
  const window = decisions[0];
  switch (state) {
    case "promoted":
      return quarantined === null ? "promoted" : "quarantined first, fixed, replayed and promoted";
    case "held":
      return `held with its window ${window?.windowId}: \`sluice hold publish\` or \`sluice hold drop\` answers it`;
    case "quarantined":
      return "in quarantine, open: it can be fixed and replayed";
    case "parked":
      return `in quarantine, parked: it failed ${quarantined?.attempt} replays`;
    case "discarded":
      return "in quarantine, discarded";
    case "withdrawn": {
      const refs = rows.flatMap((row) => row.refs);
      return refs.length === 0
        ? "promoted once, and in no version that a branch or tag names any more"
        : `promoted once, and not in main any more: only in ${[...new Set(refs)].join(", ")}`;
    }
    case "erased":
      return "erased on request";
    case "expired": {
      const { rule = "", snapshotId = "" } = removal?.kind === "expired" ? removal : {};
      const refs = [...new Set(rows.flatMap((row) => row.refs))];
      const left = refs.length === 0 ? "no branch or tag shows it any more" : `only in ${refs.join(", ")}`;
      return `expired by the contract's retention (${rule}), in snapshot ${snapshotId}: ${left}`;
    }
    case "deleted": {
      const by = rows.flatMap((row) => deletedFromMain(row) ?? [])[0];
      const refs = [...new Set(rows.flatMap((row) => row.refs))];
      const left = refs.length === 0 ? "no branch or tag shows it any more" : `only in ${refs.join(", ")}`;
      return `promoted once, and deleted from main since by another program, in snapshot ${by?.snapshotId}: ${left}`;
    }
    case "absent":
      return (window?.skipped ?? 0) > 0
        ? `read past by window ${window?.windowId}, which skipped ${window?.skipped} records by a policy (tombstones, late ones); or there never was a record at this offset`
        : `read past by window ${window?.windowId}: there is no record at this offset (a transaction marker, an aborted record, or one compacted away)`;
    case "unread":
      return "not read yet: its offset lies ahead of where the dataset stands";
    case "passed-over":
      return "behind where the dataset stands, and in no window: reading began behind it, or a person moved the position past it";
  }
}
