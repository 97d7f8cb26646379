import type { Incident } from "../core/incident.ts";
import type { IncidentLedger } from "./incident-ledger.ts";
import type { OutboxLine } from "./outbox.ts";

/** Keeps datasets' incidents: one process at a time folds what is new, and its cursor says how far, so that no commit expires unseen. */
export interface IncidentLines {
  readonly lines: readonly OutboxLine[];
  /** Open incidents, by the datasets that this process keeps. */
  open(): ReadonlyMap<string, readonly Incident[]>;
}

/** Name of the cursor; sinks of the configuration have others. */
const keeper = "incidents";
/** Several times the pause between two looks. */
const staleMs = 30_000;

/** Lines of an outbox that bring ledgers up to date. */
export function incidentLines(ledgers: ReadonlyMap<string, IncidentLedger>): IncidentLines {
  const open = new Map<string, { readonly incidents: readonly Incident[]; readonly seenMs: number }>();
  const lines = [...ledgers].map(([dataset, ledger]): OutboxLine => ({
    sink: keeper,
    dataset,
    cursor: dataset,
    pending: async function* (after) {
      const state = await ledger.catchUp();
      const found = state.live.filter((one) => one.status === "open");
      open.set(dataset, { incidents: found, seenMs: performance.now() });
      const sequence = BigInt(state.sequence);
      if (sequence > after) yield { sequence, atMs: state.main?.atMs ?? 0, send: () => Promise.resolve() };
    },
  }));
  // What another process keeps by now is not for this one to say.
  const isOwn = ({ seenMs }: { readonly seenMs: number }): boolean => performance.now() - seenMs < staleMs;
  const look = (): ReadonlyMap<string, readonly Incident[]> => {
    const own = [...open].filter(([, each]) => isOwn(each));
    return new Map(own.map(([dataset, { incidents }]) => [dataset, incidents]));
  };
  return { lines, open: look };
}
