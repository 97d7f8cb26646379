import { watchesFields } from "../core/all-fields.ts";
import type { Contract } from "../core/contract.ts";
import type { ValuePlan } from "../core/record-plan.ts";
import { compileFormat } from "./compile-format.ts";
import type { DecoderTools, DecodeWithSchemas } from "./decoder.ts";
import { compileRegistered } from "./registered/registered.ts";

/** The decoder of values (or of keys that stand where values do) by their plan. */
export function compileValues(contract: Contract, plan: ValuePlan, part: "value" | "key", tools: DecoderTools): DecodeWithSchemas {
  if (plan.format === "registered") return compileRegistered(contract, plan, part, tools);
  const decode = compileFormat(contract, plan, tools);
  if (plan.format !== "protobuf" || part === "key" || !watchesFields(contract)) return decode;
  const writers = [{ fields: null, message: plan.message }];
  return (records) => ({ ...decode(records), written: { payload: records, of: new Int32Array(records.count), writers } });
}
