import type { Contract } from "../../core/contract.ts";
import type { Sink } from "../../core/ports.ts";
import type { LineageNames } from "./run-event.ts";
import { runEvents } from "./run-event.ts";
import type { LineageTransport } from "./transport.ts";

export interface LineageOptions {
  readonly transport: LineageTransport;
  readonly names: LineageNames;
  /** Name of a dataset's quarantine table. */
  readonly quarantineTableOf: (dataset: string) => string;
  /** Compiles the contract that a decision was made by. */
  readonly contractOf: (contract: { readonly hash: string; readonly text: string }, dataset: string) => Promise<Contract>;
}

/** One run a committed window: START and COMPLETE or FAIL, sent together after the commit. */
export function createLineageSink(options: LineageOptions): Sink {
  const { transport, names, quarantineTableOf, contractOf } = options;
  return {
    name: transport.name,
    async deliver(window, contract) {
      const { dataset } = window.decision;
      await transport.send(runEvents(window, await contractOf(contract, dataset), names, quarantineTableOf(dataset)));
    },
    close: () => transport.close(),
  };
}
