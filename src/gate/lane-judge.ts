import type { Contract } from "../core/contract.ts";
import type { WindowCommit } from "../core/ports.ts";
import type { GateContext } from "./context.ts";
import { DriftLedger } from "./drift-ledger.ts";
import type { Closing } from "./judge.ts";
import { judgeWindow, windowId } from "./judge.ts";
import type { SettledRows } from "./judged-rows.ts";
import { Outside, type NamedWindow, type Patiently } from "./outside.ts";
import { Sequences } from "./sequences.ts";
import type { OpenWindow } from "./window.ts";
import { WindowOutcomes } from "./window-outcomes.ts";

/** What one lane knows beyond its open window, and judges closed windows by: earlier windows, drift, other records' keys, other datasets. */
export class LaneJudge {
  readonly #context: GateContext;
  readonly #ledger: DriftLedger;
  readonly #outcomes: WindowOutcomes;
  readonly #outside: Outside;

  constructor(contract: Contract, context: GateContext) {
    this.#context = context;
    this.#ledger = new DriftLedger(context.lake, contract);
    this.#outcomes = new WindowOutcomes(contract, context.lake, context.sql ?? null);
    const { lake } = context;
    this.#outside = new Outside({ claims: lake.claims, lake, sequences: new Sequences(lake) });
  }

  change(contract: Contract): void {
    this.#ledger.change(contract);
    this.#outcomes.change(contract);
  }

  /** Ends a window where it is judged; null where nobody wants it any more. */
  settle(window: OpenWindow, closedAtMs: number, patiently: Patiently): Promise<SettledRows | null> {
    const named = (): NamedWindow => {
      const { ranges } = window;
      return { windowId: windowId(window.contract.dataset, ranges, closedAtMs), ranges };
    };
    return this.#outside.settle(window, { closedAtMs, patiently, named });
  }

  /** Windows that were settled and not committed are given up: they will be read again. */
  forget(): void {
    this.#outside.forget();
  }

  /** Takes in what was committed since the last call, by any worker. */
  async catchUp(): Promise<true> {
    await this.#ledger.catchUp();
    return this.#outcomes.catchUp();
  }

  /** Decides on a settled window. */
  async judge(
    window: OpenWindow,
    settled: SettledRows,
    closing: Pick<Closing, "closedAtMs" | "closedBy" | "holdNext">,
  ): Promise<WindowCommit> {
    const { worker, producer } = this.#context;
    const finished = await this.#outcomes.finish(settled, closing);
    return judgeWindow(window, finished, { ...closing, worker, producer, drift: (input) => this.#ledger.judge(input) });
  }

  remember({ decision }: WindowCommit): void {
    this.#ledger.remember(decision);
    this.#outside.committed(decision.windowId);
  }
}
