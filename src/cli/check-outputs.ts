import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contract } from "../core/contract.ts";
import type { EncodedFile } from "../core/encoded-file.ts";
import type { Profile } from "../core/profile.ts";
import type { Reason } from "../core/rule.ts";
import type { SettledProfile, SettledRows } from "../gate/judged-rows.ts";
import type { ArrowOutput } from "./arrow-output.ts";

/** Where a check writes what it found; null: nowhere. */
export interface CheckPaths {
  /** Every failing row with every reason, as NDJSON. */
  readonly failures: string | null;
  /** The profile of the rows that passed, as JSON. */
  readonly profile: string | null;
  /** A folder for the rows that passed, as one Parquet file a window. */
  readonly parquet: string | null;
  /** The rows that passed, as one Arrow IPC file; or, where its name ends in `.arrows`, as a stream. */
  readonly arrow: string | null;
}

/** A failing row, as it is written. */
export interface FailureLine {
  readonly file: string;
  readonly line: number;
  readonly reasons: readonly Reason[];
}

/** The files that a check writes. */
export class CheckOutputs {
  readonly #paths: CheckPaths;
  readonly #contract: Contract;
  readonly #failures: WriteStream | null;
  #lines: string[] = [];
  /** Of the first window: what it says is known as long as there is no other. */
  #first: SettledProfile | null = null;
  /** Of two windows and more. */
  #profile: Profile | null = null;
  #arrow: ArrowOutput | null = null;
  #files = 0;

  private constructor(paths: CheckPaths, contract: Contract) {
    this.#paths = paths;
    this.#contract = contract;
    this.#failures = paths.failures === null ? null : createWriteStream(paths.failures);
  }

  /** Rejects where a file can't be made. */
  static async open(paths: CheckPaths, contract: Contract): Promise<CheckOutputs> {
    if (paths.parquet !== null) await mkdir(paths.parquet, { recursive: true });
    const outputs = new CheckOutputs(paths, contract);
    if (outputs.#failures !== null) await once(outputs.#failures, "open");
    if (paths.arrow !== null) outputs.#arrow = await (await import("./arrow-output.ts")).ArrowOutput.open(paths.arrow, contract);
    return outputs;
  }

  /** Whether windows have to be encoded. */
  get wantsFiles(): boolean {
    return this.#paths.parquet !== null;
  }

  get wantsFailures(): boolean {
    return this.#failures !== null;
  }

  failing(row: FailureLine): void {
    this.#lines.push(`${JSON.stringify(row)}\n`);
  }

  /** A window is settled: its failing rows were told, its file and profile are here. */
  async window({ profile, files, arrow }: SettledRows): Promise<void> {
    await Promise.all([this.#writeLines(), this.#writeFiles(files)]);
    if (this.#paths.profile !== null) await this.#addProfile(profile);
    for (const message of arrow ?? []) await this.#arrow?.add(message);
  }

  /** Everything is written when this resolves. */
  async close(): Promise<void> {
    await Promise.all([this.#closeFailures(), this.#arrow?.close(), this.#writeProfile()]);
  }

  async #writeLines(): Promise<void> {
    const lines = this.#lines.join("");
    this.#lines = [];
    if (this.#failures !== null && lines !== "" && !this.#failures.write(lines)) await once(this.#failures, "drain");
  }

  async #writeFiles(files: readonly EncodedFile[]): Promise<void> {
    const { parquet } = this.#paths;
    if (parquet === null) return;
    for (const file of files) {
      const name = `part-${String(++this.#files).padStart(5, "0")}.parquet`;
      const handle = await open(join(parquet, name), "w");
      try {
        for (const piece of file.pieces) await handle.write(piece);
      } finally {
        await handle.close();
      }
    }
  }

  async #closeFailures(): Promise<void> {
    if (this.#failures === null) return;
    this.#failures.end();
    await once(this.#failures, "close");
  }

  async #writeProfile(): Promise<void> {
    if (this.#paths.profile === null) return;
    const { rows, columns } = await this.#summary();
    await writeFile(this.#paths.profile, `${JSON.stringify({ rows, columns }, null, 2)}\n`);
  }

  async #addProfile(profile: SettledProfile): Promise<void> {
    if (this.#first === null) {
      this.#first = profile;
      return;
    }
    const { decodeProfile, mergeProfiles } = await import("../sketches/index.ts");
    this.#profile = mergeProfiles(this.#profile ?? decodeProfile(this.#first.bytes), decodeProfile(profile.bytes));
  }

  async #summary(): Promise<Pick<SettledProfile, "rows" | "columns">> {
    if (this.#first !== null && this.#profile === null) return this.#first;
    const { emptyProfile, summarizeProfile } = await import("../sketches/index.ts");
    const profile = this.#profile ?? emptyProfile(this.#contract);
    return { rows: profile.rows, columns: summarizeProfile(profile, this.#contract) };
  }
}
