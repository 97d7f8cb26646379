import { SluiceError } from "../../core/errors.ts";
import type { CommitOutcome, LoadedTable } from "../catalog/catalog.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import type { TableDraft } from "../iceberg/table-draft.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { carryPlan, changeOf, finishPlan } from "./quarantine-plan.ts";

/** Changes of a dataset's promoted table and of its quarantine table; null leaves one as it is. */
export type Drafts = readonly [TableDraft | null, TableDraft | null];

/** What is to be committed, over the versions that it was made from. */
export interface Commit {
  readonly bases: readonly DatasetTables[];
  /** In the order of the datasets. */
  readonly drafts: readonly Drafts[];
  /** Whether the tables need not change at one moment: what a first one has been through is not planned again. */
  readonly apart: boolean;
}

interface Step {
  readonly base: LoadedTable;
  readonly draft: TableDraft;
}

function stepsOf({ bases, drafts }: Commit): Step[] {
  return bases.flatMap(({ promoted, quarantine }, i) =>
    [promoted, quarantine].flatMap((base, j) => {
      const draft = drafts[i]?.[j] ?? null;
      return draft === null || draft.updates.length === 0 ? [] : [{ base, draft }];
    }),
  );
}

/** Removes what an attempt wrote that has certainly failed; what can't be removed stays behind as an orphan. */
async function discard(context: LakeContext, drafts: readonly TableDraft[]): Promise<void> {
  // A file that arrives after it was deleted would stay.
  await Promise.allSettled(drafts.map((draft) => draft.written()));
  for (const uri of drafts.flatMap((draft) => draft.manifestLists)) {
    try {
      await context.storage.delete(pathOfUri(context.storage, uri));
    } catch (fault) {
      if (!(fault instanceof SluiceError)) throw fault;
    }
  }
}

async function commitAtOnce(context: LakeContext, steps: readonly Step[], written: readonly TableDraft[]): Promise<CommitOutcome> {
  const outcome = await context.catalog.commit(steps.map(({ base, draft }) => changeOf(base, draft, written)));
  if (outcome.status === "conflict") await discard(context, written);
  return outcome;
}

/** The promoted table first: it is what decides, and says what is to become of the quarantine table. */
async function commitPlanned(
  context: LakeContext,
  tables: DatasetTables,
  [promoted, quarantine]: readonly [Step, Step],
): Promise<CommitOutcome> {
  await carryPlan(context, { promoted: promoted.draft, quarantine: quarantine.draft });
  const outcome = await commitAtOnce(context, [promoted], [promoted.draft, quarantine.draft]);
  const [decided] = outcome.status === "committed" ? outcome.tables : [];
  if (decided !== undefined) await finishPlan(context, { ...tables, promoted: decided });
  return outcome;
}

async function commitApart(context: LakeContext, steps: readonly Step[]): Promise<CommitOutcome> {
  const tables: LoadedTable[] = [];
  for (const [i, step] of steps.entries()) {
    const left = steps.slice(i).map(({ draft }) => draft);
    const outcome = await commitAtOnce(context, [step], left);
    if (outcome.status === "conflict") return outcome;
    tables.push(...outcome.tables);
  }
  return { status: "committed", tables };
}

/**
 * Commits drafts: at once where the catalog can; else a dataset's promoted table and then its quarantine table, by a plan that survives this process.
 * Rejects with CATALOG_UNSUPPORTED where a catalog that can't is asked to change several datasets together.
 */
export async function commitDrafts(context: LakeContext, commit: Commit): Promise<CommitOutcome> {
  const steps = stepsOf(commit);
  const written = commit.drafts.flat().filter((draft) => draft !== null);
  const [first, second, ...more] = steps;
  if (second === undefined || first === undefined || context.catalog.isJoint) return commitAtOnce(context, steps, written);
  const tables = commit.bases.filter(({ promoted, quarantine }) => steps.some(({ base }) => base === promoted || base === quarantine));
  const [dataset] = tables;
  if (dataset === undefined || tables.length > 1 || more.length > 0) {
    await discard(context, written);
    const names = tables.map((each) => each.dataset).join(", ");
    throw new SluiceError("CATALOG_UNSUPPORTED", `the catalog can't change several datasets at once: ${names}`);
  }
  return commit.apart ? commitApart(context, steps) : commitPlanned(context, dataset, [first, second]);
}
