import type { Meter } from "@opentelemetry/api";
import type { CatalogEvent } from "../../core/catalog-events.ts";
import { counter, histogram } from "./meters.ts";

/** Counters and a histogram made from events of the REST catalog. Returns what takes an event. */
export function createCatalogMeters(meter: Meter): (event: CatalogEvent) => void {
  const requests = counter(meter, "sluice.catalog.requests");
  const duration = histogram(meter, "sluice.catalog.duration");
  const retries = counter(meter, "sluice.catalog.retries");
  const refusals = counter(meter, "sluice.catalog.refusals");
  const reads = counter(meter, "sluice.catalog.reads");
  return (event) => {
    switch (event.type) {
      case "catalog.answered":
        requests.add(1, { endpoint: event.endpoint, status: event.status });
        duration.record(event.tookMs / 1000, { endpoint: event.endpoint });
        break;
      case "catalog.retried":
        retries.add(1);
        break;
      case "catalog.refused":
        refusals.add(1);
        break;
      case "catalog.read":
        reads.add(1, { dataset: event.dataset, kind: event.kind });
        break;
      case "catalog.failed":
        break;
      default:
        event satisfies never;
    }
  };
}
