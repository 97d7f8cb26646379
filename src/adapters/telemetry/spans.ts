import type { Context, Link, Span, Tracer } from "@opentelemetry/api";
import { isSpanContextValid, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { GateEvent } from "../../core/events.ts";

/** Spans of one window that is not committed yet. */
interface OpenTrace {
  readonly span: Span;
  readonly context: Context;
  batches: number;
}

/** Child spans of one window beyond this many batches are left out; the window's attributes still count them. */
const batchSpansMax = 64;
const openTracesMax = 256;

function linkOf(traceparent: string): Link | null {
  const context = propagation.extract(ROOT_CONTEXT, { traceparent });
  const spanContext = trace.getSpanContext(context);
  return spanContext !== undefined && isSpanContextValid(spanContext) ? { context: spanContext } : null;
}

/**
 * One trace a window: a `process` span (kind CONSUMER) from its first batch to its commit, linked to producers' contexts, with a child for each
 * batch's decode, validate, profile and encode, and one for the commit. Returns what takes an event.
 */
export function createSpans(tracer: Tracer): (event: GateEvent) => void {
  const open = new Map<string, OpenTrace>();

  const child = (parent: Context, name: string, startMs: number, ms: number): void => {
    tracer.startSpan(name, { startTime: startMs }, parent).end(startMs + ms);
  };

  /** Windows that were dropped before they closed leave a trace behind: the oldest gives way. */
  const evict = (): void => {
    const oldest = open.entries().next().value;
    if (oldest === undefined || open.size < openTracesMax) return;
    open.delete(oldest[0]);
    oldest[1].span.end();
  };

  const begin = (key: string, event: GateEvent & { type: "batch.judged" }): OpenTrace => {
    const known = open.get(key);
    if (known !== undefined) return known;
    evict();
    const span = tracer.startSpan(`process ${event.dataset}`, {
      kind: SpanKind.CONSUMER,
      startTime: event.startMs,
      attributes: { "messaging.operation.type": "process", "messaging.operation.name": "process", "sluice.dataset": event.dataset },
      root: true,
    });
    const begun = { span, context: trace.setSpan(ROOT_CONTEXT, span), batches: 0 };
    open.set(key, begun);
    return begun;
  };

  const judged = (event: GateEvent & { type: "batch.judged" }): void => {
    const window = begin(`${event.dataset}#${event.window}`, event);
    if (++window.batches > batchSpansMax) return;
    child(window.context, "decode", event.startMs, event.decodeMs);
    child(window.context, "validate", event.startMs + event.decodeMs, event.validateMs);
    child(window.context, "profile", event.startMs + event.decodeMs + event.validateMs, event.profileMs);
    child(window.context, "encode", event.startMs + event.decodeMs + event.validateMs + event.profileMs, event.encodeMs);
  };

  const committed = (event: GateEvent & { type: "window.committed" }): void => {
    const { decision } = event;
    const key = `${decision.dataset}#${event.window}`;
    const window = open.get(key);
    if (window === undefined) return;
    open.delete(key);
    child(window.context, "commit", event.commitStartMs, event.commitMs);
    for (const traceparent of event.traceparents) {
      const link = linkOf(traceparent);
      if (link !== null) window.span.addLink(link);
    }
    window.span.setAttributes({
      "messaging.batch.message_count": decision.counts.records,
      "messaging.destination.name": decision.ranges[0]?.topic ?? "",
      "sluice.window": decision.windowId,
      "sluice.verdict": decision.verdict,
      "sluice.snapshot": event.snapshotId,
      "sluice.batches": window.batches,
    });
    window.span.end(event.commitStartMs + event.commitMs);
  };

  return (event) => {
    if (event.type === "batch.judged") judged(event);
    else if (event.type === "window.committed") committed(event);
    else if (event.type === "window.lost") {
      const key = `${event.dataset}#${event.window}`;
      const window = open.get(key);
      open.delete(key);
      window?.span.setStatus({ code: SpanStatusCode.ERROR, message: event.message });
      window?.span.end();
    }
  };
}
