import type { Incident, IncidentNotice } from "../core/incident.ts";
import { isGoingOn, settle } from "./change-incident.ts";
import type { IncidentState, IncidentStep } from "./incident-state.ts";

/** Incidents that are over and can be named as the previous one. */
const overMax = 100;

/** The incidents of a state while one step changes them. */
export class Change {
  readonly #before: IncidentState;
  readonly #live: Map<string, Incident>;
  readonly #notices: IncidentNotice[] = [];
  readonly #changed = new Set<string>();
  rate: IncidentState["rate"];

  constructor(state: IncidentState) {
    this.#before = state;
    this.#live = new Map(state.live.map((one) => [one.id, one]));
    this.rate = state.rate;
  }

  get live(): readonly Incident[] {
    return [...this.#live.values()];
  }

  put(incident: Incident): void {
    if (this.#live.get(incident.id) === incident) return;
    this.#live.set(incident.id, incident);
    this.#changed.add(incident.id);
  }

  tell(notices: readonly IncidentNotice[]): void {
    this.#notices.push(...notices);
  }

  /** An earlier incident that had one of these signals. */
  previous(keys: readonly string[]): string | null {
    return this.#before.over.findLast((one) => one.keys.some((key) => keys.includes(key)))?.id ?? null;
  }

  /** The incident that a signal belongs to already: an open one that has it, or one that was resolved while it went on. */
  ownerOf(key: string): Incident | undefined {
    const has = (one: Incident): boolean => one.signals.some((signal) => signal.key === key && (signal.isActive || one.status === "open"));
    return this.live.findLast((one) => one.status === "open" && has(one)) ?? this.live.findLast(has);
  }

  /** Puts right what each changed incident has come to, and tells it. */
  settleAll(atMs: number): void {
    for (const id of this.#changed) {
      const now = this.#live.get(id) as Incident;
      const { incident, notices } = settle(this.#before.live.find((one) => one.id === id) ?? null, now, atMs);
      this.#live.set(id, incident);
      this.tell(notices);
    }
  }

  /** The next state: what is over and of which nothing goes on leaves the live ones. */
  step(next: Partial<IncidentState>): IncidentStep {
    const changed = [...this.#changed].map((id) => this.#live.get(id) as Incident);
    const gone = this.live.filter((one) => one.status !== "open" && !isGoingOn(one));
    const over = [...this.#before.over, ...gone.map(({ id, signals }) => ({ id, keys: signals.map((signal) => signal.key) }))];
    const state: IncidentState = {
      ...this.#before,
      live: this.live.filter((one) => !gone.includes(one)),
      over: over.slice(-overMax),
      rate: this.rate,
      notices: this.#before.notices + this.#notices.length,
      ...next,
    };
    return { state, changed, notices: this.#notices, note: null };
  }
}
