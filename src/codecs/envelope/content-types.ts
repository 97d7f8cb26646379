import type { ValuePlan } from "../../core/record-plan.ts";

/** The media types of each format (IANA's, and those in use before them), without parameters. */
const mediaTypes: Readonly<Record<ValuePlan["format"], readonly string[] | null>> = {
  json: ["application/json", "text/json"],
  csv: ["text/csv"],
  avro: ["application/avro", "application/vnd.apache.avro+binary", "application/x-avro", "avro/binary"],
  protobuf: ["application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf"],
  messagepack: ["application/msgpack", "application/vnd.msgpack", "application/x-msgpack"],
  cbor: ["application/cbor"],
  // The registry says what a framed payload is, whatever its producer calls it.
  registered: null,
};

/** `Application/JSON; charset=utf-8` as `application/json`. */
export function mediaType(contentType: string): string {
  return (contentType.split(";")[0] as string).trim().toLowerCase();
}

/** Whether data of this content type can be of the contract's format. */
export function fitsFormat(contentType: string, format: ValuePlan["format"]): boolean {
  const expected = mediaTypes[format];
  const media = mediaType(contentType);
  if (expected === null || expected.includes(media)) return true;
  return (format === "json" && media.endsWith("+json")) || (format === "cbor" && media.endsWith("+cbor"));
}
