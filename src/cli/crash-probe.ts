import { alertStepNames, stepNames } from "../core/ports.ts";
import type { Probe } from "../core/ports.ts";
import { UsageError } from "./failure.ts";

/**
 * The probe of the crash tests: `SLUICE_CRASH_AT=catalog.after-commit:3` ends this process with SIGKILL at the third pass of that step.
 * Without the variable a probe that does nothing.
 */
export function createCrashProbe(setting: string | undefined, kill: () => void = () => process.kill(process.pid, "SIGKILL")): Probe {
  if (setting === undefined || setting === "") return () => {};
  const [name, times = "1"] = setting.split(":");
  const known = [...stepNames, ...alertStepNames];
  const step = known.find((one) => one === name);
  if (step === undefined || !/^[1-9]\d{0,8}$/.test(times)) {
    throw new UsageError(`SLUICE_CRASH_AT takes STEP or STEP:N, STEP one of ${known.join(", ")}`);
  }
  let left = Number(times);
  return (passed) => {
    if (passed === step && --left === 0) kill();
  };
}
