import type { QuarantinedRecord } from "../core/ports.ts";
import type { Terminal } from "./terminal.ts";
import { formatTime, printable } from "./table.ts";

const shownBytesMax = 4096;

/** A quarantined record as `--json` prints it: bytes as text where they are UTF-8, and always as base64. */
export function quarantinedJson(record: QuarantinedRecord, withBytes: boolean): Record<string, unknown> {
  const { key, value, headers, headersRaw: _raw, offset, timestampMs, ...rest } = record;
  const shown = { ...rest, offset: offset.toString(), timestampMs: Number(timestampMs), valueBytes: value?.length ?? null };
  if (!withBytes) return shown;
  return {
    ...shown,
    key: bytesJson(key),
    value: bytesJson(value),
    headers: headers.map((one) => ({ key: one.key, value: bytesJson(one.value) })),
  };
}

/** All that is known of a quarantined record, for people; `decoded`: what its bytes say, where they are no JSON. */
export function printQuarantined(record: QuarantinedRecord, decoded: string | null, terminal: Terminal): void {
  const field = (name: string, text: string): void => terminal.out(`${terminal.style("dim", name.padEnd(12))}${text}`);
  field("record", record.id);
  field("source", `${printable(record.topic)}, partition ${record.partition}, offset ${record.offset}`);
  field("timestamp", record.timestampMs < 0n ? "none" : formatTime(Number(record.timestampMs)));
  field("state", `${record.state}, attempt ${record.attempt}`);
  field("window", `${record.windowId}, quarantined ${formatTime(record.quarantinedAtMs)}`);
  field("contract", record.contractHash);
  terminal.out(terminal.style("bold", "reasons"));
  for (const reason of record.reasons) {
    terminal.out(`  ${terminal.style("yellow", reason.rule)}  ${printable(reason.message)}`);
    if (reason.observed !== null) terminal.out(`    observed ${printable(reason.observed)}`);
    if (reason.limit !== null) terminal.out(`    limit    ${printable(reason.limit)}`);
  }
  field("key", preview(record.key));
  for (const header of record.headers) field("header", `${printable(header.key)} = ${preview(header.value)}`);
  field("value", preview(record.value));
  if (decoded !== null) field("decoded", printable(decoded.length > shownBytesMax ? `${decoded.slice(0, shownBytesMax)} ...` : decoded));
}

function preview(bytes: Uint8Array | null): string {
  if (bytes === null) return "null";
  if (bytes.length === 0) return "(empty)";
  const text = utf8(bytes.subarray(0, shownBytesMax), bytes.length > shownBytesMax);
  const more = bytes.length > shownBytesMax ? ` ... (${bytes.length} bytes; --raw value writes them all)` : "";
  return text === null
    ? `0x${Buffer.from(bytes.subarray(0, 64)).toString("hex")}${bytes.length > 64 ? " ..." : ""} (${bytes.length} bytes)`
    : printable(text) + more;
}

function bytesJson(bytes: Uint8Array | null): { readonly text: string | null; readonly base64: string } | null {
  if (bytes === null) return null;
  return { text: utf8(bytes, false), base64: Buffer.from(bytes).toString("base64") };
}

/** Null where the bytes are no UTF-8; `cut`: a character at the end may be incomplete. */
function utf8(bytes: Uint8Array, cut: boolean): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
  } catch {
    return null;
  }
}
