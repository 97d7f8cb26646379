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
