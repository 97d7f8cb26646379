import { decodeDecision } from "../../core/decision-text.ts";
import { SluiceError } from "../../core/errors.ts";
import type { CommittedWindow, SnapshotInfo } from "../../core/ports.ts";
import type { Snapshot } from "../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { findTables, loadTables } from "./lake-context.ts";
import { summaryKeys } from "./summary-keys.ts";
import { readContracts } from "./table-properties.ts";

async function windowOf(context: LakeContext, snapshot: Snapshot, decisionHash: string): Promise<CommittedWindow> {
  return {
    sequence: snapshot["sequence-number"],
    snapshotId: snapshot["snapshot-id"].toString(),
    committedAtMs: snapshot["timestamp-ms"],
    decision: decodeDecision(await context.content.get("decision", decisionHash)),
    decisionHash,
    quarantineSnapshotId: snapshot.summary[summaryKeys.quarantineSnapshotId] ?? null,
  };
}

/** Commits of main after a sequence number, oldest first, as they stood when the walk began; see `Lake.history`. */
export async function* history(context: LakeContext, dataset: string, after: bigint): AsyncIterable<CommittedWindow> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const chain = ancestorsOf(metadata, snapshotOfRef(metadata, "main"), after);
  for (const snapshot of chain.toReversed()) {
    const hash = snapshot.summary[summaryKeys.decisionHash];
    if (hash !== undefined) yield await windowOf(context, snapshot, hash);
  }
}

/** All snapshots of the promoted table, branches included, oldest first. */
export async function snapshots(context: LakeContext, dataset: string): Promise<readonly SnapshotInfo[]> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const refs = Object.entries(metadata.refs);
  return metadata.snapshots.map((snapshot) => {
    const { operation = "", ...summary } = snapshot.summary;
    return {
      snapshotId: snapshot["snapshot-id"].toString(),
      parentId: snapshot["parent-snapshot-id"]?.toString() ?? null,
      sequence: snapshot["sequence-number"],
      committedAtMs: snapshot["timestamp-ms"],
      operation,
      refs: refs.filter(([, ref]) => ref["snapshot-id"] === snapshot["snapshot-id"]).map(([name]) => name),
      summary,
    };
  });
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
