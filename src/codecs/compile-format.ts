import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { Contract } from "../core/contract.ts";
import type { ValuePlan } from "../core/record-plan.ts";
import { compileCbor } from "./cbor/cbor.ts";
import { compileCsv } from "./csv/csv.ts";
import type { Decode, DecoderTools } from "./decoder.ts";
import { codecs } from "./index.ts";
import { compileMessagePack } from "./messagepack/messagepack.ts";

/** The decoder of a format whose schema, if it has one, is known beforehand. */
export function compileFormat(
  contract: Contract,
  plan: Exclude<ValuePlan, { readonly format: "registered" }>,
  tools: DecoderTools,
): Decode {
  switch (plan.format) {
    case "json":
      return tools.json(contract);
    case "csv":
      return compileCsv(contract, plan);
    case "messagepack":
      return compileMessagePack(contract);
    case "cbor":
      return compileCbor(contract);
    default: {
      const codec = codecs.find(({ name }) => name === plan.format);
      if (codec === undefined) throw new BrokenInvariant(`there is no codec of the format ${plan.format}`);
      const whole = { ...contract, format: plan };
      const plain = codec.compile(whole);
      return tools.compiled?.(whole, plain) ?? plain;
    }
  }
}
