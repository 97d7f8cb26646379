import type { Codec } from "../core/codec.ts";
import { avroCodec } from "./avro/avro.ts";
import { jsonCodec } from "./json.ts";
import { protobufCodec } from "./protobuf/protobuf.ts";

/** Every codec there is. */
export const codecs: readonly Codec[] = [jsonCodec, avroCodec, protobufCodec];
