import type { ValuePlan } from "../../core/record-plan.ts";
import type { Decode } from "../decoder.ts";
import type { DecodeFaultCode } from "../faults.ts";

/** Values framed by a registry's serializers. */
export type RegisteredPlan = Extract<ValuePlan, { readonly format: "registered" }>;

/** How the records of one writer's schema are decoded, or why they can't be. */
export type WriterDecoder =
  | { readonly decode: Decode; readonly judge: ((text: Uint8Array) => string | null) | null }
  | { readonly code: DecodeFaultCode; readonly message: string };
