import { formatCount, formatShare, printable } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { Tally } from "./tally.ts";

const redrawMs = 200;
const lineMs = 2000;
const rulesShown = 8;

/** Shows a tally while it grows: a block that is drawn over on a terminal, else a line now and then. */
export interface LiveView {
  /** Ends it; on a terminal the last picture stays. */
  end(): void;
}

/** Starts showing. `tick` is a monotonic clock in milliseconds. */
export function createLiveView(terminal: Terminal, tally: Tally, tick: () => number = () => performance.now()): LiveView {
  const began = tick();
  const firstRecords = tally.records;
  const rate = (): number => ((tally.records - firstRecords) * 1000) / Math.max(1, tick() - began);
  let drawn = 0;
  const draw = (): void => {
    const width = terminal.columns() - 1;
    const lines = renderTally(tally, rate(), terminal).map((line) => line.slice(0, width + (line.length - printable(line).length)));
    const up = drawn > 0 ? `\u001b[${drawn}A` : "";
    terminal.draw(`${up}${lines.map((line) => `\r\u001b[2K${line}\n`).join("")}\u001b[J`);
    drawn = lines.length;
  };
  const say = (): void => terminal.err(renderLine(tally, rate()));
  let over = false;
  const timer = setInterval(terminal.isWatched ? draw : say, terminal.isWatched ? redrawMs : lineMs);
  return {
    end() {
      if (over) return;
      over = true;
      clearInterval(timer);
      if (terminal.isWatched) draw();
      else say();
    },
  };
}

/** One line of progress, for logs. */
export function renderLine(tally: Tally, rate: number): string {
  const { produced, records, promoted, quarantined, held, windows, drift } = tally;
  const parts = [
    `produced ${formatCount(produced)}`,
    `judged ${formatCount(records)} (${formatCount(Math.round(rate))}/s)`,
    `promoted ${formatCount(promoted)}`,
    `quarantined ${formatCount(quarantined)}`,
    `held ${formatCount(held)}`,
    `snapshots ${windows}`,
    `drift: ${drift}`,
  ];
  return parts.join("  ");
}

/** The live view's lines. */
export function renderTally(tally: Tally, rate: number, terminal: Pick<Terminal, "styleErr">): readonly string[] {
  const { produced, rows, records, promoted, quarantined, held, skipped, windows, drift } = tally;
  const row = (name: string, value: number, note: string, style: Parameters<Terminal["styleErr"]>[0]): string =>
    `  ${name.padEnd(12)}${terminal.styleErr(style, formatCount(value).padStart(9))}  ${terminal.styleErr("dim", note)}`;
  const lines = [
    row("produced", produced, `of ${formatCount(rows)}`, "bold"),
    row("judged", records, `${formatCount(Math.round(rate))} records/s`, "bold"),
    row("promoted", promoted, formatShare(promoted, records), "green"),
    row("quarantined", quarantined, formatShare(quarantined, records), "yellow"),
    row("held", held, held > 0 ? "whole windows, waiting for a person" : "", "magenta"),
    row("skipped", skipped, "", "dim"),
    row("snapshots", windows, tally.snapshotId === null ? "" : `newest ${tally.snapshotId}`, "cyan"),
    `  ${"drift".padEnd(12)}${drift}`,
  ];
  const rules = [...tally.byRule].sort((a, b) => b[1] - a[1]).slice(0, rulesShown);
  if (rules.length > 0)
    lines.push("", terminal.styleErr("dim", "  quarantined by rule (a record can fail several; one that can't be decoded fails none)"));
  for (const [rule, count] of rules) lines.push(`  ${formatCount(count).padStart(9)}  ${rule}`);
  if (tally.notes.length > 0) lines.push("");
  for (const note of tally.notes) lines.push(`  ${terminal.styleErr("yellow", "!")} ${printable(note)}`);
  return lines;
}
