import { isDeepStrictEqual } from "node:util";
import type { Contract } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftInput, DriftOutcome, DriftRebase } from "../core/drift.ts";
import { SluiceError } from "../core/errors.ts";
import type { CommittedWindow, Lake } from "../core/ports.ts";
import type { Profile } from "../core/profile.ts";
import type { DriftState } from "../drift/index.ts";
import { calibrationOf, emptyDriftState, foldDrift, foldEvidence, judgeDrift, pinBaseline, scoresMax } from "../drift/index.ts";
import { decodeProfile, emptyProfile, mergeProfiles } from "../sketches/index.ts";
import { OtherBaseline } from "./other-baseline.ts";

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

const damaged: ReadonlySet<string> = new Set(["PROFILE_CORRUPT", "CONTENT_CORRUPT", "NOT_FOUND"]);
/** Commits that a fresh worker reads back beyond those a rolling baseline needs: enough to find the open tick's first window. */
const extraWindows = 100;
/** Commits whose decisions alone a fresh worker reads back at most, for the scores of their ticks. */
const evidenceCommitsMax = 6400;

/** Windows of this worker that wait to be folded in, at most: more are read back. */
const ownMax = 4;

/** Commits of incidents that a person labelled as false positives, both ends included. */
interface FalseAlarm {
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * What drift knows of one dataset: a fold over its committed windows, of every worker, in commit order. Kept in memory, rebuilt from the lake
 * when a worker starts or the contract changes.
 */
export class DriftLedger {
  readonly #lake: Lake;
  #contract: Contract;
  #state: DriftState = emptyDriftState;
  /** What a person last called the new normal. */
  #rebase: DriftRebase | null = null;
  #falseAlarms: readonly FalseAlarm[] = [];
  /** Where the baseline is another dataset's windows. */
  #other: OtherBaseline | null = null;
  /** The last commit folded; null until the ledger is built. */
  #sequence: bigint | null = null;
  /** The window judged last. */
  #judged: Pick<DriftInput, "windowId" | "profile"> | null = null;
  /** Profiles of this worker's windows that were committed and not folded in yet, so that they need not be read back. */
  readonly #own = new Map<string, Profile>();

  constructor(lake: Lake, contract: Contract) {
    this.#lake = lake;
    this.#contract = contract;
  }

  change(contract: Contract): void {
    this.#contract = contract;
    this.#state = emptyDriftState;
    this.#sequence = null;
  }

