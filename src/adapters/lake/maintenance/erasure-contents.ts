import { decodeDecision, encodeDecision } from "../../../core/decision-text.ts";
import type { Decision } from "../../../core/decision.ts";
import type { ContentKind } from "../../../core/storage.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { Needle } from "./erasure-target.ts";
import type { LedgerEntry } from "./ledger.ts";
import { everySnapshot } from "./ledger.ts";

const erasedText = "[erased]";

/** Decisions without what they said of erased rows: new hashes by old ones, and the contents that are to be deleted once nothing names them. */
export interface RedactedDecisions {
  readonly hashes: ReadonlyMap<string, string>;
  readonly profiles: readonly string[];
}

interface StoredRange {
  readonly topicId: string;
  readonly partition: number;
  readonly from: string;
  readonly to: string;
}

/** Offsets of erased records by partition. */
function offsetsByPartition(ids: ReadonlySet<string>): Map<string, bigint[]> {
  const offsets = new Map<string, bigint[]>();
  for (const id of ids) {
    const cut = id.lastIndexOf(":");
    const key = id.slice(0, cut);
    const list = offsets.get(key);
    if (list === undefined) offsets.set(key, [BigInt(id.slice(cut + 1))]);
    else list.push(BigInt(id.slice(cut + 1)));
  }
  return offsets;
}

function covers(summary: LedgerEntry["summary"], offsets: ReadonlyMap<string, readonly bigint[]>): boolean {
  const ranges = JSON.parse(summary[summaryKeys.ranges] ?? "[]") as readonly StoredRange[];
  return ranges.some(({ topicId, partition, from, to }) => {
    const [first, end] = [BigInt(from), BigInt(to)];
    return (offsets.get(`${topicId}:${partition}`) ?? []).some((offset) => offset >= first && offset < end);
  });
}

/** A decision without a value: no profile (whose sketches keep single values), and no text that holds it. */
function redactDecision(decision: Decision, value: RegExp): Decision {
  const hide = (part: unknown): unknown => {
    if (typeof part === "string") return part.replaceAll(value, erasedText);
    if (Array.isArray(part)) return part.map(hide);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, hide(each)]));
  };
  const columns = decision.profile.columns.map((column) => ({ ...column, min: null, max: null, quantiles: null, top: null }));
  // Positions stay as they are: they are no values, and every fold goes by them.
  const { ranges } = decision;
  return { ...(hide({ ...decision, ranges: [] }) as Decision), ranges, profile: { ...decision.profile, columns, hash: null } };
}

/** Redacts the decisions of every window that read one of the erased records. The new ones are durable before anything names them. */
export async function redactDecisions(
  context: LakeContext,
  metadata: TableMetadata,
  ids: ReadonlySet<string>,
  needle: Needle,
): Promise<RedactedDecisions> {
  const offsets = offsetsByPartition(ids);
  const hashes = new Map<string, string>();
  const profiles: string[] = [];
  for await (const { summary } of everySnapshot(context.content, metadata, -1n)) {
    const old = summary[summaryKeys.decisionHash];
    if (old === undefined || hashes.has(old) || !covers(summary, offsets)) continue;
    const decision = decodeDecision(await context.content.get("decision", old));
    const hash = await context.content.put("decision", encodeDecision(redactDecision(decision, needle.inText)));
    if (hash !== old) hashes.set(old, hash);
    if (decision.profile.hash !== null) profiles.push(decision.profile.hash);
  }
  return { hashes, profiles };
}

/** Where a content may stand, compressed or not. */
export function contentPaths(kind: ContentKind, hash: string): string[] {
  const path = `content/${kind}/${hash.slice(0, 2)}/${hash}`;
  return [path, `${path}.zst`];
}
