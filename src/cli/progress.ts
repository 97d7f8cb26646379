import type { Terminal } from "./terminal.ts";
import { formatCount } from "./table.ts";

const redrawMs = 100;

/** A bar on the terminal's last line; nothing at all where nobody watches. */
export interface Progress {
  /** `total` null: how much there is, is not known. */
  update(done: number, total: number | null): void;
  /** Takes the bar away. */
  end(): void;
}

/** A progress bar with rate and, where the total is known, the time left. `tick` is a monotonic clock in milliseconds. */
export function createProgress(terminal: Terminal, label: string, unit: string, tick: () => number = () => performance.now()): Progress {
  if (!terminal.isWatched) return { update: () => {}, end: () => {} };
  const began = tick();
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const now = tick();
      if (now - drawn < redrawMs) return;
      drawn = now;
      const seconds = (now - began) / 1000;
      const rate = seconds > 0 ? done / seconds : 0;
      const text = renderBar({ label, unit, done, total, rate }, terminal.columns());
      terminal.draw(`\r\u001b[2K${text}`);
    },
    end() {
      terminal.draw("\r\u001b[2K");
    },
  };
}

/** One line of at most `columns` characters. */
export function renderBar(
  at: { readonly label: string; readonly unit: string; readonly done: number; readonly total: number | null; readonly rate: number },
  columns: number,
): string {
  const rate = `${formatCount(Math.round(at.rate))} ${at.unit}/s`;
  const counted = at.total === null ? formatCount(at.done) : `${formatCount(at.done)} of ${formatCount(at.total)}`;
  const share = at.total === null || at.total === 0 ? null : Math.min(1, at.done / at.total);
  const left = share === null || at.rate <= 0 ? "" : `  ${formatSeconds(((at.total as number) - at.done) / at.rate)} left`;
  const text = `${at.label}  ${counted} ${at.unit}  ${rate}${left}`;
  const room = Math.min(30, columns - text.length - 9);
  if (share === null || room < 5) return text.slice(0, columns - 1);
  const filled = Math.round(share * room);
  return `${at.label}  ${"█".repeat(filled)}${"░".repeat(room - filled)} ${Math.floor(share * 100)}%${text.slice(at.label.length)}`.slice(
    0,
    columns - 1,
  );
}

function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`;
}
