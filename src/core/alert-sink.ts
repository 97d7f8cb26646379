import type { IncidentNotice, IncidentSeverity } from "./incident.ts";

/** A notice with the words that go with it, as every receiver is told them. Aggregates of unclassified columns only. */
export interface AlertMessage {
  readonly notice: IncidentNotice;
  /** Whether readers are safe, and the last good version, in words. */
  readonly downstream: string;
  /** What to do, in the order in which it is best done. */
  readonly steps: readonly { readonly command: string; readonly says: string }[];
}

/** A receiver of notices: at least once, in order per dataset; the notice's id de-duplicates. */
export interface AlertSink {
  readonly name: string;
  /** Whether it shows an incident's severity as it now is, so that it wants every change of it. */
  readonly tracksSeverity: boolean;
  /**
   * Rejects with SINK_UNAVAILABLE to be called again with the same message (detail `retryAfterMs`: not before), with ALERT_REFUSED where the receiver
   * understood it and says no.
   */
  tell(message: AlertMessage): Promise<void>;
  /** Repeats what is open to a receiver that forgets; absent: it does not. Rejects as `tell`. */
  readonly repeat?: { readonly everyMs: number; tell(open: readonly AlertMessage[]): Promise<void> };
  close(): Promise<void>;
}

/** Which notices go where. */
export interface AlertRoute {
  readonly receivers: readonly string[];
  /** Null: all. */
  readonly datasets: readonly string[] | null;
  readonly severityMin: IncidentSeverity;
}
