import type { Contract } from "../core/contract.ts";
import type { SluiceError } from "../core/errors.ts";
import type { EncodeRows } from "../core/ipc-message.ts";
import type { Records } from "../core/records.ts";
import { concatRecords } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { FileLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import type { CompiledContract, EngineKind } from "./compiled.ts";
import { compile } from "./compiled.ts";
import type { JudgedRows, SettledRows } from "./judged-rows.ts";
import { WindowJudge } from "./window-judge.ts";

/** What a window is judged by. */
export interface WindowPlan {
  readonly contract: Contract;
  /** The table that rows which passed are encoded for; null: they are not encoded. */
  readonly schema: IcebergSchema | null;
  /** How its files are partitioned and sorted; absent: not at all. */
  readonly layout?: FileLayout;
  readonly kind: EngineKind;
}

/** One open window where it is judged: in this thread or in another. Answers come in the order of the calls. */
export interface EngineWindow {
  /** Resolves when there is room for more records: to be awaited before each `add`. Rejects with ENGINE_THREAD_LOST. */
  room(): Promise<void>;
  /** Judges records, in order; `schemas` are the registered ones that they name. They are copied before it returns. Rejects with ENGINE_THREAD_LOST: the window is gone then. */
  add(runs: readonly Records[], schemas?: ResolvedSchemas): Promise<JudgedRows>;
  /**
   * What only the outside world can say of the rows that pass so far; nothing is added after it. Asked once, before `settle`, if the contract has deferred
   * rules. Rejects with ENGINE_THREAD_LOST.
   */
  questions(closedAtMs: number): Promise<readonly DeferredKeys[]>;
  /**
   * Ends the window. `closedAtMs` is the time that late records are held against, `found` what the outside world said. Rejects with ENGINE_THREAD_LOST.
   */
  settle(closedAtMs: number, found?: readonly DeferredOffenders[]): Promise<SettledRows>;
  /** Gives the window up; what was asked for is never answered. No fault after `settle` has resolved. */
  drop(): void;
  /** Resolves if the window is lost with its thread. */
  readonly lost: Promise<SluiceError>;
}

/** Where windows are judged. */
export interface Engine {
  open(plan: WindowPlan): EngineWindow;
  /** Ends its threads; open windows are lost. */
  close(): Promise<void>;
}

/** Compiled contracts, each once, as long as the contract is in use. */
export class CompiledContracts {
  readonly #known: Record<EngineKind, WeakMap<Contract, CompiledContract>> = { compiled: new WeakMap(), reference: new WeakMap() };

  get(contract: Contract, kind: EngineKind): CompiledContract {
    const known = this.#known[kind];
    let compiled = known.get(contract);
    if (compiled === undefined) {
      compiled = compile(contract, kind);
      known.set(contract, compiled);
    }
    return compiled;
  }
}

/** How rows that pass a contract are encoded for Arrow. */
export type CreateEncodeRows = (contract: Contract) => EncodeRows;

/**
 * Judges in the caller's thread: for tests, for commands without a heartbeat to keep, and for machines too small for threads. With `createEncodeRows`, rows that
 * pass are encoded for Arrow too.
 */
export function createInlineEngine(tick: () => number, createEncodeRows: CreateEncodeRows | null = null): Engine {
  const contracts = new CompiledContracts();
  return {
    open({ contract, kind, ...encoding }) {
      const judge = new WindowJudge(contracts.get(contract, kind), {
        ...encoding,
        tick,
        ...(createEncodeRows !== null && { encodeRows: createEncodeRows(contract) }),
      });
      return {
        room: () => Promise.resolve(),
        add: async (runs, schemas) => judge.add(concatRecords(runs), schemas),
        questions: async (closedAtMs) => judge.questions(closedAtMs),
        settle: async (closedAtMs, found) => judge.settle(closedAtMs, found),
        drop: () => judge.discard(),
        lost: new Promise(() => {}),
      };
    },
    close: () => Promise.resolve(),
  };
}
