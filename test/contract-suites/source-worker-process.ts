import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { until } from "./source-recorder.ts";

/** A member of a group in a process of its own, which tests freeze and kill; its lines are what its listener was told. */
export interface WorkerProcess {
  readonly lines: readonly string[];
  readonly until: (done: (lines: readonly string[]) => boolean, timeoutMs?: number) => Promise<void>;
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly kill: () => void;
}

/** Starts `module` under this Node with bootstrap, topic and group as arguments; see `source-worker.ts`. */
export async function startWorker(module: URL, options: { bootstrap: string; topic: string; groupId: string }): Promise<WorkerProcess> {
  const child: ChildProcess = spawn(process.execPath, [module.pathname, options.bootstrap, options.topic, options.groupId], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  const worker: WorkerProcess = {
    lines,
    until: (done, timeoutMs) =>
      until(
        () => done(lines),
        () => JSON.stringify(lines),
        timeoutMs,
      ),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    kill: () => void child.kill("SIGKILL"),
  };
  try {
    await worker.until((seen) => seen.filter((line) => line.startsWith("assigned")).length === 2);
  } catch (error) {
    worker.kill();
    throw error;
  }
  return worker;
}
