import type { Config } from "../config/config.ts";
import type { Contract } from "../core/contract.ts";
import type { Observe } from "../core/events.ts";
import type { Incident } from "../core/incident.ts";
import type { Lake, Probe } from "../core/ports.ts";
import { incidentLines } from "../gate/incident-lines.ts";
import type { SinkStanding } from "../gate/outbox.ts";
import { Outbox } from "../gate/outbox.ts";
import { noticeLines } from "../gate/notice-lines.ts";
import { tagLines } from "../gate/tag-lines.ts";
import { windowLines } from "../gate/window-lines.ts";
import { alertSinks } from "./alert-sinks.ts";
import { incidentLedgers } from "./incident-ledgers.ts";
import { eventsSink, windowSinks } from "./window-sinks.ts";

/** All that a worker tells others of what was committed, each at its own pace. */
export interface Outboxes {
  start(): void;
  /** Where a window was committed, sinks look now. */
  readonly observe: Observe;
  /** Waits until what is committed so far is told, for at most so long. */
  drain(withinMs: number): Promise<void>;
  standings(): readonly SinkStanding[];
  /** Open incidents, by the datasets whose incidents this worker keeps. */
  openIncidents(): ReadonlyMap<string, readonly Incident[]>;
  stop(): Promise<void>;
}

/** Wires sinks and incidents as a configuration says. */
export function openOutboxes(options: {
  readonly config: Config;
  readonly contracts: readonly Contract[];
  readonly lake: Lake;
  readonly probe: Probe;
  readonly holder: string;
  readonly observe: Observe;
}): Outboxes {
  const { config, contracts, lake, probe, holder, observe } = options;
  const datasets = contracts.map((one) => one.dataset);
  const events = config.events.enabled ? eventsSink(config, lake) : null;
  const sinks = [...windowSinks(config, contracts, lake, probe), ...(events === null ? [] : [events])];
  const receivers = alertSinks(config);
  const notices = noticeLines({ lake, sinks: receivers, routes: config.alerts.routes, datasets, probe, observe });
  const tags = events === null ? [] : tagLines(lake, events, datasets);
  const lines = [...windowLines(lake, sinks, datasets), ...tags, ...notices];
  const outbox = new Outbox({ lake, sinks: [...sinks, ...receivers], lines, holder, observe });
  const ledgers = incidentLedgers(lake, datasets, contracts, (notice) => {
    observe({ type: "incident.noticed", notice });
    outbox.nudge(notice.incident.dataset);
  });
  const incidents = incidentLines(ledgers);
  // Commits come faster than incidents need to be looked at: this one is not nudged.
  const keeper = new Outbox({ lake, sinks: [], lines: incidents.lines, holder, observe });
  return {
    start: () => {
      keeper.start();
      outbox.start();
    },
    observe: (event) => {
      if (event.type === "window.committed") outbox.nudge(event.decision.dataset);
    },
    drain: async (withinMs) => {
      // A worker of a stream leaves the rest to the others, one of which may keep them already; after a finite source there may be none.
      if (config.source.kind === "files") await keeper.drain(withinMs);
      await outbox.drain(withinMs);
    },
    standings: () => [...keeper.standings(), ...outbox.standings()],
    openIncidents: () => incidents.open(),
    stop: async () => {
      await keeper.stop();
      await outbox.stop();
    },
  };
}
