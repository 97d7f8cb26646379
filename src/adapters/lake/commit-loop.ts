import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import { TableDraft } from "../iceberg/table-draft.ts";
import { inTurn } from "../catalog/turns.ts";
import type { Drafts } from "./commit-steps.ts";
import { commitDrafts } from "./commit-steps.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { loadTablesInTurn } from "./lake-context.ts";

/** What to do about a dataset as it is now: nothing more, or a change that holds only for these very versions of its tables. */
export type Plan<T> =
  | { readonly kind: "done"; readonly result: T }
  | {
      readonly kind: "change";
      readonly drafts: Drafts;
      readonly result: T;
      /** That the tables may change one after the other; a conflict in between has the planner called again over the first one as it has become. */
      readonly apart?: true;
    };

/** The same for several datasets at once: drafts in the order of the datasets. */
export type JointPlan<T> =
  | { readonly kind: "done"; readonly result: T }
  | { readonly kind: "change"; readonly drafts: readonly Drafts[]; readonly result: T; readonly apart?: true };

/** Makes a plan over fresh tables; called again after every conflict. It must recognise its own change where that took effect already. */
export type Planner<T> = (tables: DatasetTables, attempt: number) => Promise<Plan<T>>;

const backoffMsMax = 1000;

/**
 * Changes a dataset by compare-and-swap, when it is this process's turn: plans over the tables as they are, tries to swap, and after a conflict (some take
 * no turns) plans again over what they have become, with growing, jittered pauses. A swap whose outcome is unknown is settled by reading back: either the plan finds its change done, or the
 * change did not happen and the cause is thrown. Rejects with COMMIT_CONFLICT when others were faster for too long; nothing has changed then.
 */
export function commitUntilSettled<T>(context: LakeContext, dataset: string, planner: Planner<T>): Promise<T> {
  return commitJointly(context, [dataset], async ([tables], attempt) => {
    const plan = await planner(tables as DatasetTables, attempt);
    return plan.kind === "done" ? plan : { ...plan, drafts: [plan.drafts] };
  });
}

/** `commitUntilSettled` over several datasets: all of them change in one transaction of the catalog, or none. Rejects with CATALOG_UNSUPPORTED. */
export function commitJointly<T>(
  context: LakeContext,
  datasets: readonly string[],
  planner: (tables: readonly DatasetTables[], attempt: number) => Promise<JointPlan<T>>,
): Promise<T> {
  return inTurn(context.turns, datasets, () => commitPatiently(context, datasets, planner));
}

async function commitPatiently<T>(
  context: LakeContext,
  datasets: readonly string[],
  planner: (tables: readonly DatasetTables[], attempt: number) => Promise<JointPlan<T>>,
): Promise<T> {
  const until = performance.now() + context.conflictMsMax;
  let unknown: SluiceError | null = null;
  for (let attempt = 1; ; attempt++) {
    const tables = await Promise.all(datasets.map((dataset) => loadTablesInTurn(context, dataset)));
    const plan = await planner(tables, attempt);
    if (plan.kind === "done") return plan.result;
    if (unknown !== null) throw unknown.cause instanceof SluiceError ? unknown.cause : unknown;
    if (plan.drafts.flat().every((draft) => draft === null || draft.updates.length === 0)) return plan.result;
    try {
      const outcome = await commitDrafts(context, { bases: tables, drafts: plan.drafts, apart: plan.apart === true });
      if (outcome.status === "committed") return plan.result;
      if (performance.now() >= until) {
        throw new SluiceError(
          "COMMIT_CONFLICT",
          `${datasets.join(", ")}: ${attempt} attempts, each time another writer was first: ${outcome.message}`,
        );
      }
    } catch (fault) {
      if (!(fault instanceof SluiceError) || fault.code !== "COMMIT_UNKNOWN") throw fault;
      unknown = fault;
      continue;
    }
    await sleep(context.random() * Math.min(backoffMsMax, 10 * 2 ** Math.min(attempt, 7)));
  }
}

/** Drafts over both tables. */
export function draftsOf(context: LakeContext, tables: DatasetTables): { readonly promoted: TableDraft; readonly quarantine: TableDraft } {
  return {
    promoted: new TableDraft(context.io, tables.promoted.metadata),
    quarantine: new TableDraft(context.io, tables.quarantine.metadata),
  };
}

/** Runs work on one key one after another: writers of one process need not race each other. */
export class Turnstile {
  readonly #tails = new Map<string, Promise<unknown>>();

  async pass<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const tail = mine.catch(() => undefined);
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
