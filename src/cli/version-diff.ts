import type { ComparedVersion, FileChange, VersionWindow } from "../core/lake-refs.ts";
import { diffLines } from "../core/line-diff.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { Lake } from "../core/ports.ts";
import type { ColumnSummary, Profile } from "../core/profile.ts";
import type { SchemaChange } from "../core/schema-diff.ts";
import { diffSchemas } from "../core/schema-diff.ts";
import type { Decision } from "../core/decision.ts";
import { loadContract } from "../contract/load-contract.ts";
import { decodeProfile, mergeProfiles, profileColumns, summarizeProfile } from "../sketches/index.ts";

/** Windows whose profiles are merged: the newest of a version. */
const profiledWindowsMax = 2000;

/** The merged profile of some windows: how many of them it is of, and how many rows. */
export interface ProfiledRows {
  readonly windows: number;
  /** Windows that put rows there; more than `windows` where profiles are missing or there are too many. */
  readonly of: number;
  readonly rows: number;
}

/** A column's statistics in A, in B, and in the windows that only B has. */
export interface ColumnDiff {
  readonly path: string;
  readonly a: ColumnSummary | null;
  readonly b: ColumnSummary | null;
  readonly added: ColumnSummary | null;
}

/** Two versions of a dataset, with all that tells them apart. */
export interface VersionDiff {
  readonly dataset: string;
  readonly a: Omit<ComparedVersion, "schema">;
  readonly b: Omit<ComparedVersion, "schema">;
  readonly commonSnapshotId: string | null;
  readonly schema: readonly SchemaChange[];
  readonly added: FileChange;
  readonly removed: FileChange;
  readonly rowsRewritten: bigint | null;
  /** Lines of a unified diff of the two contracts' texts; empty where they are the same, null where one has none. */
  readonly contract: readonly string[] | null;
  readonly onlyA: readonly VersionWindow[];
  readonly onlyB: readonly VersionWindow[];
  readonly profile: {
    readonly a: ProfiledRows;
    readonly b: ProfiledRows;
    readonly added: ProfiledRows;
    /** Whether the rows were read; else profiles are those that were stored with windows. */
    readonly isRead: boolean;
    /** Top-level columns that hold more than one plain value a row, which reading leaves out. */
    readonly unread: readonly string[];
    readonly columns: readonly ColumnDiff[];
  };
}

interface Merged extends ProfiledRows {
  readonly profile: Profile | null;
}

const damaged: ReadonlySet<string> = new Set(["PROFILE_CORRUPT", "CONTENT_CORRUPT", "NOT_FOUND"]);

/** Profiles by their hash: both versions share most. */
class ProfileShelf {
  readonly #lake: Lake;
  readonly #read = new Map<string, Profile | null>();

  constructor(lake: Lake) {
    this.#lake = lake;
  }

  async merge(decisions: readonly Decision[]): Promise<Merged> {
    const promoted = decisions.filter((each) => each.counts.promoted > 0);
    let profile: Profile | null = null;
    let windows = 0;
    for (const { profile: stored } of promoted.slice(-profiledWindowsMax)) {
      const own = stored.hash === null ? null : await this.#get(stored.hash);
      if (own === null) continue;
      profile = profile === null ? own : mergeProfiles(profile, own);
      windows++;
    }
    return { windows, of: promoted.length, rows: profile?.rows ?? 0, profile };
  }

  async #get(hash: string): Promise<Profile | null> {
    const known = this.#read.get(hash);
    if (known !== undefined) return known;
    let read: Profile | null = null;
    try {
      read = decodeProfile(await this.#lake.profile(hash));
    } catch (error) {
      // The rest still compares; `windows` says that some are missing.
      if (!(error instanceof SluiceError) || !damaged.has(error.code)) throw error;
    }
    this.#read.set(hash, read);
    return read;
  }
}

async function decisionsOf(lake: Lake, dataset: string, snapshotId: string): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for await (const { decision } of lake.refs.windowsOf(dataset, snapshotId)) if (decision.moved === undefined) decisions.push(decision);
  return decisions;
}

async function contractOf(lake: Lake, dataset: string, hash: string): Promise<{ readonly text: string; readonly contract: Contract }> {
  const text = await lake.contractText(hash);
  const file = `${dataset}.odcs.yaml`;
  // What the contract refers to is not needed to know its columns.
  const read = (path: string): Promise<string> => Promise.resolve(path === file ? text : "{}");
  return { text, contract: (await loadContract(file, read, { dataset, withoutDecoding: true })).contract };
}

function columnsOf(a: readonly ColumnSummary[], b: readonly ColumnSummary[], added: readonly ColumnSummary[]): ColumnDiff[] {
  const find = (columns: readonly ColumnSummary[], path: string): ColumnSummary | null =>
    columns.find((each) => each.path === path) ?? null;
  const paths = new Set([...b, ...a].map((each) => each.path));
  return [...paths].map((path) => ({ path, a: find(a, path), b: find(b, path), added: find(added, path) }));
}

