import type { IncidentFact } from "../../core/incident.ts";
import { incidentStatuses } from "../../core/incident.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption, neededReasonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";

const incidentArgument = { name: "<incident>", description: "Its id, or the beginning of it, from `incident list`" };
const changedJson = "Incident, by schemas/incident-notice.schema.json";

/** `sluice incident list` */
export const incidentList: CommandSpec = {
  name: "incident list",
  summary: "List incidents: what is wrong, since when, and whether readers are safe",
  details: "Open ones, unless --status or --all says otherwise. Reads the lake; no worker needs to run.",
  examples: [
    { command: "sluice incident list", says: "what is open" },
    { command: "sluice incident list --quiet || page-someone", says: "exit code 3 says that something is open" },
    { command: "sluice incident list --all --dataset flights --json", says: "one dataset's history" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--status <status>", description: "Only these", choices: incidentStatuses },
    { flags: "--all", description: "Those that are over, too" },
    { flags: "--limit <count>", description: "At most so many, newest first", default: "100" },
    { flags: "--quiet", description: "Print nothing: the exit code says it" },
    jsonOption,
  ],
  json: "{ incidents: Incident[] }, Incident by schemas/incident-notice.schema.json",
  findings: "an incident is open",
  run: async (invocation) => (await import("../incidents.ts")).listIncidents(invocation),
};

/** `sluice incident show` */
export const incidentShow: CommandSpec = {
  name: "incident show",
  summary: "Show one incident: what, since when, how much, where, whether readers are safe, and what to do",
  examples: [{ command: "sluice incident show inc-3f9a", says: "the beginning of an id is enough" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, jsonOption],
  json: "{ incident: Incident, downstream: string, steps: { command: string, says: string }[], samples: { id: string, rule: string, message: string }[] }, Incident by schemas/incident-notice.schema.json",
  findings: "the incident is open",
  run: async (invocation) => (await import("../incidents.ts")).showIncident(invocation),
};

/** `sluice incident ack` */
export const incidentAck: CommandSpec = {
  name: "incident ack",
  summary: "Say that you look at an incident",
  examples: [{ command: "sluice incident ack inc-3f9a", says: "it is yours, unless it was someone else's before" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, reasonOption, jsonOption],
  json: changedJson,
  run: (invocation) => answer(invocation, () => ({ kind: "acknowledge" })),
};

/** `sluice incident assign` */
export const incidentAssign: CommandSpec = {
  name: "incident assign",
  summary: "Give an incident to someone",
  examples: [{ command: "sluice incident assign inc-3f9a --to ann", says: "Ann deals with it" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, { flags: "--to <name>", description: "Whose it is; none: nobody's" }, reasonOption, jsonOption],
  json: changedJson,
  run: (invocation) => answer(invocation, () => ({ kind: "assign", assignee: invocation.text("to") })),
};

/** `sluice incident snooze` */
export const incidentSnooze: CommandSpec = {
  name: "incident snooze",
  summary: "Let an incident be quiet for a while; if it is still open then, it says so once more",
  examples: [
    { command: "sluice incident snooze inc-3f9a --for 8h", says: "until the morning" },
    { command: "sluice incident snooze inc-3f9a --off", says: "no longer" },
  ],
  arguments: [incidentArgument],
  options: [
    configOption,
    datasetOption,
    { flags: "--for <span>", description: "How long from now, such as 90m or 8h" },
    { flags: "--off", description: "End it" },
    reasonOption,
    jsonOption,
  ],
  json: changedJson,
  run: (invocation) =>
    answer(invocation, () => {
      const span = invocation.span("for");
      if ((span === null) !== invocation.flag("off")) throw new UsageError("say either --for SPAN or --off");
      return { kind: "snooze", untilMs: span === null ? null : Date.now() + span };
    }),
};

/** `sluice incident resolve` */
export const incidentResolve: CommandSpec = {
  name: "incident resolve",
  summary: "Close an incident: it is dealt with, and this is why",
  details: "What still goes on of it opens no new one; a window that is held after that does.",
  examples: [{ command: 'sluice incident resolve inc-3f9a -m "the feed was restarted"', says: "with the reason on record" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: changedJson,
  run: (invocation) => answer(invocation, () => ({ kind: "resolve", isFalsePositive: false }), true),
};

/** `sluice incident false-positive` */
export const incidentFalsePositive: CommandSpec = {
  name: "incident false-positive",
  summary: "Close an incident that was none: what drift found in it is usual from then on",
  details: "An incident that is over can be labelled too.",
  examples: [{ command: 'sluice incident false-positive inc-3f9a -m "a public holiday"', says: "nothing was wrong with the data" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: changedJson,
  run: (invocation) => answer(invocation, () => ({ kind: "resolve", isFalsePositive: true }), true),
};

/** `sluice incident reopen` */
export const incidentReopen: CommandSpec = {
  name: "incident reopen",
  summary: "Open an incident again that is over",
  examples: [{ command: 'sluice incident reopen inc-3f9a -m "it came back"', says: "with the reason on record" }],
  arguments: [incidentArgument],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: changedJson,
  run: (invocation) => answer(invocation, () => ({ kind: "reopen" }), true),
};

type AnswerFact = Extract<IncidentFact, { author: string }>;
type Said = AnswerFact extends infer Each ? (Each extends AnswerFact ? Omit<Each, "author" | "reason" | "incident"> : never) : never;

async function answer(invocation: Invocation, say: () => Said, isReasonNeeded = false): Promise<ExitCode> {
  const said = say();
  const { author, authorWithReason } = await import("../session.ts");
  const by = isReasonNeeded ? authorWithReason(invocation) : author(invocation);
  const { answerIncident } = await import("../incidents.ts");
  await answerIncident(invocation, { ...said, ...by });
  return ExitCode.clean;
}
