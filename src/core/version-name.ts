import { SluiceError } from "./errors.ts";
import { spanMs } from "./time-span.ts";

/** What a table knows of its versions, as far as names go. */
export interface VersionSpace {
  readonly dataset: string;
  readonly snapshots: readonly { readonly snapshotId: string; readonly parentId: string | null; readonly committedAtMs: number }[];
  readonly refs: ReadonlyMap<string, string>;
  /** What main was, and since when, oldest first: a rollback is an entry like any other. */
  readonly log: readonly { readonly snapshotId: string; readonly atMs: number }[];
}

/** A version, and how its name was understood. */
export interface ResolvedVersion {
  /** As it was written. */
  readonly name: string;
  readonly snapshotId: string;
  readonly by: "ref" | "snapshot" | "time";
  /** The tag or branch that the name began with; null where it named a snapshot or a time. */
  readonly ref: string | null;
}

/** A moment as people write one: ISO 8601, or a span such as `15m` before now. Milliseconds since the epoch; null where the text is neither. */
function momentOf(text: string, nowMs: number): number | null {
  const span = spanMs(text);
  if (span !== null) return nowMs - span;
  if (!/^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function back(space: VersionSpace, name: string, from: string, steps: number): string {
  const parents = new Map(space.snapshots.map((each) => [each.snapshotId, each.parentId]));
  let at = from;
  for (let step = 0; step < steps; step++) {
    const parent = parents.get(at) ?? null;
    if (parent === null || !parents.has(parent)) {
      throw new SluiceError("VERSION_UNKNOWN", `${space.dataset} has no version ${name}: only ${step} lie behind`);
    }
    at = parent;
  }
  return at;
}

/**
 * The version that a name stands for, wherever a command takes one: a tag or branch (`main`), a snapshot's id, either with `~N` for N commits before it, or a
 * time: what readers of main saw then. A ref's own name comes first. Rejects with VERSION_UNKNOWN.
 */
export function resolveVersion(space: VersionSpace, name: string, nowMs: number): ResolvedVersion {
  const [, base = "", steps] = /^(.*?)(?:~(\d{1,9}))?$/s.exec(name) ?? [];
  const ref = space.refs.get(base);
  const stepsBack = Number(steps ?? 0);
  if (ref !== undefined) return { name, snapshotId: back(space, name, ref, stepsBack), by: "ref", ref: base };
  if (space.snapshots.some((each) => each.snapshotId === base)) {
    return { name, snapshotId: back(space, name, base, stepsBack), by: "snapshot", ref: null };
  }
  const ms = steps === undefined ? momentOf(name, nowMs) : null;
  if (ms === null) throw new SluiceError("VERSION_UNKNOWN", `${space.dataset} has no tag, branch or snapshot ${JSON.stringify(base)}`);
  const then = space.log.findLast((entry) => entry.atMs <= ms);
  if (then === undefined) {
    const first = space.log[0];
    const since = first === undefined ? "it never had one" : `what is known of main begins at ${new Date(first.atMs).toISOString()}`;
    throw new SluiceError("VERSION_UNKNOWN", `${space.dataset} has no version of ${new Date(ms).toISOString()}: ${since}`);
  }
  if (!space.snapshots.some((each) => each.snapshotId === then.snapshotId)) {
    throw new SluiceError("VERSION_UNKNOWN", `main of ${space.dataset} was snapshot ${then.snapshotId} then, which has expired`);
  }
  return { name, snapshotId: then.snapshotId, by: "time", ref: null };
}
