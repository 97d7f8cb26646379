import { spawnSync } from "node:child_process";

/** A program of another project that judges its own configuration, where this machine has one on its PATH. */
export interface Tool {
  readonly name: string;
  readonly available: boolean;
  /** Its exit code and all that it printed. */
  run(...args: readonly string[]): { readonly code: number | null; readonly output: string };
}

/** Looks for a program by its first name that answers; says that tests are skipped where none does. */
export function findTool(purpose: string, ...names: readonly string[]): Tool {
  const found = names.find((name) => spawnSync(name, ["--version"]).error === undefined);
  if (found === undefined) console.warn(`${purpose} is skipped: there is no ${names.join(" or ")} here`);
  const name = found ?? names[0] ?? "";
  return {
    name,
    available: found !== undefined,
    run: (...args) => {
      const { status, stdout, stderr } = spawnSync(name, [...args], { encoding: "utf8" });
      return { code: status, output: `${stdout}${stderr}` };
    },
  };
}
