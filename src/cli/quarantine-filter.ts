import type { QuarantineFilter, QuarantineState } from "../core/ports.ts";
import type { Invocation, OptionSpec } from "./command.ts";

const states: readonly QuarantineState[] = ["open", "promoted", "parked", "discarded"];

/** Options by which quarantined records are chosen. */
export const filterOptions: readonly OptionSpec[] = [
  { flags: "-r, --rule <id>", description: "Only records that failed this rule" },
  { flags: "-w, --window <id>", description: "Only records of this window" },
  { flags: "--since <time>", description: "Only quarantined since: 2026-01-31T12:00:00Z, or 15m, 2h, 7d ago" },
  { flags: "--until <time>", description: "Only quarantined before" },
];

export const stateOption: OptionSpec = {
  flags: "-s, --state <state>",
  description: "Only records in this state; `all` for any",
  choices: [...states, "all"],
  default: "open",
};

/** The filter that a command line describes. */
export function filterOf(invocation: Invocation, nowMs: number): QuarantineFilter {
  const state = invocation.text("state");
  const rule = invocation.text("rule");
  const windowId = invocation.text("window");
  const sinceMs = invocation.moment("since", nowMs);
  const untilMs = invocation.moment("until", nowMs);
  return {
    ...(state !== null && state !== "all" && { states: [state as QuarantineState] }),
    ...(rule !== null && { rule }),
    ...(windowId !== null && { windowId }),
    ...(sinceMs !== null && { sinceMs }),
    ...(untilMs !== null && { untilMs }),
  };
}
