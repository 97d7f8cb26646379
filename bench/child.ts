import { spawn } from "node:child_process";
import { join } from "node:path";
import { cacheFolder } from "../src/adapters/broker/cache-folder.ts";

/** What a contestant's own process reports as its last line of output. */
export interface ChildReport {
  readonly records: number;
  /** Wall seconds of the measured part. */
  readonly seconds: number;
  /** CPU seconds of the measured part, all threads. */
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
}

/** As `bin/sluice` starts Node. */
export const heapFlags = ["--max-old-space-size=256", "--initial-old-space-size=192", "--min-semi-space-size=8", "--max-semi-space-size=8"];

/** As `bin/sluice` sets it: what V8 compiled is kept from run to run, and glibc gives freed buffers back. */
function sluiceEnvironment(): NodeJS.ProcessEnv {
  return { MALLOC_MMAP_THRESHOLD_: "262144", MALLOC_ARENA_MAX: "2", NODE_COMPILE_CACHE: join(cacheFolder(), "compiled") };
}

/** Runs a bench script in a fresh process and takes what it prints as its last line, as JSON. Rejects with its output if it fails. */
export function runScript(script: string, args: readonly string[], flags: readonly string[] = heapFlags): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...flags, script, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...(flags === heapFlags && sluiceEnvironment()) },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += String(chunk)));
    child.stderr.on("data", (chunk) => (err += String(chunk)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out.trim().split("\n").at(-1) ?? ""));
      else reject(new Error(`${script} ${args.join(" ")} ended with ${code}\n${out}${err}`));
    });
  });
}

/** Runs a contestant's script in a fresh process and takes its report. */
export async function runChild(script: string, args: readonly string[], flags: readonly string[] = heapFlags): Promise<ChildReport> {
  return (await runScript(script, args, flags)) as ChildReport;
}

/** Measures the part between this call and the returned function's call, and prints the report. */
export function beginReport(): (records: number) => void {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  return (records) => {
    const used = process.cpuUsage(cpu);
    const report: ChildReport = {
      records,
      seconds: (performance.now() - wall) / 1000,
      cpuSeconds: (used.user + used.system) / 1e6,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
    };
    process.stdout.write(`${JSON.stringify(report)}\n`);
  };
}
