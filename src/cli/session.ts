import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { nearestName } from "../contract/nearest-name.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/config.ts";
import { formatDiagnostic, SluiceError } from "../core/errors.ts";
import type { Lake, Probe } from "../core/ports.ts";
import type { Invocation } from "./command.ts";
import { UsageError } from "./failure.ts";

/** A configuration and its open lake, for the length of one command. */
export interface Session {
  readonly config: Config;
  readonly lake: Lake;
}

/** Loads the configuration that a command line names; warnings go to standard error. */
export function readConfig(invocation: Invocation): Config {
  const file = invocation.text("config") ?? invocation.environment["SLUICE_CONFIG"] ?? "sluice.yaml";
  const { config, warnings } = loadConfig(file, invocation.environment);
  for (const one of warnings) invocation.terminal.err(formatDiagnostic(one));
  return config;
}

/** Opens the lake for one command and closes it after, whatever happens. */
export async function withLake<T>(invocation: Invocation, work: (session: Session) => Promise<T>): Promise<T> {
  const config = readConfig(invocation);
  // Opening makes what is missing, and looking should not.
  if (!hasLake(config)) {
    throw new SluiceError("NOT_FOUND", `there is no lake at ${placeOf(config)} yet: \`sluice run\` makes it`);
  }
  const lake = await openLake(config, () => {});
  try {
    return await work({ config, lake });
  } finally {
    await lake.close();
  }
}

/** Whether the lake of a configuration was ever made, as far as can be told without opening it. */
export function hasLake(config: Config): boolean {
  return config.lake.postgres !== null || config.lake.rest !== null || existsSync(config.lake.catalog);
}

/** Where a lake's files are, for people. */
export function placeOf(config: Config): string {
  return config.lake.s3?.uri ?? config.lake.folder;
}

/** The lake that a configuration describes. */
export async function openLake(config: Config, probe: Probe): Promise<Lake> {
  const { createLake } = await import("../adapters/lake/lake.ts");
  return createLake({ ...config.lake, clock: { now: () => Date.now() }, probe });
}

/** The dataset that a command is about: the one named, or the only one there is. */
export async function chooseDataset(lake: Lake, invocation: Invocation): Promise<string> {
  const named = invocation.text("dataset");
  const known = await lake.datasets();
  if (named !== null) {
    if (known.includes(named)) return named;
    const hint = nearestName(named, known);
    throw new UsageError(
      `no dataset "${named}"${hint === null ? "" : `; did you mean "${hint}"?`} (there are: ${known.join(", ") || "none yet"})`,
    );
  }
  if (known.length === 1) return known[0] as string;
  if (known.length === 0) throw new UsageError("the lake holds no dataset yet: `sluice run` makes one for each contract");
  throw new UsageError(`--dataset must say which: ${known.join(", ")}`);
}

/** Who changes something that others rely on, and why: rejects a command line without a reason. */
export function authorWithReason(invocation: Invocation): { readonly author: string; readonly reason: string } {
  const reason = invocation.text("reason")?.trim() ?? "";
  if (reason === "") throw new UsageError("say why, for the record: --reason TEXT");
  return { ...author(invocation), reason };
}

/** Who answers, for the record. */
export function author(invocation: Invocation): { readonly author: string; readonly reason: string } {
  const reason = invocation.text("reason") ?? "no reason given";
  try {
    return { author: userInfo().username, reason };
  } catch {
    return { author: "unknown", reason };
  }
}
