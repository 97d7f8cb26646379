import { SluiceError } from "../../../core/errors.ts";
import type { Authorship, LakeRefs, Release } from "../../../core/lake-refs.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { commitJointly } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { DropRequest, RefRequest } from "./change-ref.ts";
import { draftDrop, draftRef } from "./change-ref.ts";
import { namedRef } from "./list-refs.ts";
import type { RefRecord } from "./ref-records.ts";
import { recordOf, recordsOf } from "./ref-records.ts";

type Member = Release["members"][number];

function memberOf(dataset: string, metadata: TableMetadata, name: string, record: RefRecord): Member {
  const ref = namedRef(metadata, name);
  return { dataset, snapshotId: record.snapshotId, rows: ref?.rows ?? null, isIntact: ref !== null && ref.isIntact };
}

function releaseOf(name: string, tables: readonly (readonly [dataset: string, metadata: TableMetadata])[]): Release | null {
  const found = tables.flatMap(([dataset, metadata]) => {
    const record = recordOf(metadata, name);
    return record?.kind === "release" && record.dropped === undefined ? [{ dataset, metadata, record }] : [];
  });
  const first = found[0];
  if (first === undefined) return null;
  const { author, reason, atMs } = first.record;
  return {
    name,
    author,
    reason,
    createdAtMs: atMs,
    keptUntilMs: namedRef(first.metadata, name)?.keptUntilMs ?? null,
    members: found.map(({ dataset, metadata, record }) => memberOf(dataset, metadata, name, record)),
  };
}

/** Every release of a lake, oldest first. */
export async function listReleases(context: LakeContext, datasets: readonly string[]): Promise<readonly Release[]> {
  const tables = await Promise.all(
    datasets.map(async (dataset) => [dataset, (await loadTables(context, dataset)).promoted.metadata] as const),
  );
  const names = new Set(
    tables.flatMap(([, metadata]) => [...recordsOf(metadata)].flatMap(([name, { kind }]) => (kind === "release" ? [name] : []))),
  );
  return [...names].flatMap((name) => releaseOf(name, tables) ?? []).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Tags several datasets in one transaction; see `LakeRefs.createRelease`. */
export function createRelease(context: LakeContext, release: Parameters<LakeRefs["createRelease"]>[0]): Promise<Release> {
  const datasets = [...new Set(release.datasets)].toSorted();
  if (datasets.length === 0) throw new SluiceError("NOT_FOUND", "there is no dataset to release yet");
  const request: RefRequest = { ...release, kind: "release", datasets, atMs: context.clock.now(), call: context.io.uuid() };
  return commitJointly(context, datasets, async (tables) => {
    const drafts = tables.map((each) => draftRef(context, each, request));
    const after = tables.map((each, i) => [each.dataset, drafts[i]?.metadata ?? each.promoted.metadata] as const);
    const result = releaseOf(release.name, after) as Release;
    if (drafts.every((draft) => draft === null)) return { kind: "done", result };
    return { kind: "change", drafts: drafts.map((draft) => [draft, null] as const), result };
  });
}

/** Drops a release's tag from all its datasets in one transaction. Rejects with NOT_FOUND. */
export async function dropRelease(
  context: LakeContext,
  known: readonly string[],
  release: { readonly name: string } & Authorship,
): Promise<Release> {
  const standing = (await listReleases(context, known)).find((each) => each.name === release.name);
  if (standing === undefined) throw new SluiceError("NOT_FOUND", `there is no release ${release.name}`);
  const request: DropRequest = { ...release, kind: "release", atMs: context.clock.now(), call: context.io.uuid() };
  const members = standing.members.map((each) => each.dataset);
  return commitJointly(context, members, async (tables) => {
    const drafts = tables.map((each) => draftDrop(context, each, request));
    if (drafts.every((draft) => draft === null)) return { kind: "done", result: standing };
    return { kind: "change", drafts: drafts.map((draft) => [draft, null] as const), result: standing };
  });
}
