import { ContractWatcher } from "../adapters/contracts/contract-watcher.ts";
import type { Config } from "../config/config.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { Gate } from "../gate/gate.ts";
import { readContractText } from "./contracts.ts";

type DatasetConfig = Config["datasets"][number];

/**
 * Watches the contract files of a running worker, and what they refer to. A changed contract that loads goes to the gate, which takes it at the
 * next window; one that does not leaves the old one in force and is reported. A bug goes to `fatal`.
 */
export function watchContracts(
  datasets: readonly DatasetConfig[],
  contracts: readonly Contract[],
  gate: Pick<Gate, "changeContract" | "refuseContract">,
  fatal: (error: unknown) => void,
): { stop(): Promise<void> } {
  const watchers = datasets.map((dataset, index) => watchOne(dataset, contracts[index] as Contract, gate, fatal));
  return { stop: async () => void (await Promise.all(watchers.map((watcher) => watcher.stop()))) };
}

function watchOne(
  { contract: file, schema }: DatasetConfig,
  contract: Contract,
  gate: Pick<Gate, "changeContract" | "refuseContract">,
  fatal: (error: unknown) => void,
): ContractWatcher {
  const files = new Set([file]);
  const watcher = new ContractWatcher({
    files: () => [...files],
    onError: fatal,
    onChange: async () => {
      const read = (path: string): Promise<Uint8Array> => {
        files.add(path);
        return readContractText(path);
      };
      try {
        await gate.changeContract((await loadContract(file, read, schema === null ? {} : { dataset: schema })).contract);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        gate.refuseContract(contract.dataset, error);
      }
    },
  });
  watcher.start();
  return watcher;
}
