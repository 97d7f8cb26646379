import type { Contract } from "../core/contract.ts";
import type { PackedRecords } from "../core/packed-records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { FileLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import type { EngineKind } from "./compiled.ts";
import type { JudgedRows, RejectedWindowRow, SettledRows } from "./judged-rows.ts";

/** What an engine thread is told. Windows and contracts go by numbers that the host gives. */
export type EngineRequest =
  | { readonly type: "contract"; readonly contract: number; readonly plan: Contract }
  /** No window will be opened under it any more. */
  | { readonly type: "forget"; readonly contract: number }
  | {
      readonly type: "open";
      readonly window: number;
      readonly contract: number;
      readonly schema: IcebergSchema | null;
      readonly layout?: FileLayout;
      readonly kind: EngineKind;
    }
  | { readonly type: "add"; readonly window: number; readonly records: PackedRecords; readonly schemas: ResolvedSchemas }
  | { readonly type: "question"; readonly window: number; readonly closedAtMs: number }
  | { readonly type: "settle"; readonly window: number; readonly closedAtMs: number; readonly found: readonly DeferredOffenders[] }
  | { readonly type: "drop"; readonly window: number };

/**
 * What it answers: one for each `add`, `question` and `settle`, in their order. Rejected rows are told as soon as they are known: what `settled` has of them is the
 * rest.
 */
export type EngineAnswer =
  | { readonly type: "judged"; readonly window: number; readonly judged: JudgedRows; readonly rejected: readonly RejectedWindowRow[] }
  | { readonly type: "questions"; readonly window: number; readonly questions: readonly DeferredKeys[] }
  | { readonly type: "settled"; readonly window: number; readonly settled: SettledRows };

/** What a thread is started with. */
export interface EngineThreadData {
  /** One word, counted up while work goes on: how the host tells a long task from a stuck one. */
  readonly beats: SharedArrayBuffer;
  /** Whether rows that pass are encoded for Arrow too. */
  readonly arrow: boolean;
}
