import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Tally } from "./quiet-run.ts";

/** What runs depend on: others' results are none of theirs. */
const sources = [
  "src/drift/sequential",
  "src/drift/chi-squared.ts",
  "src/drift/drift-limit.ts",
  "bench/drift/binned-column.ts",
  "bench/drift/counted-measures.ts",
  "bench/drift/counted-rule.ts",
  "bench/drift/fixed-rule.ts",
  "bench/drift/flight-splits.ts",
  "bench/drift/normal-bins.ts",
  "bench/drift/quiet-run.ts",
  "bench/drift/quiet-streams.ts",
  "bench/drift/random.ts",
  "bench/drift/sluice-rule.ts",
];
const top = new URL("../../", import.meta.url);

function hashOfSources(): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    const files = source.endsWith(".ts") ? [source] : readdirSync(new URL(source, top)).map((name) => `${source}/${name}`);
    for (const file of files.toSorted()) hash.update(file).update(readFileSync(new URL(file, top)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** Results of single runs, a file each, kept between benches as long as nothing that they depend on changes. */
export class QuietResults {
  readonly #folder: URL;

  constructor() {
    this.#folder = new URL(`.cache/drift-quiet/${hashOfSources()}/`, import.meta.url);
    mkdirSync(this.#folder, { recursive: true });
  }

  get folder(): string {
    return fileURLToPath(this.#folder);
  }

  /** Null: not run yet. */
  read(stream: number, seed: number): readonly Tally[] | null {
    try {
      return JSON.parse(readFileSync(this.#fileOf(stream, seed), "utf8")) as readonly Tally[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  write(stream: number, seed: number, tallies: readonly Tally[]): void {
    const file = this.#fileOf(stream, seed);
    const unfinished = new URL(`${file.href}.${process.pid}`);
    writeFileSync(unfinished, JSON.stringify(tallies));
    renameSync(unfinished, file);
  }

  #fileOf(stream: number, seed: number): URL {
    return new URL(`${stream}-${seed}.json`, this.#folder);
  }
}
