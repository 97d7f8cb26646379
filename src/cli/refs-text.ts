import type { NamedRef } from "../core/lake-refs.ts";
import type { Invocation } from "./command.ts";
import { UsageError } from "./failure.ts";
import { formatCount, formatTime, printable, renderTable } from "./table.ts";

/** What `--json` prints of a tag or branch. */
export const namedRefJson =
  "{ name: string, kind: 'main' | 'held' | 'withdrawn' | 'tag' | 'branch' | 'release', snapshotId: string, committedAtMs: number, rows: number | null, author: string | null, reason: string | null, createdAtMs: number | null, keptUntilMs: number | null, isIntact: boolean }";

/** The version that `--snapshot`, `--at` and `--branch` (or `--from`) name; `main` where none of them was given. */
export function versionAsked(invocation: Invocation, options: readonly string[]): string {
  const given = options.flatMap((name) => invocation.text(name) ?? []);
  if (given.length > 1) throw new UsageError(`say one of ${options.map((name) => `--${name}`).join(", ")}`);
  return given[0] ?? "main";
}

/** A tag in one line: what it is, who made it and why, and how long it stays. */
export function tagLine({ name, kind, isIntact, author, reason, createdAtMs, keptUntilMs }: NamedRef): string {
  const made =
    author === null
      ? "made by another program"
      : `made by ${printable(author)}${createdAtMs === null ? "" : `, ${formatTime(createdAtMs)}`}`;
  const kept = keptUntilMs === null ? "kept until it is dropped" : `kept until ${formatTime(keptUntilMs)}`;
  const why = reason === null ? "" : `: ${printable(reason)}`;
  return `${kind} ${printable(name)}, ${made}${why}; ${kept}${isIntact ? "" : "; ANOTHER PROGRAM HAS MOVED IT"}`;
}

/** Tags or branches as a table. */
export function refTable(refs: readonly NamedRef[]): readonly string[] {
  const header = ["name", "kind", "snapshot", "committed", "rows", "kept until", "made by", "why"];
  return renderTable(
    header,
    refs.map((each) => [
      each.name,
      each.isIntact ? each.kind : `${each.kind} (moved by another program)`,
      each.snapshotId,
      formatTime(each.committedAtMs),
      each.rows === null ? "" : formatCount(each.rows),
      each.kind === "main" ? "" : each.keptUntilMs === null ? "dropped" : formatTime(each.keptUntilMs),
      each.author === null ? "" : `${printable(each.author)}, ${formatTime(each.createdAtMs ?? each.committedAtMs)}`,
      each.reason === null ? "" : printable(each.reason),
    ]),
  );
}
