import { headersOf } from "../core/headers.ts";
import type { SourceRun } from "../core/ports.ts";

const traceparentsMax = 32;
/** Of version 00: `00-<32 hex>-<16 hex>-<2 hex>`. */
const traceparentBytes = 55;

/** Adds the W3C trace context of a run's first record, for span links: a bounded sample of a window's producers. */
export function sampleTraceparent(run: SourceRun, into: Set<string>): void {
  if (into.size >= traceparentsMax || run.records.count === 0) return;
  const value = headersOf(run.records, 0).find((each) => each.key === "traceparent")?.value;
  // Nothing else is a trace context, and a header may be megabytes long.
  if (value?.length === traceparentBytes) into.add(new TextDecoder().decode(value));
}
