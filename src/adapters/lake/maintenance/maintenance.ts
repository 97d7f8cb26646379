import type { LakeMaintenance } from "../../../core/lake-maintenance.ts";
import type { LakeStores } from "../../catalog/open-catalog.ts";
import type { LakeContext } from "../lake-context.ts";
import { compact } from "./compact.ts";
import { describeColumns } from "./describe-columns.ts";
import { erase, previewErasure } from "./erase.ts";
import { expire } from "./expire.ts";
import { removeOrphans } from "./orphans.ts";
import { retain } from "./retain.ts";

/** Maintenance of a lake's tables. It waits for no turn: it is one more writer, whom every window may beat. */
export function createMaintenance(context: LakeContext, { cursors, consumption }: LakeStores): LakeMaintenance {
  return {
    expire: (dataset, policy, dryRun) => expire(context, cursors, dataset, { policy, dryRun }),
    removeOrphans: (graceMs, dryRun) => removeOrphans(context, graceMs, dryRun),
    compact: (dataset, policy, dryRun) => compact(context, dataset, policy, dryRun),
    retain: (dataset, policy, action, dryRun) => retain(context, consumption, dataset, { policy, action, dryRun }),
    describe: (dataset) => describeColumns(context, dataset),
    previewErasure: (dataset, target, copies) => previewErasure(context, dataset, target, copies),
    erase: (dataset, request) => erase(context, dataset, request),
  };
}
