import { readFile } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { Contract } from "../core/contract.ts";
import type { Diagnostic } from "../core/errors.ts";
import { DocumentError, SluiceError } from "../core/errors.ts";

/** Reads a contract or a file that it references; the reason of a fault in a person's words. */
export async function readContractText(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : String(code ?? cause);
    throw new Error(reason, { cause });
  }
}

/** Every contract that a configuration names. Rejects with all errors of all of them at once. */
export async function loadContracts(config: Config): Promise<readonly Contract[]> {
  const contracts: Contract[] = [];
  const errors: Diagnostic[] = [];
  for (const { contract: file, schema } of config.datasets) {
    try {
      contracts.push((await loadContract(file, readContractText, schema === null ? {} : { dataset: schema })).contract);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      errors.push(...error.diagnostics);
    }
  }
  if (errors.length > 0) throw new DocumentError("CONTRACT_INVALID", errors);
  for (const [index, one] of contracts.entries()) {
    const other = contracts.slice(0, index).find((each) => each.dataset === one.dataset);
    if (other !== undefined) {
      throw new SluiceError(
        "CONFIG_INVALID",
        `${config.file}: ${other.file} and ${one.file} are both contracts of the dataset ${one.dataset}`,
      );
    }
  }
  return contracts;
}
