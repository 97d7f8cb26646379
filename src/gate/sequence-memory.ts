import type { Contract } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import { SluiceError } from "../core/errors.ts";
import { partitionId } from "../core/position.ts";
import type { Lake, SnapshotInfo } from "../core/ports.ts";
import type { RulePlan } from "../core/rule.ts";
import { LastNumbers } from "../rules/deferred/last-numbers.ts";
import { gatherStored, storedFields } from "./stored-rows.ts";

/** Keys that are remembered of one rule: 52 MB of memory. */
export const sequenceKeysMax = 1_500_000;

/** After so many commits, what is known is kept again: a worker that begins reads the rows since. */
const keptCommits = 64n;

/** Commits that take no rows away, nor bring any back. */
const adding: ReadonlySet<Decision["kind"]> = new Set(["window", "replay", "publish"]);

/** A window that was judged and is not committed yet. */
interface Pending {
  readonly windowId: string;
  readonly partitions: readonly string[];
  readonly raised: LastNumbers;
  /** It stands in the table's history already. */
  seen: boolean;
}

/**
 * The last number of each key of one sequence rule: the largest among the rows that are promoted or held, which is what the table says at any time, and among
 * those of this worker's windows on their way into it. Read from the table where a worker begins (beyond what was kept), rows left it (a drop, a rollback), or
 * another worker committed rows that this one goes on from.
 */
export class SequenceMemory {
  readonly #lake: Lake;
  readonly #plan: RulePlan;
  readonly #contract: Contract;
  #base = new LastNumbers(sequenceKeysMax);
  #pending: Pending[] = [];
  /** Main as it stood when history was looked at last; null: it never was. */
  #head: SnapshotInfo | null = null;
  /** The sequence number up to which all rows of the table are taken in. */
  #folded = 0n;
  /** Partitions of which other workers committed rows after that. */
  readonly #stale = new Set<string>();
  /** Windows of ours that are taken in and not met in history yet. */
  readonly #merged = new Set<string>();

  /** By which it is kept beside the table. */
  readonly #name: string;
  /** The sequence number of what was kept last; null: nothing was. */
  #kept: bigint | null = null;

  /** `name`: of the rule, for what is kept of it; another one for another meaning. */
  constructor(lake: Lake, contract: Contract, plan: RulePlan, name: string) {
    this.#lake = lake;
    this.#name = name;
    this.#contract = contract;
    this.#plan = plan;
  }

  /** Whether there is no room for further keys. */
  get full(): boolean {
    return this.#base.full;
  }

  /** The tables that hold the last numbers together. */
  get known(): readonly LastNumbers[] {
    return [this.#base, ...this.#pending.map(({ raised }) => raised)];
  }

  /** Takes in what was committed since the last call, as far as windows of these partitions need it. */
  async catchUp(partitions: readonly string[]): Promise<void> {
    const { dataset } = this.#contract;
    const snapshots = await this.#lake.snapshots(dataset);
    const head = snapshots.find(({ refs }) => refs.includes("main")) ?? null;
    if (head === null) return;
    if (this.#head === null) await this.#recall(snapshots);
    if (this.#head === null || !(await this.#follow(snapshots, head))) {
      this.#base = new LastNumbers(sequenceKeysMax);
      await this.#read(0n);
      this.#folded = head.sequence;
      this.#stale.clear();
      this.#kept = null;
    }
    this.#head = head;
    const { check } = this.#plan;
    const own = check.family === "sequence" && check.scope === "dataset" ? [...this.#stale] : partitions;
    if (own.some((id) => this.#stale.has(id))) {
      await this.#read(this.#folded);
      this.#stale.clear();
    }
    if (this.#stale.size > 0 || this.#pending.some(({ seen }) => seen)) return;
    this.#folded = head.sequence;
    if (this.#kept === null || head.sequence - this.#kept >= keptCommits) await this.#keep(head);
  }

  /** Begins with what was kept: what the table says since is followed from there, as in a worker that had been running. */
  async #recall(snapshots: readonly SnapshotInfo[]): Promise<void> {
    const memo = await this.#lake.claims.memo(this.#contract.dataset, this.#name);
    const at = snapshots.find(({ snapshotId }) => snapshotId === memo?.snapshotId);
    if (memo === null || at === undefined) return;
    this.#base.raiseBytes(memo.bytes);
    this.#head = at;
    this.#folded = memo.sequence;
    this.#kept = memo.sequence;
  }

  /** Keeps what is known of all rows up to a version of main. */
  async #keep(head: SnapshotInfo): Promise<void> {
    const { sequence, snapshotId } = head;
    this.#kept = sequence;
    try {
      await this.#lake.claims.keepMemo(this.#contract.dataset, this.#name, { sequence, snapshotId, bytes: this.#base.toBytes() });
    } catch (fault) {
      // No window waits for this: all of it is in the table.
      if (!(fault instanceof SluiceError)) throw fault;
    }
  }

  /** Walks the commits since the last look. False where rows left the table: what is known may be too much. */
  async #follow(snapshots: readonly SnapshotInfo[], head: SnapshotInfo): Promise<boolean> {
    const before = this.#head as SnapshotInfo;
    if (head.snapshotId === before.snapshotId) return true;
    if (!descends(snapshots, head, before)) return false;
    for await (const { sequence, decision } of this.#lake.history(this.#contract.dataset, before.sequence)) {
      // What came since the head was read is met by the next look: each commit once.
      if (sequence > head.sequence) break;
      if (!adding.has(decision.kind)) return false;
      this.#meet(decision);
    }
    return true;
  }

  #meet({ kind, windowId, ranges, counts }: Decision): void {
    // A published window's rows count since it was held.
    if (kind === "publish" || counts.promoted + counts.held === 0) return;
    const own = this.#pending.find((each) => each.windowId === windowId);
    if (own !== undefined) own.seen = true;
    else if (!this.#merged.delete(windowId)) for (const range of ranges) this.#stale.add(partitionId(range));
  }

  async #read(after: bigint): Promise<void> {
    const fields = storedFields(this.#plan, this.#contract.fields);
    for await (const stored of this.#lake.promotedColumns(this.#contract.dataset, fields, { after, held: true })) {
      const { keys, numbers } = gatherStored(this.#plan, fields, stored).asked;
      const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length / 4);
      numbers?.forEach((number, i) => this.#base.raise(words, 4 * i, number));
    }
  }

  /** A window was judged; what it moved counts for the windows after it. */
  judged(windowId: string, partitions: readonly string[], raised: LastNumbers): void {
    this.#pending.push({ windowId, partitions, raised, seen: false });
  }

  committed(windowId: string): void {
    const index = this.#pending.findIndex((each) => each.windowId === windowId);
    if (index < 0) return;
    const [{ raised, seen }] = this.#pending.splice(index, 1) as [Pending];
    this.#base.merge(raised);
    if (!seen) this.#merged.add(windowId);
  }

  /** Windows that are not committed are given up, and will be read again. */
  forget(): void {
    // One that stands in history all the same is to be read from there.
    for (const { seen, partitions } of this.#pending) if (seen) for (const id of partitions) this.#stale.add(id);
    this.#pending = [];
  }
}

function descends(snapshots: readonly SnapshotInfo[], head: SnapshotInfo, ancestor: SnapshotInfo): boolean {
  const byId = new Map(snapshots.map((each) => [each.snapshotId, each]));
  let at: SnapshotInfo | undefined = head;
  while (at !== undefined && at.sequence > ancestor.sequence) at = at.parentId === null ? undefined : byId.get(at.parentId);
  return at?.snapshotId === ancestor.snapshotId;
}
