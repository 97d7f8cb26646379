import type { Config } from "../config/config.ts";
import type { MaintenanceStep } from "../core/events.ts";
import { SluiceError } from "../core/errors.ts";
import type { Lake } from "../core/ports.ts";
import type { RetentionPolicy, RetentionReport } from "../core/retention.ts";
import { pruneIncidents } from "../gate/prune-incidents.ts";

/** What became of one step, in a form that goes from thread to thread. */
export type StepOutcome = { readonly step: MaintenanceStep | null; readonly dataset: string | null } & (
  | ({ readonly kind: "done"; readonly ms: number } & Done)
  | { readonly kind: "failed"; readonly code: SluiceError["code"]; readonly message: string }
);

export interface MaintenancePass {
  readonly lake: Lake;
  readonly settings: Config["maintenance"];
  readonly datasets: readonly string[];
  /** Names this process as a holder of leases. */
  readonly holder: string;
  readonly now: () => number;
  /** What becomes of a dataset's old data, by its contract; null: nothing. Rejects where contracts can't be read. */
  readonly retention: (dataset: string) => Promise<RetentionPolicy | null>;
  readonly tell: (outcome: StepOutcome) => void;
}

/** The lease's name among the sinks' cursors. Its sequence number is the time of the last pass. */
const sink = "maintenance";
const leaseMs = 60_000;
/** Under this name the lake as a whole is looked after; no dataset can be called so. */
const wholeLake = "";

interface Done {
  readonly snapshots: number;
  readonly files: number;
  readonly bytes: number;
  readonly incidents?: number;
}

async function attempt(pass: MaintenancePass, step: MaintenanceStep, dataset: string | null, work: () => Promise<Done>): Promise<void> {
  const start = performance.now();
  try {
    const done = await work();
    pass.tell({ kind: "done", step, dataset, ...done, ms: performance.now() - start });
  } catch (fault) {
    pass.tell(failed(step, dataset, fault));
  }
}

function failed(step: MaintenanceStep | null, dataset: string | null, fault: unknown): StepOutcome {
  if (!(fault instanceof SluiceError)) throw fault;
  return { kind: "failed", step, dataset, code: fault.code, message: fault.message };
}

/** Does the work if it is due, or what is to be done in between if it is not, unless another worker is at it; keeps the lease while it goes on. */
async function underLease(
  pass: MaintenancePass,
  dataset: string,
  { work, between }: { readonly work: () => Promise<void>; readonly between: () => Promise<void> },
): Promise<void> {
  const { lake, holder, settings, now } = pass;
  const lease = await lake.cursors.acquire(sink, dataset, holder, leaseMs);
  if (lease === null) return;
  const renewal = setInterval(() => void lake.cursors.acquire(sink, dataset, holder, leaseMs).catch(() => undefined), leaseMs / 3);
  try {
    // The first interval of a new dataset begins now: there is nothing to do for it yet.
    if (lease.sequence > 0n && now() - Number(lease.sequence) < settings.intervalMs) return await between();
    if (lease.sequence > 0n) await work();
    await lake.cursors.advance(sink, dataset, lease.fence, BigInt(now()));
  } finally {
    clearInterval(renewal);
    await lake.cursors.acquire(sink, dataset, holder, 0).catch(() => undefined);
  }
}

async function retainDataset(pass: MaintenancePass, dataset: string): Promise<void> {
  let policy: RetentionPolicy | null;
  try {
    policy = await pass.retention(dataset);
  } catch (fault) {
    pass.tell(failed("retain", dataset, fault));
    return;
  }
  for (const [step, action] of [
    ["retain", "expire"],
    ["archive", "archive"],
  ] as const) {
    if (policy === null || !policy.rules.some((rule) => rule.action === action)) continue;
    const sum = (reports: readonly RetentionReport[], of: "files" | "bytes"): number =>
      reports.reduce((total, each) => total + each[of], 0);
    const rules = policy;
    await attempt(pass, step, dataset, async () => {
      const reports = await pass.lake.maintenance.retain(dataset, rules, action, false);
      return { snapshots: 0, files: sum(reports, "files"), bytes: sum(reports, "bytes") };
    });
  }
}

async function expireSnapshots(pass: MaintenancePass, dataset: string): Promise<void> {
  const { snapshotAgeMsMax, snapshotsMin, snapshotsMax } = pass.settings;
  await attempt(pass, "expire", dataset, async () => {
    const policy = { snapshotAgeMsMax, snapshotsMin, snapshotsMax };
    const { snapshots, files, bytes } = await pass.lake.maintenance.expire(dataset, policy, false);
    return { snapshots: snapshots.promoted + snapshots.quarantine, files, bytes };
  });
}

async function maintainDataset(pass: MaintenancePass, dataset: string): Promise<void> {
  await pass.lake.refs.releasePending(dataset);
  // First what goes, so that nothing is written anew only to go.
  await retainDataset(pass, dataset);
  const { maintenance } = pass.lake;
  const describe = (): Promise<void> =>
    attempt(pass, "statistics", dataset, async () => {
      const { filesRead } = await maintenance.describe(dataset);
      return { snapshots: 0, files: filesRead, bytes: 0 };
    });
  if (pass.settings.statistics) await describe();
  const { fileBytesTarget, filesMin } = pass.settings;
  await attempt(pass, "compact", dataset, async () => {
    const reports = await maintenance.compact(dataset, { fileBytesTarget, filesMin }, false);
    return {
      snapshots: 0,
      files: reports.reduce((sum, each) => sum + each.filesBefore, 0),
      bytes: Number(reports.reduce((sum, each) => sum + each.bytesBefore, 0n)),
    };
  });
  await expireSnapshots(pass, dataset);
  await attempt(pass, "incidents", dataset, async () => {
    const { incidents } = await pruneIncidents(pass.lake, dataset, pass.now() - pass.settings.incidentAgeMsMax, false);
    return { snapshots: 0, files: 0, bytes: 0, incidents };
  });
  // The version that compaction made: its files are those that were counted above.
  if (pass.settings.statistics) await describe();
}

/** Looks after every dataset that is due, then after the whole lake. Rejects with nothing but bugs: a failed step is told, and due again next time. */
export async function maintain(pass: MaintenancePass): Promise<void> {
  const run = async (dataset: string, work: () => Promise<void>, between: () => Promise<void>): Promise<void> => {
    try {
      await underLease(pass, dataset, { work, between });
    } catch (fault) {
      pass.tell(failed(null, dataset === wholeLake ? null : dataset, fault));
    }
  };
  for (const dataset of pass.datasets) {
    // Many workers make more snapshots in an interval than commits should carry along.
    await run(
      dataset,
      () => maintainDataset(pass, dataset),
      () => expireSnapshots(pass, dataset),
    );
  }
  const orphans = (): Promise<void> =>
    attempt(pass, "orphans", null, async () => {
      const { files, bytes } = await pass.lake.maintenance.removeOrphans(pass.settings.orphanAgeMsMin, false);
      return { snapshots: 0, files, bytes };
    });
  await run(wholeLake, orphans, async () => {});
}
