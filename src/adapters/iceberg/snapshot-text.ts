import { writeLosslessJson } from "./lossless-json.ts";
import type { Snapshot } from "./metadata-parts.ts";

// Snapshots are immutable and shared between versions of the metadata: each is turned into text once.
const texts = new WeakMap<Snapshot, string>();

/** A snapshot as a metadata file has it. */
export function textOfSnapshot(snapshot: Snapshot): string {
  let text = texts.get(snapshot);
  if (text === undefined) {
    // Version 1 has no sequence numbers, and version 2 reads their absence as 0.
    const { "sequence-number": sequence, ...rest } = snapshot;
    text = writeLosslessJson(sequence === 0n ? rest : snapshot);
    texts.set(snapshot, text);
  }
  return text;
}

const arrayStart = '"snapshots":[';
const idStart = '"snapshot-id":';

/** The next snapshot id from a place in the text on; null where there is none. */
function idFrom(text: string, from: number): bigint | null {
  const at = text.indexOf(idStart, from);
  const digits = /^\d+/.exec(text.slice(at + idStart.length, at + idStart.length + 20));
  return at < 0 || digits === null ? null : BigInt(digits[0]);
}

/**
 * Takes those snapshots out of the text of a metadata file that are known already, from the first on: a table's versions have most of theirs in common, and
 * parsing them anew is most of what reading one takes. Texts that another program wrote in its own way keep theirs.
 */
export function cutKnownSnapshots(
  text: string,
  known: readonly Snapshot[],
): { readonly rest: string; readonly snapshots: readonly Snapshot[] } {
  const at = text.indexOf(arrayStart);
  const snapshots: Snapshot[] = [];
  if (at < 0 || known.length === 0) return { rest: text, snapshots };
  const byId = new Map(known.map((each) => [each["snapshot-id"], each]));
  const start = at + arrayStart.length;
  let end = start;
  for (;;) {
    const snapshot = byId.get(idFrom(text, end) ?? -1n);
    if (snapshot === undefined) break;
    const own = textOfSnapshot(snapshot);
    const next = text[end + own.length];
    if (!text.startsWith(own, end) || (next !== "," && next !== "]")) break;
    snapshots.push(snapshot);
    end += own.length;
    if (next === "]") break;
    end++;
  }
  return { rest: text.slice(0, start) + text.slice(end), snapshots };
}