/** Profiles of the rows themselves: A's, B's, and those in files that only B has; and the columns that could not be read. */
interface ReadProfiles {
  readonly a: Profile | null;
  readonly b: Profile | null;
  readonly added: Profile | null;
  readonly unread: readonly string[];
}

interface ReadVersion {
  readonly snapshotId: string;
  readonly contract: Contract | undefined;
}

async function readProfiles(lake: Lake, dataset: string, a: ReadVersion, b: ReadVersion): Promise<ReadProfiles> {
  const [fieldsA, fieldsB] = [a.contract?.fields ?? [], b.contract?.fields ?? []];
  const profilers = {
    a: profileColumns(fieldsA),
    both: profileColumns(fieldsA),
    b: profileColumns(fieldsB),
    added: profileColumns(fieldsB),
  };
  const read = new Set<string>();
  const versions = {
    a: { snapshotId: a.snapshotId, columns: fieldsA },
    b: { snapshotId: b.snapshotId, columns: fieldsB },
    isSame: a.contract?.hash === b.contract?.hash,
  };
  for await (const { in: side, isNew, rows, columns } of lake.refs.readRows(dataset, versions)) {
    profilers[isNew ? "added" : side].add(columns, rows);
    for (const { field } of columns) read.add(field.path);
  }
  const [onlyA, both, kept, added] = (["a", "both", "b", "added"] as const).map((name) => profilers[name].finish()) as [
    Profile,
    Profile,
    Profile,
    Profile,
  ];
  // What both have was read by A's fields: by the same as B's, or nothing was.
  const ofB = mergeProfiles(kept, added);
  const unread = [...new Set([...fieldsA, ...fieldsB].map(({ path }) => path))].filter((path) => !read.has(path));
  const has = ({ contract }: ReadVersion, profile: Profile): Profile | null => (contract === undefined ? null : withColumns(profile, read));
  return {
    a: has(a, mergeProfiles(onlyA, both)),
    b: has(b, both.rows === 0 ? ofB : mergeProfiles(both, ofB)),
    added: has(b, added),
    unread: read.size === 0 ? [] : unread,
  };
}

/** A profile without the columns that were not read: they would look like columns without values. */
function withColumns({ rows, columns }: Profile, paths: ReadonlySet<string>): Profile {
  return { rows, columns: new Map([...columns].filter(([path]) => paths.has(path))) };
}

/**
 * Compares two versions: files and windows as the lake tells them, schemas by field id, contracts by text, columns by their stored profiles, or with `isRead` by
 * the rows that both have.
 */
export async function diffVersions(lake: Lake, dataset: string, a: string, b: string, isRead: boolean): Promise<VersionDiff> {
  const found = await lake.refs.compare(dataset, a, b);
  const { schema: schemaA, ...versionA } = found.a;
  const { schema: schemaB, ...versionB } = found.b;
  const [before, after] = [found.a.contract, found.b.contract];
  const [textA, textB] = [before && (await contractOf(lake, dataset, before.hash)), after && (await contractOf(lake, dataset, after.hash))];
  const [contractA, contractB] = [textA?.contract, textB?.contract];
  const profiles = isRead
    ? await readProfiles(
        lake,
        dataset,
        { snapshotId: found.a.snapshotId, contract: contractA },
        { snapshotId: found.b.snapshotId, contract: contractB },
      )
    : null;
  const shelf = new ProfileShelf(lake);
  const merged = {
    a: await shelf.merge(await decisionsOf(lake, dataset, found.a.snapshotId)),
    b: await shelf.merge(await decisionsOf(lake, dataset, found.b.snapshotId)),
    added: await shelf.merge(found.onlyB.map((each) => each.decision)),
  };
  const profileOf = (name: "a" | "b" | "added"): Profile | null => (profiles === null ? merged[name].profile : profiles[name]);
  const summary = (name: "a" | "b" | "added", contract: Contract | undefined): readonly ColumnSummary[] => {
    const profile = profileOf(name);
    return profile === null || contract === undefined ? [] : summarizeProfile(profile, contract);
  };
  const counts = (name: "a" | "b" | "added"): ProfiledRows => {
    const { windows, of } = merged[name];
    return { windows, of, rows: profileOf(name)?.rows ?? 0 };
  };
  return {
    dataset,
    a: versionA,
    b: versionB,
    commonSnapshotId: found.commonSnapshotId,
    schema: diffSchemas(schemaA, schemaB),
    added: found.added,
    removed: found.removed,
    rowsRewritten: found.rowsRewritten,
    contract: textA === null || textB === null ? null : diffLines(textA.text, textB.text),
    onlyA: found.onlyA,
    onlyB: found.onlyB,
    profile: {
      a: counts("a"),
      b: counts("b"),
      added: counts("added"),
      isRead,
      unread: profiles?.unread ?? [],
      columns: columnsOf(summary("a", contractA), summary("b", contractB), summary("added", contractB)),
    },
  };
}
