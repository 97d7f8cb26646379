import type { RetentionReport } from "../../core/retention.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { dryRunOption, maintaining } from "../maintenance-command.ts";
import { retentionShape } from "../retention-shape.ts";
import type { Session } from "../session.ts";

/** Applies the rules of an action; says so where there is none. */
async function retainOrSay(session: Session, invocation: Invocation, action: RetentionReport["action"]): Promise<RetentionReport[]> {
  const { retainAll } = await import("../apply-retention.ts");
  const reports = await retainAll(session, invocation, action);
  if (reports.length === 0 && !invocation.json) invocation.terminal.out(`no contract has a rule to ${action} by`);
  return reports;
}

/** A command that applies the rules of one action. */
function applying(action: RetentionReport["action"], spec: Pick<CommandSpec, "name" | "summary" | "details" | "examples">): CommandSpec {
  return {
    ...spec,
    details: `Rules are those of the contract in force, with action ${action}. ${spec.details}`,
    options: [configOption, datasetOption, dryRunOption, jsonOption],
    json: `${retentionShape}[]`,
    run: (invocation) => maintaining(invocation, (session) => retainOrSay(session, invocation, action)),
  };
}

/** `sluice maintain retain` */
export const maintainRetain = applying("expire", {
  name: "maintain retain",
  summary: "Take rows off main that the contracts' retention says are too old",
  details: "Rows are gone from storage once the older snapshots have expired. Tags, branches and held windows keep what they name.",
  examples: [{ command: "sluice maintain retain --dry-run", says: "how many files and rows would go" }],
});

/** `sluice maintain archive` */
export const maintainArchive = applying("archive", {
  name: "maintain archive",
  summary: "Move old data files to the archives that contracts name; every reader still finds them",
  details:
    "Each file is copied, read again and compared before the table names the copy; the one before goes when the older snapshots expire. Files that tags or branches name stay where they are, unless the rule says tagged: true, and a tag goes with its files.",
  examples: [{ command: "sluice maintain archive -d flights", says: "moves what is old enough now" }],
});
