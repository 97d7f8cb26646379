import { codecs } from "../codecs/index.ts";
import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { Profile } from "../core/profile.ts";
import type { Records } from "../core/records.ts";
import type { Validator } from "../core/rule.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { ParquetFile } from "../parquet/written-file.ts";
import { compileValidator } from "../rules/compile-validator.ts";
import { emptyProfile, mergeProfiles, profileBatch } from "../sketches/index.ts";

/** How a contract is run: by WebAssembly made for it, or by the plain implementation that the compiled one is held against. */
export type EngineKind = "compiled" | "reference";

/** The profile of one window, made chunk by chunk. */
export interface WindowProfiler {
  /** Rows of a batch that passed, ascending. */
  add(batch: Batch, rows: Uint32Array): void;
  /** Of all rows so far. */
  finish(): Profile;
}

/** A contract ready to judge: its decoder, rules, profile and files. Compiled once, used for every window until the contract changes. */
export interface CompiledContract {
  readonly contract: Contract;
  readonly kind: EngineKind;
  /** Why parts of it are not compiled though that was asked for; null where all are. */
  readonly fallback: string | null;
  /** How much one chunk may hold. */
  readonly chunk: { readonly rowsMax: number; readonly bytesMax: number };
  /** The columns of a resident batch are valid until the next call. */
  readonly decode: (records: Records) => Batch;
  readonly validator: Validator;
  readonly openProfiler: () => WindowProfiler;
  readonly openFile: (schema: IcebergSchema) => ParquetFile;
}

/** What `compile` takes besides the contract. */
export interface CompileOptions {
  readonly kind: EngineKind;
  /** The file encoder that the compiled one is held against; its batches' columns are their own. */
  readonly openReferenceFile: (schema: IcebergSchema) => ParquetFile;
}

const referenceChunk = { rowsMax: 8192, bytesMax: 4 << 20 };

/** Throws CONTRACT_INVALID where a contract can't be compiled, before anything depends on it. */
export function checkContract(contract: Contract): void {
  compileValidator(contract);
}

/** Compiles a contract: the one place that chooses between engine and reference. Throws nothing that `loadContract` has not already reported. */
export function compile(contract: Contract, options: CompileOptions): CompiledContract {
  const codec = codecs.find((each) => each.name === "json");
  if (codec === undefined) throw new Error("the list of codecs has no json");
  return {
    contract,
    kind: "reference",
    fallback: options.kind === "compiled" ? "not built in yet" : null,
    chunk: referenceChunk,
    decode: codec.compile(contract),
    validator: compileValidator(contract),
    openProfiler: () => new ReferenceProfiler(contract),
    openFile: options.openReferenceFile,
  };
}

class ReferenceProfiler implements WindowProfiler {
  readonly #contract: Contract;
  #profile: Profile;

  constructor(contract: Contract) {
    this.#contract = contract;
    this.#profile = emptyProfile(contract);
  }

  add(batch: Batch, rows: Uint32Array): void {
    this.#profile = mergeProfiles(this.#profile, profileBatch(this.#contract, batch, rows));
  }

  finish(): Profile {
    return this.#profile;
  }
}
