import type { Block } from "../../core/ports.ts";
import type { DriftRebase } from "../../core/drift.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import { partitionId } from "../../core/position.ts";
import type { SkippedRange } from "../../core/skipped-range.ts";

/** Names of the promoted table's properties that hold Sluice's own state. */
export const propertyNames = {
  positions: "sluice.positions",
  blocks: "sluice.blocks",
  skipped: "sluice.skipped",
  contracts: "sluice.contracts",
  holdNext: "sluice.hold-next",
  /** What a person last called the new normal. */
  driftRebase: "sluice.drift-rebase",
  /** Ids of the fields that the active contract names: those it may drop. */
  contractFields: "sluice.contract-fields",
  /** `window`: each window's decision and profile are pinned to its snapshot. */
  statistics: "sluice.statistics",
  /** Contents that keep the summaries of expired snapshots. */
  ledger: "sluice.ledger",
  /** Contents that say what was erased, by whom and why. */
  erasures: "sluice.erasures",
  /** Rollbacks whose rows are withdrawn. */
  withdrawn: "sluice.withdrawn",
  /** What the promoted table's last two-step commit has planned of the quarantine table. */
  plan: "sluice.plan",
  /** On the quarantine table: the number of the last plan that is done. */
  planDone: "sluice.plan-done",
} as const;

/** A contract that was activated: the newest is the active one. */
export interface ActivatedContract {
  readonly hash: string;
  readonly id: string;
  readonly version: string;
  /** Content hash of its text. */
  readonly text: string;
  /** Files that it refers to (JSON Schemas), each with the content hash of its text; absent for none. */
  readonly references?: readonly { readonly path: string; readonly text: string }[];
  readonly atMs: number;
}

type Properties = Readonly<Record<string, string>>;

/** Positions of a table, in the order of their partitions. */
export function readPositions(properties: Properties): Position[] {
  const stored = JSON.parse(properties[propertyNames.positions] ?? "[]") as readonly (Omit<Position, "next"> & { readonly next: string })[];
  return stored.map((position) => ({ ...position, next: BigInt(position.next) }));
}

/** The text of positions, in a stable order: two writers of the same positions write the same text. */
export function writePositions(positions: readonly Position[]): string {
  const ordered = positions.toSorted((a, b) => compare(a.topic, b.topic) || compare(a.topicId, b.topicId) || a.partition - b.partition);
  return JSON.stringify(ordered.map(({ topic, topicId, partition, next }) => ({ topic, topicId, partition, next: next.toString() })));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Positions by partition. */
export function positionsById(positions: readonly Position[]): Map<string, Position> {
  return new Map(positions.map((position) => [partitionId(position), position]));
}

/** Stops of a table, in the order they were recorded. */
export function readBlocks(properties: Properties): Block[] {
  return JSON.parse(properties[propertyNames.blocks] ?? "[]") as Block[];
}

/** The text of stops. */
export function writeBlocks(blocks: readonly Block[]): string {
  return JSON.stringify(blocks);
}

/** What answers of persons passed over, in the order it came. */
export function readSkipped(properties: Properties): SkippedRange[] {
  const stored = JSON.parse(properties[propertyNames.skipped] ?? "[]") as (PartitionKey & { from: string; to: string | null })[];
  return stored.map((each) => ({ ...each, from: BigInt(each.from), to: each.to === null ? null : BigInt(each.to) }));
}

/** The text of what was passed over. */
export function writeSkipped(skipped: readonly SkippedRange[]): string {
  return JSON.stringify(skipped.map((each) => ({ ...each, from: each.from.toString(), to: each.to?.toString() ?? null })));
}

/** Contracts in the order they were activated. */
export function readContracts(properties: Properties): ActivatedContract[] {
  return JSON.parse(properties[propertyNames.contracts] ?? "[]") as ActivatedContract[];
}

/** The text of activated contracts. */
export function writeContracts(contracts: readonly ActivatedContract[]): string {
  return JSON.stringify(contracts);
}

/** Whether a person answered a stop with "hold the next one". */
export function readHoldNext(properties: Properties): boolean {
  return properties[propertyNames.holdNext] === "true";
}

/** Ids of the fields that the active contract names, nested ones too. */
export function readContractFields(properties: Properties): ReadonlySet<number> {
  return new Set(JSON.parse(properties[propertyNames.contractFields] ?? "[]") as number[]);
}

/** The text of field ids. */
export function writeContractFields(ids: readonly number[]): string {
  return JSON.stringify(ids.toSorted((a, b) => a - b));
}

/** What a person last called the new normal; null: never. */
export function readDriftRebase(properties: Properties): DriftRebase | null {
  const stored = properties[propertyNames.driftRebase];
  if (stored === undefined) return null;
  const rebase = JSON.parse(stored) as Omit<DriftRebase, "after" | "until"> & { readonly after: string; readonly until: string };
  return { ...rebase, after: BigInt(rebase.after), until: BigInt(rebase.until) };
}

/** The text of a rebase. */
export function writeDriftRebase(rebase: DriftRebase): string {
  return JSON.stringify({ ...rebase, after: rebase.after.toString(), until: rebase.until.toString() });
}
