import type { Lake, Sink } from "../core/ports.ts";
import type { OutboxLine } from "./outbox.ts";

/** What sinks of committed windows are to hear: every commit of a dataset, with the contract that it was judged by. */
export function windowLines(lake: Lake, sinks: readonly Sink[], datasets: readonly string[]): readonly OutboxLine[] {
  return sinks.flatMap((sink) =>
    datasets.map((dataset) => ({
      sink: sink.name,
      dataset,
      cursor: dataset,
      pending: async function* (after: bigint) {
        for await (const window of lake.history(dataset, after)) {
          const send = async (): Promise<void> => {
            const { hash } = window.decision.contract;
            await sink.deliver(window, { hash, text: await lake.contractText(hash) });
          };
          yield { sequence: window.sequence, atMs: window.committedAtMs, send };
        }
      },
    })),
  );
}
