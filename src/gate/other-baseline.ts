import { SluiceError } from "../core/errors.ts";
import type { Decision } from "../core/decision.ts";
import type { Lake } from "../core/ports.ts";
import type { Profile } from "../core/profile.ts";
import type { PinnedProfile } from "../drift/index.ts";
import { mergeProfiles } from "../sketches/index.ts";

/** Windows are looked for among this many times as many commits: replays and answers of people are commits too. */
const commitsAWindow = 4;

type ProfileOf = (decision: Decision) => Promise<Profile | null>;

/** The newest promoted windows of another dataset, for a baseline: what its own drift said an alarm about is not among them. */
export class OtherBaseline {
  readonly #lake: Lake;
  readonly #dataset: string;
  readonly #most: number;
  readonly #profileOf: ProfileOf;
  #profiles: readonly Profile[] = [];
  #sequence: bigint | null = null;

  constructor(lake: Lake, plan: { readonly dataset: string; readonly windows: number }, profileOf: ProfileOf) {
    this.#lake = lake;
    this.#dataset = plan.dataset;
    this.#most = plan.windows;
    this.#profileOf = profileOf;
  }

  /** The profile as of now; null where nothing has changed since the last call. A dataset that is not there yet has no rows. */
  async read(): Promise<PinnedProfile | null> {
    const known = this.#sequence;
    try {
      if (!(await this.#catchUp())) {
        // Windows were rolled back, or brought back.
        this.#sequence = null;
        await this.#catchUp();
      }
    } catch (error) {
      if (error instanceof SluiceError && error.code === "NOT_FOUND") return null;
      throw error;
    }
    if (this.#sequence === known) return null;
    const [first, ...rest] = this.#profiles;
    if (first === undefined) return null;
    return { ref: this.#dataset, profile: rest.reduce(mergeProfiles, first), windows: this.#profiles.length };
  }

  /** False where main was moved. */
  async #catchUp(): Promise<boolean> {
    const known = this.#sequence;
    const after = known ?? (await this.#lake.sequenceBefore(this.#dataset, this.#most * commitsAWindow));
    if (known === null) this.#profiles = [];
    this.#sequence = after;
    for await (const { decision, isWithdrawn, sequence } of this.#lake.history(this.#dataset, after)) {
      this.#sequence = sequence;
      if (decision.kind === "withdraw" || decision.kind === "restore") {
        if (known !== null) return false;
        continue;
      }
      const { status } = decision.drift;
      const isUsual = decision.kind === "window" && decision.counts.promoted > 0 && status !== "warn" && status !== "hold";
      if (isWithdrawn || (!isUsual && decision.kind !== "publish")) continue;
      const profile = await this.#profileOf(decision);
      if (profile !== null) this.#profiles = [...this.#profiles, profile].slice(-this.#most);
    }
    return true;
  }
}
