import type { CommandSpec } from "../command.ts";
import { jsonOption } from "../command.ts";

/** `sluice contract lint` */
export const contractLint: CommandSpec = {
  name: "contract lint",
  summary: "Check contracts: every error at once with its place, and what Sluice does not enforce",
  examples: [
    { command: "sluice contract lint flights.odcs.yaml", says: "errors and warnings as file:line:column" },
    { command: "sluice contract lint contracts/*.yaml --json", says: "for editors and CI" },
    {
      command: "sluice contract lint flights.odcs.yaml --against sluice.yaml",
      says: "what it would change about the table, or why it can't",
    },
  ],
  arguments: [{ name: "<files...>", description: "ODCS contracts" }],
  options: [
    { flags: "--schema <name>", description: "Only this schema object" },
    {
      flags: "--against <config>",
      description: "Compare with the tables of this configuration's lake too: what the contract would change there",
    },
    jsonOption,
  ],
  json: "{ files: { file: string, ok: boolean, diagnostics: { severity: 'error' | 'warning' | 'info', code: string, message: string, location: { file: string, line: number, column: number }, hint: string | null }[], unenforced: string[] }[] }",
  findings: "a contract has an error",
  run: async (invocation) => (await import("../contract-lint.ts")).lintContracts(invocation),
};
