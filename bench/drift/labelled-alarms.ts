/** Windows within which a change counts as found, and in which nothing counts as false. */
export const graceWindows = 10;
/** Windows that every detector may learn from: what is in them counts for nothing. */
export const learnedWindows = 20;

/** What one detector's alarms are worth. */
export interface Score {
  readonly changes: number;
  /** Windows until each change that was found, 1 for the first. */
  readonly delays: readonly number[];
  readonly falseAlarms: number;
  /** Windows in which an alarm is a false one. */
  readonly quiet: number;
}

/** Scores alarms, given by the windows in which they began: a change is found by the first of the windows until the tenth or the next change, all others are false. */
export function scoreAlarms(alarms: readonly number[], changes: readonly number[], windows: number): Score {
  const judged = changes.filter((change) => change >= learnedWindows);
  const delays = judged.flatMap((change) => {
    const next = changes.find((each) => each > change) ?? windows;
    const found = alarms.find((window) => window >= change && window < Math.min(next, change + graceWindows));
    return found === undefined ? [] : [found - change + 1];
  });
  const isQuiet = (window: number): boolean =>
    window >= learnedWindows && changes.every((change) => window < change || window >= change + graceWindows);
  const quiet = Array.from({ length: windows }, (_, window) => window).filter(isQuiet);
  return { changes: judged.length, delays, falseAlarms: new Set(alarms.filter(isQuiet)).size, quiet: quiet.length };
}

/** Several series' scores as one. */
export function sumScores(scores: readonly Score[]): Score {
  return {
    changes: scores.reduce((sum, each) => sum + each.changes, 0),
    delays: scores.flatMap((each) => each.delays),
    falseAlarms: scores.reduce((sum, each) => sum + each.falseAlarms, 0),
    quiet: scores.reduce((sum, each) => sum + each.quiet, 0),
  };
}

/** Such as "3 of 4, after 2; 1 false in 90". */
export function scoreText({ changes, delays, falseAlarms, quiet }: Score): string {
  const sorted = delays.toSorted((a, b) => a - b);
  const after = sorted.length === 0 ? "" : `, after ${sorted[(sorted.length - 1) >> 1]}`;
  return `${delays.length} of ${changes}${after}; ${falseAlarms} false in ${quiet}`;
}
