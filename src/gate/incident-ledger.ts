import { randomUUID } from "node:crypto";
import { SluiceError } from "../core/errors.ts";
import type { Incident, IncidentFact, IncidentNote, IncidentNotice, IncidentPlan } from "../core/incident.ts";
import type { IncidentChange } from "../core/incident-store.ts";
import type { Block, Lake } from "../core/ports.ts";
import type { IncidentState, IncidentStep } from "../incidents/index.ts";
import { emptyIncidentState, foldNote, foldWindow, readIncidentState, stopKey } from "../incidents/index.ts";

/** Commits folded between two writes: a long history is not folded twice because of a fault near its end. */
const stepWindowsMax = 500;
const sequenceMax = 2n ** 63n;

export interface IncidentLedgerOptions {
  readonly lake: Lake;
  readonly dataset: string;
  /** What is an incident, by the contract of a commit's decision. */
  readonly planOf: (contractHash: string) => Promise<IncidentPlan>;
  readonly now: () => number;
  /** Told each notice once, by the process that kept it. */
  readonly onNotice: (notice: IncidentNotice) => void;
}

/** What is about to be kept: all that changed since a version. */
interface Draft {
  version: number;
  state: IncidentState;
  steps: number;
  notes: IncidentNote[];
  notices: IncidentNotice[];
  changed: Map<string, Incident>;
}

function draftAt(version: number, state: IncidentState): Draft {
  return { version, state, steps: 0, notes: [], notices: [], changed: new Map() };
}

function add(draft: Draft, { state, changed, notices, note }: IncidentStep): void {
  draft.state = state;
  draft.steps++;
  if (note !== null) draft.notes.push(note);
  draft.notices.push(...notices);
  for (const one of changed) draft.changed.set(one.id, one);
}

/**
 * A dataset's incidents, kept beside the catalog: brought up to its newest commit, to the stops that stand, and to the time. Any process may do it, and
 * several at once: each step replaces the version that it began at, or is made again.
 */
export class IncidentLedger {
  readonly #options: IncidentLedgerOptions;

  constructor(options: IncidentLedgerOptions) {
    this.#options = options;
  }

  /** Folds in all that is new, and answers what then stands. Rejects with CATALOG_*, STORAGE_*, NOT_FOUND where the dataset has no table. */
  catchUp(): Promise<IncidentState> {
    return this.#settle((draft) => this.#foldNew(draft));
  }

