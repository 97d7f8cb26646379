import { SluiceError } from "../core/errors.ts";
import type { Incident, IncidentFact, IncidentStatus } from "../core/incident.ts";
import type { Lake, QuarantinedRecord } from "../core/ports.ts";
import type { IncidentLedger } from "../gate/incident-ledger.ts";
import { tellDownstream, tellSteps } from "../incidents/index.ts";
import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import { incidentLedgers } from "./incident-ledgers.ts";
import { incidentLines } from "./incident-text.ts";
import { nextCommand } from "./next-command.ts";
import { chooseDataset, withLake } from "./session.ts";
import { formatTime, renderTable } from "./table.ts";

/** Rejected records whose source positions are shown. */
const samplesMax = 5;

/** The ledgers of the datasets that a command is about, brought up to date. */
async function openLedgers(lake: Lake, invocation: Invocation): Promise<ReadonlyMap<string, IncidentLedger>> {
  const datasets = invocation.text("dataset") === null ? await lake.datasets() : [await chooseDataset(lake, invocation)];
  const ledgers = incidentLedgers(lake, datasets, [], () => {});
  for (const ledger of ledgers.values()) await ledger.catchUp();
  return ledgers;
}

/** `sluice incident list` */
export function listIncidents(invocation: Invocation): Promise<ExitCode> {
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const ledgers = await openLedgers(lake, invocation);
    const named = invocation.text("dataset");
    const status = (invocation.text("status") ?? (invocation.flag("all") ? null : "open")) as IncidentStatus | null;
    const limit = invocation.count("limit", 1) ?? 100;
    const found = await lake.incidents.incidents(named, { limit, ...(status === null ? {} : { status }) });
    const open = await Promise.all([...ledgers.keys()].map((dataset) => lake.incidents.incidents(dataset, { status: "open", limit: 1 })));
    const code = open.some((each) => each.length > 0) ? ExitCode.findings : ExitCode.clean;
    if (invocation.flag("quiet")) return code;
    if (invocation.json) {
      terminal.json({ incidents: found });
      return code;
    }
    if (found.length === 0) {
      terminal.out(status === "open" ? "No incident is open." : "No such incident.");
      return code;
    }
    const rows = found.map((one) => [one.id, one.severity, statusWords(one), formatTime(one.sinceMs), one.title]);
    for (const line of renderTable(["incident", "severity", "status", "since", "what"], rows)) terminal.out(line);
    terminal.err("");
    terminal.err(`${nextCommand(invocation, `incident show ${found[0]?.id ?? ""}`)}  # what it did, and what to do`);
    return code;
  });
}

function statusWords({ status, acknowledged, assignee, snoozedUntilMs }: Incident): string {
  if (status !== "open") return status;
  if (snoozedUntilMs !== null) return "snoozed";
  if (assignee !== null) return `${assignee}'s`;
  return acknowledged === null ? "open" : "seen";
}

/** `sluice incident show` */
export function showIncident(invocation: Invocation): Promise<ExitCode> {
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const { incident } = await findIncident(lake, invocation);
    const samples = await sampleRecords(lake, incident);
    const code = incident.status === "open" ? ExitCode.findings : ExitCode.clean;
    const steps = tellSteps(incident).map(({ command, says }) => ({ command: nextCommand(invocation, command, null), says }));
    const told = samples.map(({ id, reasons: [first] }) => ({ id, rule: first?.rule ?? "", message: first?.message ?? "" }));
    if (invocation.json) {
      terminal.json({ incident, downstream: tellDownstream(incident), steps, samples: told });
      return code;
    }
    for (const line of incidentLines(terminal, incident, steps, told)) terminal.out(line);
    return code;
  });
}

/** Records of the incident's last window that failed a rule, by their source positions; values stay where they are. */
async function sampleRecords(lake: Lake, { dataset, windows }: Incident): Promise<readonly QuarantinedRecord[]> {
  if (windows === null) return [];
  return Array.fromAsync(lake.quarantined(dataset, { windowId: windows.last, valueBytesMax: 0, limit: samplesMax }));
}

/** Records what a person says, and prints how the incident then stands. */
export function answerIncident(invocation: Invocation, said: Omit<Extract<IncidentFact, { author: string }>, "incident">): Promise<void> {
  return withLake(invocation, async ({ lake }) => {
    const { incident, ledger } = await findIncident(lake, invocation);
    const fact = { ...said, incident: incident.id } as Extract<IncidentFact, { author: string }>;
    const now = await ledger.answer(fact);
    if (invocation.json) {
      invocation.terminal.json(now);
      return;
    }
    invocation.terminal.out(`${now.id}: ${answeredWords(fact, now)}`);
    if (now.status === "resolved" && now.heldWindows.length > 0)
      invocation.terminal.err(`${now.heldWindows.length} of its windows still wait: ${nextCommand(invocation, "hold list", now.dataset)}`);
  });
}

function answeredWords(fact: Extract<IncidentFact, { author: string }>, now: Incident): string {
  switch (fact.kind) {
    case "acknowledge":
      return `acknowledged by ${fact.author}`;
    case "assign":
      return now.assignee === null ? "nobody's" : `${now.assignee}'s`;
    case "snooze":
      return now.snoozedUntilMs === null ? "snoozed no longer" : `quiet until ${formatTime(now.snoozedUntilMs)}`;
    case "resolve":
      return fact.isFalsePositive ? "labelled as a false positive" : "resolved";
    case "reopen":
      return "open again";
  }
}

/** The incident that the first argument names, by its id or the beginning of it. Rejects with NOT_FOUND. */
async function findIncident(lake: Lake, invocation: Invocation): Promise<{ incident: Incident; ledger: IncidentLedger }> {
  const ledgers = await openLedgers(lake, invocation);
  const name = invocation.argument(0);
  const all = await lake.incidents.incidents(invocation.text("dataset"), { limit: 1_000_000 });
  const exact = all.filter((one) => one.id === name);
  const found = exact.length > 0 ? exact : all.filter((one) => one.id.startsWith(name) || one.id.startsWith(`inc-${name}`));
  const [incident, ...others] = found;
  if (incident === undefined) throw new SluiceError("NOT_FOUND", `no incident ${name}; \`sluice incident list --all\` lists them`);
  if (others.length > 0)
    throw new UsageError(
      `${found.length} incidents begin so: ${found
        .slice(0, 5)
        .map((one) => one.id)
        .join(", ")}`,
    );
  return { incident, ledger: ledgers.get(incident.dataset) as IncidentLedger };
}
