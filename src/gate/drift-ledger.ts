import type { Contract } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftInput, DriftOutcome } from "../core/drift.ts";
import { SluiceError } from "../core/errors.ts";
import type { CommittedWindow, Lake } from "../core/ports.ts";
import type { Profile } from "../core/profile.ts";
import type { DriftState } from "../drift/index.ts";
import { emptyDriftState, foldDrift, judgeDrift, pinBaseline } from "../drift/index.ts";
import { decodeProfile, emptyProfile, mergeProfiles } from "../sketches/index.ts";

const damaged: ReadonlySet<string> = new Set(["PROFILE_CORRUPT", "CONTENT_CORRUPT", "NOT_FOUND"]);
/** Commits that a fresh worker reads back beyond those a rolling baseline needs: enough to find the open tick's first window. */
const extraWindows = 100;

/**
 * What drift knows of one dataset: a fold over its committed windows, of every worker, in commit order. Kept in memory, rebuilt from the lake
 * when a worker starts or the contract changes.
 */
export class DriftLedger {
  readonly #lake: Lake;
  #contract: Contract;
  #state: DriftState = emptyDriftState;
  /** The last commit folded; null until the ledger is built. */
  #sequence: bigint | null = null;
  /** Profiles of this worker's newest windows, so that they need not be read back. */
  readonly #own = new Map<string, Uint8Array>();

  constructor(lake: Lake, contract: Contract) {
    this.#lake = lake;
    this.#contract = contract;
  }

  change(contract: Contract): void {
    this.#contract = contract;
    this.#state = emptyDriftState;
    this.#sequence = null;
  }

  remember(decision: Decision, profile: Uint8Array | null): void {
    if (this.#contract.drift === null || profile === null || decision.profile.hash === null) return;
    this.#own.set(decision.profile.hash, profile);
    const oldest = this.#own.keys().next().value;
    if (this.#own.size > 4 && oldest !== undefined) this.#own.delete(oldest);
  }

  /** Folds in what was committed since the last call, by any worker. */
  async catchUp(): Promise<true> {
    if (this.#contract.drift === null) return true;
    const known = this.#sequence;
    if (known !== null && !(await this.#foldAfter(known))) return true;
    // Some of what was folded was rolled back, or brought back: the fold begins anew, over what stands now.
    this.#state = emptyDriftState;
    const begin = await this.#begin();
    await this.#pin();
    await this.#foldAfter(begin);
    return true;
  }

  /** Folds in what stands after a commit; true where a rollback or its undoing is among it. */
  async #foldAfter(after: bigint): Promise<boolean> {
    let isMoved = false;
    this.#sequence = after;
    for await (const window of this.#lake.history(this.#contract.dataset, after)) {
      const { kind } = window.decision;
      if (kind === "withdraw" || kind === "restore") isMoved = true;
      else if (!window.isWithdrawn) await this.#fold(window);
      this.#sequence = window.sequence;
    }
    return isMoved;
  }

  judge(input: DriftInput): DriftOutcome {
    return judgeDrift(this.#contract, this.#state, input);
  }

  async #begin(): Promise<bigint> {
    const { baseline, warmupWindows } = this.#contract.drift as NonNullable<Contract["drift"]>;
    const needed = Math.max(warmupWindows, baseline.kind === "rolling" ? baseline.windows : 0) * 2 + extraWindows;
    return this.#lake.sequenceBefore(this.#contract.dataset, needed);
  }

  async #fold(window: CommittedWindow): Promise<void> {
    const { decision } = window;
    const { kind } = decision;
    if (kind === "replay" || kind === "drop") return;
    this.#state = foldDrift(this.#contract, this.#state, {
      windowId: decision.windowId,
      kind,
      closedAtMs: decision.closedAtMs,
      verdict: decision.verdict,
      drift: decision.drift,
      profile: await this.#profileOf(decision),
      accepted: kind === "publish",
    });
  }

  /** Null where no row passed, or where the stored profile is damaged: drift goes on without that window. */
  async #profileOf(decision: Decision): Promise<Profile | null> {
    const { hash } = decision.profile;
    if (hash === null) return null;
    try {
      return decodeProfile(this.#own.get(hash) ?? (await this.#lake.profile(hash)));
    } catch (error) {
      if (error instanceof SluiceError && damaged.has(error.code)) return null;
      throw error;
    }
  }

  /** A pinned baseline is everything promoted up to a snapshot, named by its id or by a tag. */
  async #pin(): Promise<void> {
    const { baseline } = this.#contract.drift as NonNullable<Contract["drift"]>;
    if (baseline.kind !== "pinned") return;
    const { dataset } = this.#contract;
    const snapshots = await this.#lake.snapshots(dataset);
    const pinned = snapshots.find((each) => each.snapshotId === baseline.ref || each.refs.includes(baseline.ref));
    if (pinned === undefined) return;
    let profile = emptyProfile(this.#contract);
    for await (const window of this.#lake.refs.windowsOf(dataset, pinned.snapshotId)) {
      const own = window.decision.counts.promoted > 0 ? await this.#profileOf(window.decision) : null;
      if (own !== null) profile = mergeProfiles(profile, own);
    }
    this.#state = pinBaseline(this.#state, { ref: baseline.ref, profile });
  }
}
