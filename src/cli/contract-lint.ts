import { lintContract } from "../contract/lint-contract.ts";
import { loadContract, loadContracts } from "../contract/load-contract.ts";
import type { Contract } from "../core/contract.ts";
import type { Diagnostic } from "../core/errors.ts";
import { DocumentError, formatDiagnostic } from "../core/errors.ts";
import type { Invocation } from "./command.ts";
import { readContractText } from "./contracts.ts";
import { ExitCode } from "./exit-code.ts";
import { formatIssues } from "./format-issues.ts";
import { formatCount } from "./table.ts";

interface LintedFile {
  readonly file: string;
  readonly ok: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly unenforced: readonly string[];
}

/** `sluice contract lint` */
export async function lintContracts(invocation: Invocation): Promise<ExitCode> {
  const { terminal } = invocation;
  const files: (LintedFile & { readonly contracts: readonly Contract[] })[] = [];
  for (const file of invocation.rest(0)) files.push(await lint(file, invocation.text("schema")));
  const against = invocation.text("against");
  if (against !== null) await compareWithLake(against, invocation, files);
  const code = files.every((one) => one.ok) ? ExitCode.clean : ExitCode.findings;
  if (invocation.json) {
    terminal.json({ files: files.map(({ contracts: _contracts, ...one }) => one) });
    return code;
  }
  for (const { file, ok, diagnostics, unenforced, contracts } of files) {
    for (const one of diagnostics) terminal.out(formatDiagnostic(one));
    // What a diagnostic has said with its place is not said again.
    const unsaid = unenforced.filter((text) => !diagnostics.some((one) => one.message.includes(text)));
    for (const text of unsaid) terminal.out(`${file}: not enforced by Sluice: ${text}`);
    if (!ok) continue;
    for (const one of contracts) {
      const rules = `${formatCount(one.rules.length)} rules over ${formatCount(one.fields.length)} columns`;
      terminal.out(
        `${file}: ${terminal.style("green", "good")}: ${one.dataset}, version ${one.version}, ${rules}, ${one.hash.slice(0, 19)}`,
      );
    }
  }
  return code;
}

/** Adds what the lake of a configuration says of each contract that is sound. */
async function compareWithLake(
  configFile: string,
  invocation: Invocation,
  files: (LintedFile & { readonly contracts: readonly Contract[] })[],
): Promise<void> {
  // Most contracts are linted without a lake, in an editor that waits.
  const { loadConfig } = await import("../config/config.ts");
  const { hasLake, openLake } = await import("./session.ts");
  const { config } = loadConfig(configFile, invocation.environment);
  if (!hasLake(config)) return;
  const lake = await openLake(config, () => {});
  try {
    for (const [i, one] of files.entries()) {
      const found: Diagnostic[] = [];
      for (const contract of one.contracts) found.push(...(await lake.contracts.preview(contract)).findings);
      const ok = one.ok && found.every(({ severity }) => severity !== "error");
      files[i] = { ...one, ok, diagnostics: [...one.diagnostics, ...found] };
    }
  } finally {
    await lake.close();
  }
}

async function lint(file: string, schema: string | null): Promise<LintedFile & { readonly contracts: readonly Contract[] }> {
  try {
    const { contracts, diagnostics } =
      schema === null
        ? await loadContracts(file, readContractText)
        : await loadContract(file, readContractText, { dataset: schema }).then((one) => ({ ...one, contracts: [one.contract] }));
    const linted = [...diagnostics, ...contracts.flatMap(lintContract), ...contracts.flatMap(formatIssues)];
    return { file, ok: true, diagnostics: linted, unenforced: contracts.flatMap((one) => one.unenforced), contracts };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return { file, ok: false, diagnostics: error.diagnostics, unenforced: [], contracts: [] };
  }
}
