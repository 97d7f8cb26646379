import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterAll } from "vitest";

const sluiceFile = resolve(import.meta.dirname, "../../bin/sluice");

const running = new Set<ChildProcess>();
// What a test that failed left behind would run on.
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** What a run of the real command line printed, and how it ended. */
export interface CommandRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `bin/sluice`, as a shell would: its standard output and error are pipes. */
export function sluice(
  args: readonly string[],
  options: { readonly input?: string | Uint8Array; readonly env?: Record<string, string> } = {},
): Promise<CommandRun> {
  const child = start(args, options.env);
  child.stdin?.end(options.input ?? "");
  return ended(child);
}

/** Starts it and leaves it running. */
export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("SLUICE_") || name === "SLUICE_CACHE"),
  );
  const child = spawn(sluiceFile, [...args], { env: { ...inherited, NO_COLOR: "1", ...env } });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Resolves when a started one has ended, with all that it printed from now on. */
export function ended(child: ChildProcess): Promise<CommandRun> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((settle) => child.on("close", (code) => settle({ code, out, err })));
}
