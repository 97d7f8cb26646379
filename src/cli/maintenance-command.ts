import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** The option of commands that can say what they would do. */
export const dryRunOption = { flags: "--dry-run", description: "Only say what would be done" } as const;

/** The dataset that was named, else all. */
export async function datasetsOf({ lake }: Session, invocation: Invocation): Promise<readonly string[]> {
  const { chooseDataset } = await import("./session.ts");
  return invocation.text("dataset") === null ? lake.datasets() : [await chooseDataset(lake, invocation)];
}

/** What was done, or would be. */
export function would(dryRun: boolean, done: string, planned: string): string {
  return dryRun ? `would ${planned}` : done;
}

/** Does maintenance on the lake of a command line, and prints its result where JSON was asked for. */
export async function maintaining(
  invocation: Invocation,
  work: (session: Session, invocation: Invocation) => Promise<unknown>,
): Promise<ExitCode> {
  const { withLake } = await import("./session.ts");
  return withLake(invocation, async (session) => {
    const result = await work(session, invocation);
    if (invocation.json) invocation.terminal.json(result);
    return ExitCode.clean;
  });
}
