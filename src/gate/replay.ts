import { createHash } from "node:crypto";
import type { Contract } from "../core/contract.ts";
import { decide } from "../core/decide.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftOutcome } from "../core/drift.ts";
import type { OffsetRange } from "../core/position.ts";
import type { Clock, Lake, QuarantinedRecord, QuarantineFilter, ReplayCommit, SchemaRegistry } from "../core/ports.ts";
import { recordsOfQuarantined } from "../core/quarantined-records.ts";
import type { Records } from "../core/records.ts";
import type { Reason } from "../core/rule.ts";
import type { FileLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { CompiledContract, EngineKind } from "./compiled.ts";
import { compile } from "./compiled.ts";
import { claimRowsOf } from "./claim-rows.ts";
import { windowId } from "./judge.ts";
import type { SettledRows } from "./judged-rows.ts";
import { Outside, type ClosingWindow } from "./outside.ts";
import { resolveSchemas } from "./schema-resolver.ts";
import { WindowJudge } from "./window-judge.ts";

const replayRowsMax = 5000;
const replayBytesMax = 16 << 20;

/** Replays never feed drift, volume or baselines. */
const noDrift: DriftOutcome = { status: "off", tick: null, baseline: null, needs: 0, results: [] };

export interface ReplayOptions {
  readonly lake: Lake;
  readonly contract: Contract;
  readonly filter: QuarantineFilter;
  readonly engine: EngineKind;
  /** Where framed records' schemas come from. */
  readonly registry?: SchemaRegistry | null;
  readonly clock: Clock;
  readonly worker: string;
  readonly producer: string;
  /** A record that fails its nth attempt is parked. */
  readonly attemptsMax: number;
  readonly progress: (done: ReplayTotals) => void;
}

export interface ReplayTotals {
  readonly replayed: number;
  readonly promoted: number;
  readonly failed: number;
  readonly parked: number;
}

/** What records are judged by, and what those that pass are encoded for. */
interface ReplayEngine {
  readonly compiled: CompiledContract;
  readonly schema: IcebergSchema;
  readonly layout: FileLayout;
  readonly outside: Outside;
}

/** A record that today's contract skips by policy leaves quarantine as discarded. */
function skipReason(policy: string): Reason {
  return {
    rule: `policy.${policy}`,
    family: policy,
    column: null,
    severity: "warning",
    message: `skipped by policy: ${policy}`,
    observed: null,
    limit: null,
  };
}

function rangesOf(records: Records): OffsetRange[] {
  return records.partitions.map((key, index) => {
    let from: bigint | null = null;
    let to = 0n;
    let count = 0;
    for (let row = 0; row < records.count; row++) {
      if (records.partition[row] !== index) continue;
      const offset = records.offsets[row] as bigint;
      if (from === null || offset < from) from = offset;
      if (offset >= to) to = offset + 1n;
      count++;
    }
    return { ...key, from: from ?? 0n, to, count };
  });
}

/** Judges some open quarantined records by the contract: row rules only, for a window's thresholds and drift were judged when they first came. */
async function judgeReplay(rows: readonly QuarantinedRecord[], options: ReplayOptions, engine: ReplayEngine): Promise<ReplayCommit> {
  const { contract, clock, worker, producer, attemptsMax } = options;
  const { compiled, schema, layout } = engine;
  const openedAtMs = clock.now();
  const records = recordsOfQuarantined(rows);
  const schemas = await resolveSchemas(contract, [records], options.registry ?? null);
  const judge = new WindowJudge(compiled, { schema, layout, tick: () => 0 });
  judge.add(records, schemas);
  const closedAtMs = clock.now();
  const closing: ClosingWindow = {
    contract,
    questions: async (at) => judge.questions(at),
    claimRows: (question) => claimRowsOf([{ records, start: 0 }], question),
    settle: async (at, found) => judge.settle(at, found),
  };
  // Faults that pass are the caller's to wait out: a replay is begun again by a person.
  const ranges = rangesOf(records);
  const id = windowId(contract.dataset, ranges, closedAtMs);
  const settled = (await engine.outside.settle(closing, {
    closedAtMs,
    patiently: (operation) => operation(),
    named: () => ({ windowId: id, ranges }),
  })) as SettledRows;
  const rowOutcomes = settled.outcomes.map((each) => ({ ...each, breach: null }));
  const { verdict } = decide({
    contract,
    outcomes: rowOutcomes,
    drift: noDrift,
    passed: settled.passedRows,
    rejected: settled.rejected.length,
    holdNext: false,
  });
  const decision: Decision = {
    format: "sluice.decision/1",
    dataset: contract.dataset,
    windowId: id,
    kind: "replay",
    openedAtMs,
    closedAtMs,
    closedBy: "replay",
    contract: { id: contract.id, version: contract.version, hash: contract.hash },
    ranges,
    counts: {
      records: rows.length,
      promoted: settled.passedRows,
      quarantined: settled.rejected.length,
      held: 0,
      skipped: { tombstone: settled.skipped.length, late: 0 },
    },
    rules: rowOutcomes,
    profile: {
      rows: settled.profile.rows,
      columns: settled.profile.columns,
      hash: createHash("sha256").update(settled.profile.bytes).digest("hex"),
    },
    drift: noDrift,
    verdict,
    causes: [],
    worker,
    producer,
  };
  const failed: ReplayCommit["failed"][number][] = settled.rejected.map(({ row, reasons }) => ({
    index: row,
    reasons,
    state: (rows[row] as QuarantinedRecord).attempt + 1 >= attemptsMax ? "parked" : "open",
  }));
  for (const { row, policy } of settled.skipped) failed.push({ index: row, reasons: [skipReason(policy)], state: "discarded" });
  return { contract, decision, replayed: rows, passed: settled.files, failed };
}

/**
 * Replays open quarantined records through the current contract, some thousand at a time, each once: what was open when the replay began
 * and fails again is not met again by it. Throws what the lake throws.
 */
export async function replay(options: ReplayOptions): Promise<ReplayTotals> {
  const totals = { replayed: 0, promoted: 0, failed: 0, parked: 0 };
  const { contract } = options;
  const { schema, layout } = await options.lake.state(contract.dataset);
  const engine: ReplayEngine = {
    // How late a record is was judged when it first came.
    compiled: compile({ ...contract, policies: { ...contract.policies, late: null } }, options.engine),
    schema,
    layout,
    outside: new Outside({ claims: options.lake.claims, lake: options.lake, sequences: null }),
  };
  const before = options.clock.now();
  let chunk: QuarantinedRecord[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (chunk.length === 0) return;
    const commit = await judgeReplay(chunk, options, engine);
    const result = await options.lake.commitReplay(commit);
    chunk = [];
    bytes = 0;
    if (result.status === "lost") return;
    totals.replayed += commit.replayed.length;
    totals.promoted += commit.decision.counts.promoted;
    totals.failed += commit.failed.length;
    totals.parked += commit.failed.filter((each) => each.state === "parked").length;
    options.progress({ ...totals });
  };
  const open = options.lake.quarantined(contract.dataset, { ...options.filter, states: ["open"] });
  for await (const row of open) {
    if (row.quarantinedAtMs > before) continue;
    const size = (row.value?.length ?? 0) + (row.key?.length ?? 0);
    if (chunk.length > 0 && (chunk.length >= replayRowsMax || bytes + size > replayBytesMax)) await flush();
    chunk.push(row);
    bytes += size;
  }
  await flush();
  return totals;
}
