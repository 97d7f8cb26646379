/** How many alarms a threshold raises in a run; one that goes on is one. */
export function alarmsOf(values: ArrayLike<number>, threshold: number): number {
  let alarms = 0;
  let isAlarm = false;
  for (let i = 0; i < values.length; i++) {
    const exceeds = (values[i] as number) > threshold;
    if (exceeds && !isAlarm) alarms++;
    isAlarm = exceeds;
  }
  return alarms;
}

/**
 * The lowest threshold by which quiet runs raise no more alarms than `allowed`, in all: looked for from above, as alarms run into one another again where nearly every window
 * is over it. `runs` has the statistic of each window of each run.
 */
export function thresholdAt(runs: readonly ArrayLike<number>[], allowed: number): number {
  const highest = Float64Array.from(runs.flatMap((run) => Array.from(run)))
    .sort()
    .reverse();
  let threshold = highest[0] ?? Infinity;
  for (const candidate of highest) {
    if (runs.reduce((sum, run) => sum + alarmsOf(run, candidate), 0) > allowed) break;
    threshold = candidate;
  }
  return threshold;
}
