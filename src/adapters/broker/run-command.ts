import { spawn } from "node:child_process";

/** How a command ended; `status` is null where it could not be started or was killed. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end without a shell; never rejects: a missing program has status null and its error in `stderr`. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<CommandResult> {
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  // Some failures to start are thrown (a path through a file), others come as an event.
  try {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => resolve({ status: null, stdout, stderr: stderr + error.message }));
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  } catch (error) {
    resolve({ status: null, stdout: "", stderr: String(error) });
  }
  return promise;
}
