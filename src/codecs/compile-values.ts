import type { Contract } from "../core/contract.ts";
import type { ValuePlan } from "../core/record-plan.ts";
import { compileFormat } from "./compile-format.ts";
import type { DecoderTools, DecodeWithSchemas } from "./decoder.ts";
import { compileRegistered } from "./registered/registered.ts";

/** The decoder of values (or of keys that stand where values do) by their plan. */
export function compileValues(contract: Contract, plan: ValuePlan, part: "value" | "key", tools: DecoderTools): DecodeWithSchemas {
  return plan.format === "registered" ? compileRegistered(contract, plan, part, tools) : compileFormat(contract, plan, tools);
}
