import type { Codec } from "../core/codec.ts";
import { jsonCodec } from "./json.ts";

/** Every codec there is. */
export const codecs: readonly Codec[] = [jsonCodec];
