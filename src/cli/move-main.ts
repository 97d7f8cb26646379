import type { Consumption } from "../core/consumption.ts";
import type { Rollback, RollbackPlan } from "../core/lake-refs.ts";
import type { Lake } from "../core/ports.ts";
import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import { nextCommand } from "./next-command.ts";
import { authorWithReason, chooseDataset, withLake } from "./session.ts";
import { formatCount, formatTime, printable, renderTable } from "./table.ts";
import { version } from "./version.ts";

/** Readings shown; `--json` has them all up to the same bound. */
const readersMax = 1000;
const windowsShown = 30;

async function readersOf(lake: Lake, plan: RollbackPlan): Promise<readonly Consumption[]> {
  const readers: Consumption[] = [];
  if (plan.snapshotIds.length === 0) return readers;
  for await (const each of lake.consumption.of(plan.dataset, { snapshotIds: plan.snapshotIds })) {
    readers.push(each);
    if (readers.length >= readersMax) break;
  }
  return readers;
}

function printPlan(invocation: Invocation, plan: RollbackPlan, readers: readonly Consumption[], isDone: boolean): void {
  const { terminal } = invocation;
  const first = plan.windows[0];
  const since = first === undefined ? "" : `, since ${formatTime(first.committedAtMs)}`;
  const rows = `${formatCount(plan.rows)} ${plan.rows === 1 ? "row" : "rows"}`;
  if (!isDone) terminal.out(`main of ${plan.dataset} would be what snapshot ${plan.to.snapshotId} was`);
  terminal.out(`${isDone ? "withdrawn" : "would withdraw"}: ${rows} of ${formatCount(plan.windows.length)} windows${since}`);
  const shown = plan.windows.slice(-windowsShown);
  const table = shown.map(({ snapshotId, committedAtMs, decision }) => [
    snapshotId,
    formatTime(committedAtMs),
    decision.kind,
    decision.windowId,
    decision.verdict,
    formatCount(decision.counts.promoted),
  ]);
  if (table.length > 0)
    for (const line of renderTable(["snapshot", "committed", "kind", "window", "verdict", "rows"], table)) terminal.out(`  ${line}`);
  if (shown.length < plan.windows.length)
    terminal.out(`  and ${formatCount(plan.windows.length - shown.length)} older ones: --json has them all`);
  if (plan.foreignSnapshots.length > 0) terminal.out(`of other programs: snapshots ${plan.foreignSnapshots.join(", ")}`);
  if (plan.refs.length > 0) terminal.out(`still named by: ${plan.refs.join(", ")}`);
  if (readers.length === 0) terminal.out("read by: no one that is known of");
  const byReader = Map.groupBy(readers, (each) => (each.job === null ? each.reader : `job ${each.job} (${each.reader})`));
  for (const [name, times] of byReader) {
    const last = Math.max(...times.map((each) => each.atMs));
    terminal.out(`read by: ${printable(name)}, ${formatCount(times.length)} times, last ${formatTime(last)}`);
  }
}

function planJson(plan: RollbackPlan, readers: readonly Consumption[]): object {
  return {
    dataset: plan.dataset,
    from: plan.from,
    to: plan.to.snapshotId,
    rows: plan.rows,
    windows: plan.windows.map(({ snapshotId, committedAtMs, decision }) => ({
      snapshotId,
      windowId: decision.windowId,
      kind: decision.kind,
      verdict: decision.verdict,
      committedAtMs,
      promoted: decision.counts.promoted,
    })),
    foreignSnapshots: plan.foreignSnapshots,
    refs: plan.refs,
    readers: readers.map(({ reader, job, runId, snapshotId, kind, atMs }) => ({ reader, job, runId, snapshotId, kind, atMs })),
  };
}

function listRollbacks(invocation: Invocation, dataset: string, rollbacks: readonly Rollback[]): ExitCode {
  const { terminal } = invocation;
  if (invocation.json) terminal.json({ dataset, rollbacks });
  else if (rollbacks.length === 0) terminal.out(`No rollback of ${dataset} stands.`);
  else {
    const rows = rollbacks.map((each) => [
      each.id,
      formatTime(each.atMs),
      each.to,
      formatCount(each.rows),
      each.keysPending === true ? "to be given back" : each.keysReleased ? "given back" : "kept",
      printable(each.author),
      printable(each.reason),
    ]);
    for (const line of renderTable(["rollback", "made", "back to", "rows", "keys", "by", "why"], rows)) terminal.out(line);
  }
  return ExitCode.clean;
}

/** `sluice rollback` */
export function rollBack(invocation: Invocation): Promise<ExitCode> {
  const to = invocation.text("to");
  const isList = invocation.flag("list");
  const isDry = invocation.flag("dryRun");
  if (!isList && to === null) throw new UsageError("say where main goes back to: --to VERSION");
  const by = isList || isDry ? null : authorWithReason(invocation);
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    if (by === null && isList) return listRollbacks(invocation, dataset, await lake.refs.rollbacks(dataset));
    if (by === null) {
      const plan = await lake.refs.planRollback(dataset, to as string);
      const readers = await readersOf(lake, plan);
      if (invocation.json) terminal.json({ ...planJson(plan, readers), snapshotId: null, rollback: null });
      else printPlan(invocation, plan, readers, false);
      return ExitCode.clean;
    }
    const releaseKeys = invocation.flag("releaseClaims");
    const done = await lake.refs.rollback(dataset, {
      to: to as string,
      keepMs: invocation.span("keep"),
      releaseKeys,
      producer: version,
      ...by,
    });
    const readers = await readersOf(lake, done.plan);
    if (invocation.json) {
      terminal.json({ ...planJson(done.plan, readers), snapshotId: done.snapshotId, rollback: done.rollback });
      return ExitCode.clean;
    }
    terminal.out(`main of ${dataset} is what snapshot ${done.rollback.to} was: snapshot ${done.snapshotId}`);
    printPlan(invocation, done.plan, readers, true);
    if (!releaseKeys) terminal.err(`${nextCommand(invocation, `rollforward ${done.rollback.id} --reason WHY`)}  # brings it back`);
    return ExitCode.clean;
  });
}

/** `sluice rollforward` */
export function rollForward(invocation: Invocation): Promise<ExitCode> {
  const by = authorWithReason(invocation);
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const { snapshotId, rollback } = await lake.refs.rollForward(dataset, {
      rollback: invocation.rest(0)[0] ?? null,
      producer: version,
      ...by,
    });
    if (invocation.json) terminal.json({ dataset, snapshotId, rollback });
    else terminal.out(`${formatCount(rollback.rows)} rows of ${dataset} are back: snapshot ${snapshotId}`);
    return ExitCode.clean;
  });
}
