import type { ConsumptionKind } from "./consumption.ts";

/** What the REST catalog server tells of itself, for telemetry and log. */
export type CatalogEvent =
  /** `endpoint`: method and path as the specification writes it. */
  | { readonly type: "catalog.answered"; readonly endpoint: string; readonly status: number; readonly tookMs: number }
  /** A commit met another one, and is tried again over what that left. */
  | { readonly type: "catalog.retried"; readonly table: string }
  /** A change that would have touched what belongs to Sluice. */
  | { readonly type: "catalog.refused"; readonly principal: string; readonly reason: string }
  | { readonly type: "catalog.read"; readonly dataset: string; readonly kind: ConsumptionKind }
  /** A bug, or a fault that no client can do anything about. */
  | { readonly type: "catalog.failed"; readonly endpoint: string; readonly message: string };
