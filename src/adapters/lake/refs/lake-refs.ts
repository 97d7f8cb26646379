import type { Claims } from "../../../core/claims.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { CommittedWindow } from "../../../core/committed-window.ts";
import type { LakeRefs } from "../../../core/lake-refs.ts";
import { resolveVersion } from "../../../core/version-name.ts";
import { windowOf } from "../history.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { createRef, dropRef } from "./change-ref.ts";
import { comparedRows } from "./compared-rows.ts";
import { compareVersions } from "./compare-versions.ts";
import { listRefs } from "./list-refs.ts";
import { planRollback } from "./plan-rollback.ts";
import { versionSpace } from "./ref-records.ts";
import { releasePending } from "./release-keys.ts";
import { createRelease, dropRelease, listReleases } from "./releases.ts";
import { rollForward } from "./roll-forward.ts";
import { readRollbacks } from "./rollback-records.ts";
import { rollback } from "./rollback.ts";
import { standsIn, withdrawnTest } from "./version-line.ts";

async function* windowsOf(context: LakeContext, dataset: string, snapshotId: string): AsyncIterable<CommittedWindow> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const every = await Array.fromAsync(everySnapshot(context.content, metadata, -1n));
  const head = every.find((each) => each["snapshot-id"].toString() === snapshotId);
  if (head === undefined) throw new SluiceError("NOT_FOUND", `${dataset} has no snapshot ${snapshotId}`);
  const isIn = standsIn(metadata, every, head);
  const isWithdrawn = withdrawnTest(metadata);
  for (const each of every) {
    const window = isIn(each) ? await windowOf(context, each, isWithdrawn(each)) : null;
    if (window !== null) yield window;
  }
}

/**
 * Named versions of a lake. `inTurn` orders changes of one dataset by this process; `datasets` lists them all.
 */
export function createRefs(
  context: LakeContext,
  claims: Claims,
  inTurn: <T>(dataset: string, work: () => Promise<T>) => Promise<T>,
  datasets: () => Promise<readonly string[]>,
): LakeRefs {
  const metadataOf = async (dataset: string): Promise<Parameters<typeof listRefs>[0]> =>
    (await loadTables(context, dataset)).promoted.metadata;
  return {
    list: async (dataset) => listRefs(await metadataOf(dataset)),
    resolve: async (dataset, version) => resolveVersion(versionSpace(dataset, await metadataOf(dataset)), version, context.clock.now()),
    create: (dataset, ref) => inTurn(dataset, () => createRef(context, dataset, ref)),
    drop: (dataset, ref) => inTurn(dataset, () => dropRef(context, dataset, ref)),
    // Several datasets' turns at once could wait for each other: these go in without one, and try again where they lose.
    createRelease: (release) => createRelease(context, release),
    releases: async () => listReleases(context, await datasets()),
    dropRelease: async (release) => dropRelease(context, await datasets(), release),
    planRollback: async (dataset, version) => {
      const tables = await loadTables(context, dataset);
      const to = resolveVersion(versionSpace(dataset, tables.promoted.metadata), version, context.clock.now());
      return (await planRollback(context, tables, to)).plan;
    },
    rollback: (dataset, change) =>
      inTurn(dataset, async () => {
        const done = await rollback(context, dataset, change);
        const released = await releasePending(context, claims, dataset);
        return { ...done, rollback: released.find(({ id }) => id === done.rollback.id) ?? done.rollback };
      }),
    releasePending: (dataset) => inTurn(dataset, () => releasePending(context, claims, dataset)),
    rollbacks: async (dataset) => readRollbacks((await metadataOf(dataset)).properties),
    rollForward: (dataset, change) => inTurn(dataset, () => rollForward(context, dataset, change)),
    compare: (dataset, a, b) => compareVersions(context, dataset, a, b),
    readRows: (dataset, versions) => comparedRows(context, dataset, versions),
    windowsOf: (dataset, snapshotId) => windowsOf(context, dataset, snapshotId),
  };
}
