import type { NamedRef } from "../core/lake-refs.ts";
import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { refTable } from "./refs-text.ts";
import { authorWithReason, chooseDataset, withLake } from "./session.ts";

/** Prints the tags or branches of a dataset that `isShown` takes; `none` says of a dataset what it lacks. */
export function listRefs(invocation: Invocation, isShown: (ref: NamedRef) => boolean, none: string): Promise<ExitCode> {
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const refs = (await lake.refs.list(dataset)).filter(isShown);
    if (invocation.json) terminal.json({ dataset, refs });
    else if (refs.length === 0) terminal.out(`${dataset} has ${none}.`);
    else for (const line of refTable(refs)) terminal.out(line);
    return ExitCode.clean;
  });
}

/** Drops the tag or branch that the first argument names, with the reason on record; `lost` says what its snapshot was to it. */
export function dropRef(invocation: Invocation, kind: "tag" | "branch", lost: string): Promise<ExitCode> {
  const by = authorWithReason(invocation);
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const dropped = await lake.refs.drop(dataset, { kind, name: invocation.argument(0), ...by });
    if (invocation.json) terminal.json({ dataset, dropped });
    else terminal.out(`${kind} ${dropped.name} of ${dataset} dropped; ${lost} ${dropped.snapshotId}`);
    return ExitCode.clean;
  });
}
