/** What a soak measured at a moment since its begin. */
export interface Sample {
  readonly atMs: number;
  /** Resident memory. */
  readonly mb: number;
}

/** From noon on a day has seen its heaviest traffic: what that took of memory stays with V8 and glibc. */
const warmHour = 12;
/** A day may take this share more than the one before: the noise of collectors, and of maintenance, whose thread comes and goes. */
const riseMax = 0.05;

/** Days of equal length, one after the other; a night has a tenth of noon's traffic. */
export class Days {
  readonly dayMs: number;
  readonly #count: number;

  constructor(totalMs: number, count: number) {
    this.dayMs = totalMs / count;
    this.#count = count;
  }

  /** Hours since the begin of the first day. */
  hourAt(atMs: number): number {
    return (atMs / this.dayMs) * 24;
  }

  /** Share of noon's traffic. */
  trafficAt(atMs: number): number {
    return 0.55 - 0.45 * Math.cos(((this.hourAt(atMs) - 1) / 24) * 2 * Math.PI);
  }

  /** What was measured from noon on, of the last day but one and of the last. */
  afternoons<T extends Sample>(samples: readonly T[]): readonly [T[], T[]] {
    const of = (day: number): T[] =>
      samples.filter(({ atMs }) => Math.floor(atMs / this.dayMs) === day && this.hourAt(atMs) % 24 >= warmHour);
    return [of(this.#count - 2), of(this.#count - 1)];
  }

  /** Says what the last two days took, and answers whether the last one took no more. */
  isFlat(samples: readonly Sample[]): boolean {
    const [before, last] = this.afternoons(samples).map((part) => part.reduce((sum, { mb }) => sum + mb, 0) / part.length) as [
      number,
      number,
    ];
    const peak = Math.max(...samples.map(({ mb }) => mb));
    const megabytes = (value: number): string => `${Math.round(value)} MB`;
    console.log(`peak ${megabytes(peak)}; from noon on the last day but one takes ${megabytes(before)}, the last ${megabytes(last)}`);
    return last <= before * (1 + riseMax);
  }
}