  /** Keeps the profile that a window was judged by, until the window's commit is folded in. */
  remember({ windowId, profile: { hash } }: Decision): void {
    if (this.#judged?.windowId !== windowId || hash === null) return;
    this.#own.set(hash, this.#judged.profile);
    this.#judged = null;
    const oldest = this.#own.keys().next().value;
    if (this.#own.size > ownMax && oldest !== undefined) this.#own.delete(oldest);
  }

  /** Folds in what was committed since the last call, by any worker. */
  async catchUp(): Promise<true> {
    if (this.#contract.drift === null) return true;
    const { driftRebase } = await this.#lake.state(this.#contract.dataset);
    const falseAlarms = await this.#labels();
    const isSame = this.#rebase?.atMs === driftRebase?.atMs && isDeepStrictEqual(this.#falseAlarms, falseAlarms);
    const known = isSame ? this.#sequence : null;
    this.#rebase = driftRebase;
    this.#falseAlarms = falseAlarms;
    if (known === null || (await this.#foldAfter(known))) await this.#rebuild();
    const other = await this.#other?.read();
    if (other !== undefined && other !== null) this.#state = pinBaseline(this.#state, other);
    return true;
  }

  /** What persons said were no incidents, of those that drift was part of. */
  async #labels(): Promise<readonly FalseAlarm[]> {
    const labelled = await this.#lake.incidents.incidents(this.#contract.dataset, { isFalsePositive: true });
    return labelled.flatMap(({ id, signals, sequences }) =>
      sequences === null || !signals.some((each) => each.kind === "drift")
        ? []
        : [{ id, first: BigInt(sequences.first), last: BigInt(sequences.last) }],
    );
  }

  /** Whether what drift said of a commit was a false alarm. */
  #isFalseAlarm(sequence: bigint): boolean {
    return this.#falseAlarms.some(({ first, last }) => first <= sequence && sequence <= last);
  }

  async #rebuild(): Promise<void> {
    // Where some of what was folded was rolled back, or brought back, the fold begins anew, over what stands now.
    const needed = this.#neededCommits();
    const { dataset } = this.#contract;
    const { after: normalFrom, until: normalTo } = this.#rebase ?? { after: 0n, until: 0n };
    const begin = later(await this.#lake.sequenceBefore(dataset, needed), normalFrom);
    this.#state = emptyDriftState;
    // Detectors remember more ticks than baselines, and need no profiles: further and further back, until there are enough.
    const farthest = begin > 0n && this.#contract.drift?.detection?.mode === "sequential" ? evidenceCommitsMax : 0;
    for (let far = 2 * needed; far <= farthest; far *= 2) {
      const from = later(await this.#lake.sequenceBefore(dataset, far), normalTo);
      this.#state = emptyDriftState;
      await this.#foldEvidence(from, begin);
      if (from <= normalTo || calibrationOf(this.#state.sequence) >= scoresMax) break;
    }
    await this.#pin();
    await this.#foldAfter(begin);
  }

  /** Folds what decisions say of their ticks, of commits after one up to another. */
  async #foldEvidence(after: bigint, until: bigint): Promise<void> {
    for await (const { sequence, isWithdrawn, decision } of this.#lake.history(this.#contract.dataset, after)) {
      if (sequence > until) return;
      if (isWithdrawn || decision.kind !== "window") continue;
      this.#state = foldEvidence(this.#contract, this.#state, { ...decision, isFalseAlarm: this.#isFalseAlarm(sequence) });
    }
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
    if (this.#contract.drift === null) return judgeDrift(this.#contract, this.#state, input);
    // Decoding a profile takes as long as judging it: a getter is asked once, and spreading the input would ask it again.
    const { profile, ...rest } = input;
    this.#judged = { windowId: rest.windowId, profile };
    return judgeDrift(this.#contract, this.#state, { ...rest, profile });
  }

  /** How far a fresh worker reads back for a baseline and the open tick. */
  #neededCommits(): number {
    const { baseline, warmupWindows } = this.#contract.drift as NonNullable<Contract["drift"]>;
    if (baseline.kind === "seasonal") {
      // A season comes once a day or once a week, however many windows there are in it.
      return evidenceCommitsMax;
    }
    return Math.max(warmupWindows, baseline.kind === "rolling" ? baseline.windows : 0) * 2 + extraWindows;
  }

  async #fold(window: CommittedWindow): Promise<void> {
    const { decision } = window;
    const { kind } = decision;
    if (kind === "replay" || kind === "drop") return;
    // A person said that these are normal, whatever drift said of them.
    const isNormal = this.#rebase !== null && window.sequence <= this.#rebase.until && decision.counts.promoted > 0;
    this.#state = foldDrift(this.#contract, this.#state, {
      windowId: decision.windowId,
      kind,
      openedAtMs: decision.openedAtMs,
      closedAtMs: decision.closedAtMs,
      verdict: decision.verdict,
      drift: decision.drift,
      profile: await this.#profileOf(decision),
      accepted: kind === "publish" || isNormal,
      isFalseAlarm: this.#isFalseAlarm(window.sequence),
    });
  }

  /** Null where no row passed, or where the stored profile is damaged: drift goes on without that window. */
  async #profileOf(decision: Decision): Promise<Profile | null> {
    const { hash } = decision.profile;
    if (hash === null) return null;
    const own = this.#own.get(hash);
    this.#own.delete(hash);
    if (own !== undefined) return own;
    try {
      return decodeProfile(await this.#lake.profile(hash));
    } catch (error) {
      if (error instanceof SluiceError && damaged.has(error.code)) return null;
      throw error;
    }
  }

  /** A pinned baseline is everything promoted up to a snapshot, named by its id or by a tag. */
  async #pin(): Promise<void> {
    const { baseline } = this.#contract.drift as NonNullable<Contract["drift"]>;
    this.#other = baseline.kind === "dataset" ? new OtherBaseline(this.#lake, baseline, (decision) => this.#profileOf(decision)) : null;
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
