import type { Contract } from "./contract.ts";
import type { Diagnostic } from "./errors.ts";

/** What would happen if a contract became the active one of its dataset now. */
export interface ContractPreview {
  /** The version that is active; null where the dataset has no tables yet. */
  readonly activeVersion: string | null;
  /** Errors: why the table can't take it. Notes: what changes about the table. None of either: nothing does. */
  readonly findings: readonly Diagnostic[];
}

/** What a lake says of contracts that are not active. */
export interface LakeContracts {
  preview(contract: Contract): Promise<ContractPreview>;
}
