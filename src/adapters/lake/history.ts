import { decodeDecision } from "../../core/decision-text.ts";
import { SluiceError } from "../../core/errors.ts";
import type { CommittedWindow } from "../../core/ports.ts";
import type { PastSnapshot, SnapshotInfo } from "../../core/past-snapshot.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { findTables, loadTables } from "./lake-context.ts";
import type { LedgerEntry } from "./maintenance/ledger.ts";
import { everySnapshot } from "./maintenance/ledger.ts";
import { isOwnCommit, withdrawnTest } from "./refs/version-line.ts";
import { summaryKeys } from "./summary-keys.ts";
import { readContracts } from "./table-properties.ts";

/** The committed window of a snapshot that names a decision; null for any other. */
export async function windowOf(context: LakeContext, snapshot: LedgerEntry, isWithdrawn: boolean): Promise<CommittedWindow | null> {
  const decisionHash = snapshot.summary[summaryKeys.decisionHash];
  if (decisionHash === undefined || !isOwnCommit(snapshot)) return null;
  return {
    sequence: snapshot["sequence-number"],
    snapshotId: snapshot["snapshot-id"].toString(),
    committedAtMs: snapshot["timestamp-ms"],
    decision: decodeDecision(await context.content.get("decision", decisionHash)),
    decisionHash,
    quarantineSnapshotId: snapshot.summary[summaryKeys.quarantineSnapshotId] ?? null,
    isWithdrawn,
    ...answerOf(snapshot),
  };
}

function answerOf({ summary }: LedgerEntry): Pick<CommittedWindow, "answer"> {
  const heldWindowId = summary[summaryKeys.heldWindowId];
  if (heldWindowId === undefined) return {};
  return { answer: { heldWindowId, author: summary[summaryKeys.author] ?? "", reason: summary[summaryKeys.reason] ?? "" } };
}

/**
 * Commits after a sequence number, oldest first, as they stood when the walk began; see `Lake.history`. What was ever committed to main is in it, wherever main
 * has been moved to since and whatever has expired: a fold or an outbox that skipped a rolled-back window would never hear of its quarantined rows.
 */
export async function* history(context: LakeContext, dataset: string, after: bigint): AsyncIterable<CommittedWindow> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const isWithdrawn = withdrawnTest(metadata, after);
  for await (const snapshot of everySnapshot(context.content, metadata, after)) {
    const window = await windowOf(context, snapshot, isWithdrawn(snapshot));
    if (window !== null) yield window;
  }
}

/** See `LakeTraces.snapshots`. */
export async function* pastSnapshots(context: LakeContext, dataset: string): AsyncIterable<PastSnapshot> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const known = new Set(metadata.snapshots.map((each) => each["snapshot-id"]));
  const inform = informer(metadata);
  for await (const each of everySnapshot(context.content, metadata, -1n))
    yield { ...inform(each), isExpired: !known.has(each["snapshot-id"]) };
}

/** All snapshots of the promoted table, branches included, oldest first. */
export async function snapshots(context: LakeContext, dataset: string): Promise<readonly SnapshotInfo[]> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  return metadata.snapshots.map(informer(metadata));
}

function informer(metadata: TableMetadata): (snapshot: LedgerEntry) => SnapshotInfo {
  const names = Map.groupBy(Object.entries(metadata.refs), ([, ref]) => ref["snapshot-id"]);
  const isWithdrawn = withdrawnTest(metadata);
  return (snapshot) => {
    const { operation = "", ...summary } = snapshot.summary;
    return {
      snapshotId: snapshot["snapshot-id"].toString(),
      parentId: snapshot["parent-snapshot-id"]?.toString() ?? null,
      sequence: snapshot["sequence-number"],
      committedAtMs: snapshot["timestamp-ms"],
      operation,
      refs: (names.get(snapshot["snapshot-id"]) ?? []).map(([name]) => name),
      summary,
      isWithdrawn: isWithdrawn(snapshot),
    };
  };
}

/** Texts of contracts that were active in any dataset. Texts never change: each is looked up once. */
export class ContractTexts {
  readonly #context: LakeContext;
  readonly #texts = new Map<string, string>();

  constructor(context: LakeContext) {
    this.#context = context;
  }

  /** Rejects with NOT_FOUND. */
  async get(hash: string, datasets: readonly string[]): Promise<string> {
    const known = this.#texts.get(hash);
    if (known !== undefined) return known;
    for (const dataset of datasets) {
      const tables = await findTables(this.#context, dataset);
      const entry = tables === null ? undefined : readContracts(tables.promoted.metadata.properties).find((each) => each.hash === hash);
      if (entry === undefined) continue;
      const text = new TextDecoder().decode(await this.#context.content.get("contract", entry.text));
      this.#texts.set(hash, text);
      return text;
    }
    throw new SluiceError("NOT_FOUND", `no dataset was ever judged by contract ${hash}`);
  }
}
