import type { Scrape } from "./rig.ts";

/** Series of a real run as promtool reads them, and what else that run exposed. */
export interface Recording {
  readonly intervalSeconds: number;
  readonly samples: number;
  /** When each fault began or ended, in seconds since the first scrape. */
  readonly marks: Readonly<Record<string, number>>;
  /** By series (`name{label="value"}`): its samples in promtool's notation. */
  readonly series: Readonly<Record<string, string>>;
  /** Every metric that was exposed, and the labels that its series had. */
  readonly exposed: Readonly<Record<string, readonly string[]>>;
}

/** `name{a="b"}` with more labels before its own; values hold no `}`. */
function labelled(series: string, labels: Readonly<Record<string, string>>): string {
  const [name = "", own = ""] = series.replace(/\}$/, "").split("{");
  const added = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${[...added, ...(own === "" ? [] : [own])].join(",")}}`;
}

/** Runs of equal samples become `value+0xN`; a target that is gone leaves Prometheus' mark of a stale series, and nothing after it. */
function notationOf(values: readonly (number | null)[]): string {
  const words: string[] = [];
  for (let at = 0; at < values.length;) {
    const value = values[at] ?? null;
    let end = at + 1;
    while (end < values.length && (values[end] ?? null) === value) end++;
    const count = end - at;
    if (value === null) {
      const hidden = at === 0 ? count : count - 1;
      if (at > 0) words.push("stale");
      if (hidden > 0) words.push(`_x${hidden}`);
    } else words.push(count === 1 ? String(value) : `${value}+0x${count - 1}`);
    at = end;
  }
  return words.join(" ");
}

/** Gathers scrapes of several workers, one after the other, at the same times. */
export class Recorder {
  readonly #values = new Map<string, (number | null)[]>();
  readonly #exposed = new Map<string, Set<string>>();
  readonly #marks: Record<string, number> = {};
  readonly #keep: ReadonlySet<string>;
  readonly #intervalSeconds: number;
  #samples = 0;

  /** `keep`: the metrics whose values are kept; of all others only the names and labels are. */
  constructor(keep: ReadonlySet<string>, intervalSeconds: number) {
    this.#keep = keep;
    this.#intervalSeconds = intervalSeconds;
  }

  mark(name: string): void {
    this.#marks[name] = Math.max(0, this.#samples - 1) * this.#intervalSeconds;
  }

  /** Takes what each worker answered at one time. */
  take(scrapes: ReadonlyMap<string, Scrape | null>): void {
    for (const [instance, found] of scrapes) {
      this.#add(`up{job="sluice",instance="${instance}"}`, found === null ? 0 : 1);
      for (const [series, value] of found ?? []) {
        const name = series.split("{")[0] ?? "";
        const labels = this.#exposed.get(name) ?? new Set<string>();
        for (const [, label] of series.matchAll(/[{,]([a-z_]+)="/g)) labels.add(label as string);
        this.#exposed.set(name, labels);
        if (this.#keep.has(name)) this.#add(labelled(series, { job: "sluice", instance }), value);
      }
    }
    this.#samples++;
  }

  #add(series: string, value: number): void {
    const values = this.#values.get(series) ?? [];
    while (values.length < this.#samples) values.push(null);
    values.push(value);
    this.#values.set(series, values);
  }

  finish(): Recording {
    const series = [...this.#values].map(([name, values]): [string, string] => {
      while (values.length < this.#samples) values.push(null);
      return [name, notationOf(values)];
    });
    series.sort(([a], [b]) => (a < b ? -1 : 1));
    const exposed = [...this.#exposed].map(([name, labels]): [string, readonly string[]] => [name, [...labels].sort()]);
    exposed.sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      intervalSeconds: this.#intervalSeconds,
      samples: this.#samples,
      marks: this.#marks,
      series: Object.fromEntries(series),
      exposed: Object.fromEntries(exposed),
    };
  }
}
