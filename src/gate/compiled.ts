import { codecs } from "../codecs/index.ts";
import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { Validator } from "../core/rule.ts";
import { compileValidator } from "../rules/compile-validator.ts";

/** A contract ready to judge: its decoder and its rules. Compiled once, used for every window until the contract changes. */
export interface CompiledContract {
  readonly contract: Contract;
  readonly decode: (records: Records) => Batch;
  readonly validator: Validator;
}

/** Compiles a contract. Pure; throws nothing that `loadContract` has not already reported. */
export function compile(contract: Contract): CompiledContract {
  const codec = codecs.find((each) => each.name === "json");
  if (codec === undefined) throw new Error("the list of codecs has no json");
  return { contract, decode: codec.compile(contract), validator: compileValidator(contract) };
}
