import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { expect } from "vitest";
import { placeIn } from "./lake-fixture.ts";
import type { BranchContent } from "./table-content.ts";
import { loadBoth, readBranch } from "./table-content.ts";

/** Rows that rollbacks which stand took off main: what is under their tags, and neither on main nor where main went back to. */
async function withdrawnRows(folder: string, main: BranchContent, refs: readonly string[]): Promise<Set<string>> {
  const rows = new Set<string>();
  for (const ref of refs.filter((name) => name.startsWith("withdrawn/"))) {
    for (const each of (await readBranch(folder, "orders", ref)).promoted) if (!main.promoted.includes(each)) rows.add(each);
  }
  return rows;
}

function readContent(folder: string, kind: string, hash: string): string {
  const path = join(placeIn(folder).folder, "content", kind, hash.slice(0, 2), hash);
  return (existsSync(path) ? readFileSync(path) : zstdDecompressSync(readFileSync(`${path}.zst`))).toString();
}

/** Records that erasures took out, as their records on the table tell. */
function erasedIds(folder: string, properties: Readonly<Record<string, string>>): Set<string> {
  const hashes = JSON.parse(properties["sluice.erasures"] ?? "[]") as string[];
  return new Set(hashes.flatMap((hash) => (JSON.parse(readContent(folder, "erasure", hash)) as { erased: string[] }).erased));
}

/** Records whose rows went by retention, as the records that its snapshots name tell: they count where a record is nowhere else. */
async function expiredIds(folder: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const summary of await summariesOf(folder)) {
    if (summary["sluice.change"] !== "retain") continue;
    const { record } = JSON.parse(summary["sluice.detail"] ?? "{}") as { record: string };
    const { positions } = JSON.parse(readContent(folder, "retention", record)) as { positions: Record<string, [string, string][]> };
    for (const [partition, ranges] of Object.entries(positions)) {
      for (const [first, last] of ranges) for (let i = BigInt(first); i <= BigInt(last); i++) ids.add(`${partition}:${i}`);
    }
  }
  return ids;
}

/** Summaries of snapshots of both tables, those that have expired included. */
async function summariesOf(folder: string): Promise<Record<string, string>[]> {
  const { promoted, quarantine } = await loadBoth(folder, "orders");
  return [promoted, quarantine].flatMap(({ snapshots, properties }) => {
    const segments = JSON.parse(properties["sluice.ledger"] ?? "[]") as { hash: string }[];
    const expired = segments.flatMap(
      ({ hash }) => (JSON.parse(readContent(folder, "ledger", hash)) as { entries: { summary: Record<string, string> }[] }).entries,
    );
    return [...snapshots, ...expired].map(({ summary }) => summary);
  });
}

/** That every record below its partition's position is in exactly one place, that none beyond is anywhere, and no file stands twice on main. */
export async function expectConserved(folder: string): Promise<Record<string, number>> {
  const main = await readBranch(folder, "orders");
  expect(new Set(main.files).size).toBe(main.files.length);
  const places = new Map<string, string[]>();
  const put = (id: string, place: string): void => void places.set(id, [...(places.get(id) ?? []), place]);
  for (const each of main.promoted) put(each.split("=")[0]!, "promoted");
  const latest = new Map<string, [number, string]>();
  for (const each of main.quarantined) {
    const [, id, attempt, state] = /^(.*)#(\d+)=(.*)$/.exec(each) as unknown as [string, string, string, string];
    expect(latest.get(id)?.[0]).not.toBe(Number(attempt));
    if ((latest.get(id)?.[0] ?? -1) < Number(attempt)) latest.set(id, [Number(attempt), state]);
  }
  for (const [id, [, state]] of latest) if (state !== "promoted") put(id, state);
  const { promoted } = await loadBoth(folder, "orders");
  for (const ref of Object.keys(promoted.refs).filter((name) => name.startsWith("held/"))) {
    const branch = await readBranch(folder, "orders", ref);
    const raw = branch.quarantined.filter((each) => !main.quarantined.includes(each));
    for (const each of raw) put(each.split("#")[0]!, "held");
  }
  for (const each of await withdrawnRows(folder, main, Object.keys(promoted.refs))) put(each.split("=")[0]!, "withdrawn");
  for (const id of erasedIds(folder, promoted.properties)) put(id, "erased");
  for (const id of await expiredIds(folder)) if (!places.has(id)) put(id, "expired");
  const expected: string[] = [];
  const positions = JSON.parse(promoted.properties["sluice.positions"] ?? "[]") as { topicId: string; partition: number; next: string }[];
  for (const { topicId, partition, next } of positions)
    for (let i = 0n; i < BigInt(next); i++) expected.push(`${topicId}:${partition}:${i}`);
  expect([...places.keys()].toSorted()).toEqual(expected.toSorted());
  expect([...places].filter(([, found]) => found.length !== 1)).toEqual([]);
  const counts: Record<string, number> = {};
  for (const [place] of places.values()) counts[place as string] = (counts[place as string] ?? 0) + 1;
  return counts;
}
