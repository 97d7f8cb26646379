import { spawn } from "node:child_process";
import { join } from "node:path";
import { inject } from "vitest";
import "../../live/harness/global-setup.ts";

const worker = new URL("lake-worker.ts", import.meta.url).pathname;

/** Runs a worker; resolves with whether it was killed. Rejects where it failed by itself. */
export function runWorker(
  folder: string,
  operation: string,
  killAt: number | string,
  args: readonly string[] = [],
): Promise<{ killed: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [worker, folder, operation, String(killAt), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: join(inject("testRun").folder, "compile-cache") },
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (bytes) => (output += bytes));
    child.stderr.on("data", (bytes) => (errors += bytes));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0 || signal === "SIGKILL") resolve({ killed: signal === "SIGKILL", output });
      else reject(new Error(`the worker failed (${code ?? signal}):\n${errors}`));
    });
  });
}
