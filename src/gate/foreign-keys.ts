import { claimKeyBytes } from "../core/claims.ts";
import type { Lake, SnapshotInfo } from "../core/ports.ts";
import { SluiceError } from "../core/errors.ts";
import { icebergPrimitive } from "../core/iceberg-type.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { columnKeys } from "../rules/deferred/column-keys.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";

/** More different values than this do not fit one process. */
const valuesMax = 5_000_000;

interface Known {
  readonly head: SnapshotInfo;
  readonly keys: Set<string>;
}

/** What other datasets' promoted columns hold, as of their newest version; read once, and then only what is new. */
export class ForeignKeys {
  readonly #lake: Lake;
  readonly #known = new Map<string, Known>();

  constructor(lake: Lake) {
    this.#lake = lake;
  }

  /** Rows whose value the other column does not hold now. Rejects with NOT_FOUND where there is no such dataset. */
  async offenders(plan: RulePlan, field: Field, { rule, rows, keys }: DeferredKeys): Promise<DeferredOffenders> {
    const { check } = plan;
    if (check.family !== "foreignKey") throw new Error(`bug: ${plan.id} is no foreign key`);
    const { head, keys: held } = await this.#load(check.dataset, { ...field, name: check.column });
    const missing = rows.filter((_, i) => !held.has(keyText(keys, i)));
    return { rule, rows: missing, note: `judged against ${check.dataset} at snapshot ${head.snapshotId}` };
  }

  async #load(dataset: string, field: Field): Promise<Known> {
    const snapshots = await this.#lake.snapshots(dataset);
    const head = snapshots.find((each) => each.refs.includes("main"));
    if (head === undefined) throw new SluiceError("NOT_FOUND", `dataset ${dataset} has no promoted version yet`);
    const name = `${dataset}\n${field.name}\n${icebergPrimitive(field.type)}`;
    const known = this.#known.get(name);
    if (known?.head.snapshotId === head.snapshotId) return known;
    // After a rollback or a deletion, or where history was cut, what was read may hold too much: it is read anew.
    const grown = known !== undefined && descends(snapshots, head, known.head);
    const keys = grown ? known.keys : new Set<string>();
    for await (const { columns, count } of this.#lake.promotedColumns(dataset, [field], {
      after: grown ? known.head.sequence : 0n,
      held: false,
    })) {
      const found = columnKeys(columns, count);
      for (let i = 0; i < found.rows.length; i++) keys.add(keyText(found.keys, i));
      if (keys.size > valuesMax)
        throw new SluiceError(
          "CONTRACT_INVALID",
          `${dataset}.${field.name} has more than ${valuesMax} different values: too many to refer to`,
        );
    }
    const loaded = { head, keys };
    this.#known.set(name, loaded);
    return loaded;
  }
}

/** Changes that leave every row of the version before. */
const growing: ReadonlySet<string> = new Set(["append", "replace", ""]);

/** Whether a version has every row of another: it came from it, and nothing was deleted on the way. */
function descends(snapshots: readonly SnapshotInfo[], head: SnapshotInfo, ancestor: SnapshotInfo): boolean {
  const byId = new Map(snapshots.map((each) => [each.snapshotId, each]));
  let at: SnapshotInfo | undefined = head;
  while (at !== undefined && at.sequence > ancestor.sequence) {
    if (!growing.has(at.operation)) return false;
    at = at.parentId === null ? undefined : byId.get(at.parentId);
  }
  return at?.snapshotId === ancestor.snapshotId;
}

function keyText(keys: Uint8Array, index: number): string {
  return Buffer.from(keys.buffer, keys.byteOffset + index * claimKeyBytes, claimKeyBytes).toString("latin1");
}
