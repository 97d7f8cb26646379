import { SluiceError } from "../core/errors.ts";
import type { RetentionReport } from "../core/retention.ts";
import type { Invocation } from "./command.ts";
import { datasetsOf, would } from "./maintenance-command.ts";
import { retentionPolicies } from "./retention-policies.ts";
import type { Session } from "./session.ts";
import { formatBytes, formatCount } from "./table.ts";

/** Applies the rules of the contracts that the configuration names; datasets of other contracts have none. Prints what each did. */
export async function retainAll(session: Session, invocation: Invocation, action: RetentionReport["action"]): Promise<RetentionReport[]> {
  const policies = await retentionPolicies(session.config);
  const all: RetentionReport[] = [];
  for (const dataset of await datasetsOf(session, invocation)) {
    const policy = policies.get(dataset);
    if (policy === undefined) continue;
    const reports = await session.lake.maintenance.retain(dataset, policy, action, invocation.flag("dryRun"));
    all.push(...reports);
    if (!invocation.json) for (const report of reports) showRetention(invocation, report);
  }
  return all;
}

/** As `retainAll`, beside other steps: those go on where a contract can't be read or is not in force yet. */
export async function retainIfCan(session: Session, invocation: Invocation, action: RetentionReport["action"]): Promise<RetentionReport[]> {
  try {
    return await retainAll(session, invocation, action);
  } catch (fault) {
    if (!(fault instanceof SluiceError) || fault.retryable) throw fault;
    invocation.terminal.err(`no rule to ${action} by was applied: ${fault.code}: ${fault.message}`);
    return [];
  }
}

function showRetention({ terminal }: Invocation, report: RetentionReport): void {
  const { dataset, table, action, dryRun, rule, files, rows, bytes, snapshotId, skipped } = report;
  const name = `${dataset}${table === "quarantine" ? " quarantine" : ""}`;
  const verb = action === "expire" ? would(dryRun, "took rows of", "take rows of") : would(dryRun, "moved", "move");
  const where = snapshotId === null ? "" : `, snapshot ${snapshotId}`;
  if (files === 0) terminal.out(`${name}: nothing to ${rule}`);
  else terminal.out(`${name}: ${verb} ${formatCount(files)} files (${formatCount(rows)} rows, ${formatBytes(bytes)}${where}) to ${rule}`);
  for (const each of skipped) terminal.out(`  left ${formatCount(each.files)} files alone: ${each.why}`);
}
