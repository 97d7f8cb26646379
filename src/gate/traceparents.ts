import { headersOf } from "../core/headers.ts";
import type { SourceRun } from "../core/ports.ts";

const traceparentsMax = 32;

/** Adds the W3C trace context of a run's first record, for span links: a bounded sample of a window's producers. */
export function sampleTraceparent(run: SourceRun, into: Set<string>): void {
  if (into.size >= traceparentsMax || run.records.count === 0) return;
  const header = headersOf(run.records, 0).find((each) => each.key === "traceparent");
  if (header?.value) into.add(new TextDecoder().decode(header.value));
}
