import { loadContract } from "../contract/load-contract.ts";
import type { Contract } from "../core/contract.ts";

/** A contract as a decision names it: its text, from the lake. */
interface ContractText {
  readonly hash: string;
  readonly text: string;
}

/** Compiles the contracts of decisions, each once: this worker's own as they are, earlier ones from the text that the lake keeps. */
export function contractReader(own: readonly Contract[]): (contract: ContractText, dataset: string) => Promise<Contract> {
  const known = new Map(own.map((one) => [`${one.hash} ${one.dataset}`, Promise.resolve(one)]));
  return (contract, dataset) => {
    const key = `${contract.hash} ${dataset}`;
    let found = known.get(key);
    if (found === undefined) {
      const file = `${dataset}.odcs.yaml`;
      // Files that the contract referenced are JSON Schemas: events don't show them, so the one that allows all stands for each.
      const read = (path: string): Promise<string> => Promise.resolve(path === file ? contract.text : "{}");
      found = loadContract(file, read, { dataset, withoutDecoding: true }).then((one) => one.contract);
      known.set(key, found);
    }
    return found;
  };
}
