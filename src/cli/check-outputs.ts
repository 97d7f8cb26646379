import type { FileHandle } from "node:fs/promises";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contract } from "../core/contract.ts";
import type { EncodedFile } from "../core/encoded-file.ts";
import { SluiceError } from "../core/errors.ts";
import type { IpcMessage } from "../core/ipc-message.ts";
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

/** What the system says of a place that can't be written is its user's to mend, and no bug. */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new SluiceError("FILE_UNWRITABLE", `cannot write ${path}: ${cause.message}`, { cause });
  }
}

/** The files that a check writes. */
export class CheckOutputs {
  readonly #paths: CheckPaths;
  readonly #contract: Contract;
  #failures: FileHandle | null = null;
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
  }

  /** Rejects with FILE_UNWRITABLE where a file can't be made; so does what follows, where it can't be written. */
  static async open(paths: CheckPaths, contract: Contract): Promise<CheckOutputs> {
    const { failures, parquet, arrow } = paths;
    const outputs = new CheckOutputs(paths, contract);
    if (parquet !== null) await writing(parquet, () => mkdir(parquet, { recursive: true }));
    if (failures !== null) outputs.#failures = await writing(failures, () => open(failures, "w"));
    if (arrow !== null) {
      const { ArrowOutput } = await import("./arrow-output.ts");
      outputs.#arrow = await writing(arrow, () => ArrowOutput.open(arrow, contract));
    }
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
    await this.#writeBatches(arrow ?? []);
  }

  /** Everything is written when this resolves. */
  async close(): Promise<void> {
    await Promise.all([this.#failures?.close(), this.#closeArrow(), this.#writeProfile()]);
  }

  async #writeLines(): Promise<void> {
    const lines = this.#lines.join("");
    this.#lines = [];
    const { failures } = this.#paths;
    if (failures !== null && lines !== "") await writing(failures, async () => this.#failures?.writeFile(lines));
  }

  async #writeFiles(files: readonly EncodedFile[]): Promise<void> {
    const { parquet } = this.#paths;
    if (parquet === null) return;
    for (const file of files) {
      const path = join(parquet, `part-${String(++this.#files).padStart(5, "0")}.parquet`);
      await writing(path, async () => {
        const handle = await open(path, "w");
        try {
          // Where a disk gets full, one write alone can write less than it was given.
          for (const piece of file.pieces) await handle.writeFile(piece);
        } finally {
          await handle.close();
        }
      });
    }
  }

  async #writeBatches(messages: readonly IpcMessage[]): Promise<void> {
    const { arrow } = this.#paths;
    if (arrow === null) return;
    for (const message of messages) await writing(arrow, async () => this.#arrow?.add(message));
  }

  async #closeArrow(): Promise<void> {
    const { arrow } = this.#paths;
    if (arrow !== null) await writing(arrow, async () => this.#arrow?.close());
  }

  async #writeProfile(): Promise<void> {
    const { profile } = this.#paths;
    if (profile === null) return;
    const { rows, columns } = await this.#summary();
    await writing(profile, () => writeFile(profile, `${JSON.stringify({ rows, columns }, null, 2)}\n`));
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
