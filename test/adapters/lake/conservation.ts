import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { expect } from "vitest";
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

/** Records that erasures took out, as their records on the table tell. */
function erasedIds(folder: string, properties: Readonly<Record<string, string>>): Set<string> {
  const hashes = JSON.parse(properties["sluice.erasures"] ?? "[]") as string[];
  return new Set(
    hashes.flatMap((hash) => {
      const path = join(folder, "content/erasure", hash.slice(0, 2), hash);
      const bytes = existsSync(path) ? readFileSync(path) : zstdDecompressSync(readFileSync(`${path}.zst`));
      return (JSON.parse(bytes.toString()) as { erased: string[] }).erased;
    }),
  );
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
