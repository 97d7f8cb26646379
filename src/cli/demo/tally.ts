import type { Decision } from "../../core/decision.ts";
import type { GateEvent } from "../../core/events.ts";

const notesMax = 6;
const troubleMark = "source: ";

/** What the demo has seen so far, for the live view. */
export class Tally {
  readonly rows: number;
  /** Rules that reject rows; the failures of others are counted against a threshold and quarantine nothing. */
  readonly #rowRules: ReadonlySet<string>;
  produced = 0;
  records = 0;
  promoted = 0;
  quarantined = 0;
  held = 0;
  skipped = 0;
  windows = 0;
  snapshotId: string | null = null;
  drift = "learning what is normal";
  /** Rejected rows by rule, over committed windows that were not held. */
  readonly byRule = new Map<string, number>();
  /** The newest things worth a line, oldest first. */
  readonly notes: string[] = [];

  constructor(rows: number, rowRules: Iterable<string>) {
    this.rows = rows;
    this.#rowRules = new Set(rowRules);
  }

  /** Takes in a window's decision: one committed before this process, or now. */
  add(decision: Decision): void {
    const { counts } = decision;
    this.windows++;
    this.records += counts.records;
    this.promoted += counts.promoted;
    this.quarantined += counts.quarantined;
    this.held += counts.held;
    this.skipped += counts.skipped.tombstone + counts.skipped.late;
    if (decision.verdict !== "hold") {
      for (const rule of decision.rules) {
        if (rule.failed > 0 && this.#rowRules.has(rule.rule)) this.byRule.set(rule.rule, (this.byRule.get(rule.rule) ?? 0) + rule.failed);
      }
    }
    this.#addDrift(decision);
  }

  observe(event: GateEvent): void {
    switch (event.type) {
      case "window.committed":
        this.add(event.decision);
        this.snapshotId = event.snapshotId;
        break;
      case "commit.failed":
      case "sink.failed":
      case "source.blocked":
        this.note(`${event.type}: ${event.error.message} [${event.error.code}]`);
        break;
      case "source.trouble":
        this.#settleTrouble();
        if (event.error !== null) this.note(`${troubleMark}${event.error.message}`);
        break;
      default:
        break;
    }
  }

  note(text: string): void {
    if (this.notes.at(-1) === text) return;
    this.notes.push(text);
    if (this.notes.length > notesMax) this.notes.shift();
  }

  /** A trouble that is over is not worth a line. */
  #settleTrouble(): void {
    const last = this.notes.findIndex((one) => one.startsWith(troubleMark));
    if (last >= 0) this.notes.splice(last, 1);
  }

  #addDrift({ drift, verdict, windowId }: Decision): void {
    if (drift.status === "learning") this.drift = `learning what is normal: ${drift.needs} more windows`;
    else if (drift.status !== "off" && drift.status !== "pending") this.drift = drift.status;
    if (verdict === "hold") this.note(`window ${windowId} held`);
    for (const result of drift.results) {
      if (result.status === "drift" && result.policy !== "observe" && result.explanation !== null)
        this.note(`drift (${result.policy}): ${result.explanation}`);
    }
  }
}
