import type { Instrument } from "../../src/adapters/telemetry/instruments.ts";
import { instruments } from "../../src/adapters/telemetry/instruments.ts";

/** The name that our Prometheus endpoint shows: dots become underscores, counters end in `_total`. */
function prometheusName(name: string, { kind }: Instrument): string {
  const base = name.replaceAll(/[^a-zA-Z0-9]/g, "_");
  return kind === "counter" ? `${base}_total` : base;
}

/** `docs/reference/telemetry.md` from the table of instruments. */
export function generateTelemetryPage(): string {
  const rows = Object.entries(instruments as Readonly<Record<string, Instrument>>).map(([name, instrument]) => {
    const labels = instrument.labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | \`${prometheusName(name, instrument)}\` | ${instrument.kind} | ${instrument.unit ?? ""} | ${instrument.description} | ${labels} |`;
  });
  const lines = [
    "# Telemetry",
    "",
    "<!-- Generated from src/adapters/telemetry/instruments.ts by `npm run generate`. -->",
    "",
    "Set `telemetry.otlpEndpoint` for OTLP over HTTP (metrics, traces, logs), `telemetry.prometheusPort` for a scrape endpoint, or both. Queues are bounded and",
    "exports time out: a receiver that is down costs its own signals and nothing else. No signal carries values of records.",
    "",
    "## Metrics",
    "",
    "Prometheus names are those of `telemetry.prometheusPort`. A collector that turns OTLP into Prometheus metrics adds units to them (`_seconds`, `_bytes`): write",
    "rules for one of the two ways, not for both.",
    "",
    "| metric | in Prometheus | kind | unit | meaning | labels |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "## Traces",
    "",
    "One trace a window: a span `process DATASET` (kind consumer) from its first batch to its commit, with links to the contexts that producers sent as",
    "`traceparent` headers (a sample of up to 32), and the attributes `messaging.batch.message_count`, `sluice.window`, `sluice.verdict` and `sluice.snapshot`.",
    "Its children are `decode`, `validate` and `profile` of each batch (the first 64), and `commit`.",
    "",
    "## Logs",
    "",
    "What goes to standard error goes to OTLP too: a line a committed or held window, and whatever an operator acts on at `warn` and `error`, with its code.",
  ];
  return `${lines.join("\n")}\n`;
}