  /** Records what a person says of an incident. Rejects with NOT_FOUND, and with INCIDENT_REFUSED where it does not fit. */
  async answer(fact: Extract<IncidentFact, { author: string }>): Promise<Incident> {
    const id = randomUUID();
    const { dataset, lake } = this.#options;
    await this.#settle(async (draft) => {
      await this.#foldNew(draft);
      // A reply that was lost: the note is in the version that is read now.
      if ((await lake.incidents.notes(dataset)).some((note) => note.id === id)) return;
      this.#addNote(draft, { ...fact, id }, draft.changed.get(fact.incident) ?? (await this.#find(fact.incident)));
    });
    return (await this.#find(fact.incident)) as Incident;
  }

  async #find(id: string): Promise<Incident | null> {
    const { dataset, lake } = this.#options;
    return (await lake.incidents.incidents(dataset, { ids: [id] }))[0] ?? null;
  }

  async #settle(work: (draft: Draft) => Promise<void>): Promise<IncidentState> {
    for (let isUnknown = false; ;) {
      try {
        const draft = await this.#load();
        await work(draft);
        if (draft.steps === 0 || (await this.#keep(draft))) return draft.state;
      } catch (fault) {
        // Whether it was kept shows when it is read again; a database that never says is not asked for ever.
        if (isUnknown || !(fault instanceof SluiceError) || fault.code !== "COMMIT_UNKNOWN") throw fault;
        isUnknown = true;
      }
    }
  }

  async #load(): Promise<Draft> {
    const { lake, dataset } = this.#options;
    const kept = await lake.incidents.load(dataset);
    const known = kept === null ? null : readIncidentState(kept.state);
    if (kept !== null && known !== null) return draftAt(kept.version, known);
    const draft = draftAt(kept?.version ?? 0, emptyIncidentState(dataset));
    const notes = await lake.incidents.notes(dataset);
    if (notes.length > 0) await this.#rebuild(draft, notes);
    return draft;
  }

  /** All that was recorded, folded again in the order in which it was folded first: each note after the commits that stood before it. */
  async #rebuild(draft: Draft, notes: readonly IncidentNote[]): Promise<void> {
    const { lake, dataset, planOf } = this.#options;
    let next = 0;
    const foldNotes = (before: bigint): void => {
      for (let note = notes[next]; note !== undefined && BigInt(note.after) < before; note = notes[++next]) {
        add(draft, foldNote(draft.state, note, "incident" in note ? (draft.changed.get(note.incident) ?? null) : null));
      }
    };
    for await (const window of lake.history(dataset, 0n)) {
      foldNotes(window.sequence);
      add(draft, foldWindow(draft.state, window, await planOf(window.decision.contract.hash)));
    }
    foldNotes(sequenceMax);
  }

  async #foldNew(draft: Draft): Promise<void> {
    const { lake, dataset, planOf, now } = this.#options;
    const { blocks } = await lake.state(dataset);
    for await (const window of lake.history(dataset, BigInt(draft.state.sequence))) {
      add(draft, foldWindow(draft.state, window, await planOf(window.decision.contract.hash)));
      if (draft.steps < stepWindowsMax) continue;
      const isKept = await this.#keep(draft);
      Object.assign(draft, isKept ? draftAt(draft.version + 1, draft.state) : await this.#load());
      if (!isKept) return this.#foldNew(draft);
    }
    this.#lookAtStops(draft, blocks);
    for (const { id, snoozedUntilMs } of draft.state.live) {
      if (snoozedUntilMs !== null && snoozedUntilMs <= now()) this.#addNote(draft, { kind: "awoke", incident: id });
    }
  }

  /** Stops are no commits: what began and what ended since the last look is noted, so that the fold can be made again. */
  #lookAtStops(draft: Draft, blocks: readonly Block[]): void {
    const { stops } = draft.state;
    const standing = new Set(blocks.map(stopKey));
    for (const { key } of stops) if (!standing.has(key)) this.#addNote(draft, { kind: "unstopped", key });
    for (const { topic, partition, code, message, sinceMs } of blocks) {
      const key = stopKey({ topic, partition, code });
      if (stops.some((one) => one.key === key)) continue;
      this.#addNote(draft, { kind: "stopped", topic, partition, code, message, sinceMs });
    }
  }

  #addNote(draft: Draft, fact: IncidentFact & { readonly id?: string }, known: Incident | null = null): void {
    const note: IncidentNote = { id: randomUUID(), ...fact, after: draft.state.sequence, atMs: this.#options.now() };
    add(draft, foldNote(draft.state, note, known));
  }

  /** Keeps a draft, unless another process was quicker; only what was kept is told. */
  async #keep({ version, state, notes, notices, changed }: Draft): Promise<boolean> {
    const { lake, dataset, onNotice } = this.#options;
    const firstNote = state.notes - notes.length + 1;
    // Numbers begin at 2: a cursor at 1 has begun and was told nothing yet.
    const firstNotice = state.notices - notices.length + 2;
    const change: IncidentChange = {
      state: JSON.stringify(state),
      notes: notes.map((note, index) => ({ number: firstNote + index, note })),
      notices: notices.map((notice, index) => ({ number: firstNotice + index, notice })),
      incidents: [...changed.values()],
    };
    if (!(await lake.incidents.keep(dataset, version, change))) return false;
    for (const notice of notices) onNotice(notice);
    return true;
  }
}
