import type { CommandSpec } from "../../src/cli/command.ts";
import { ExitCode } from "../../src/cli/exit-code.ts";

/** `docs/reference/cli.md` from the commands' own definitions. */
export function generateCliPage(commands: readonly CommandSpec[]): string {
  const lines = [
    "# Command line",
    "",
    "<!-- Generated from src/cli/commands by `npm run generate`. -->",
    "",
    "`bin/sluice` runs on the Node that `package.json` pins. Results go to standard output, everything else to standard error.",
    "",
    "- **Exit codes**: " +
      [
        `${ExitCode.clean} done, nothing to report`,
        `${ExitCode.error} could not be done`,
        `${ExitCode.usage} wrong command line`,
        `${ExitCode.findings} done, and something was found (said with each command that can)`,
      ].join("; ") +
      ".",
    "- **`--json`** prints one JSON document (for `run`, one a line); 64-bit numbers are strings. A failure prints",
    "  `{ error: { code, message, action?, retryable?, details?, diagnostics? } }` and keeps its exit code. Fields are added, never renamed.",
    "- **Colours and bars** appear on terminals only; `NO_COLOR=1` turns colours off.",
    "- **Secrets** are never taken from flags: see [configuration](config.md).",
    "",
    "| command | what it does |",
    "| --- | --- |",
    ...commands.map((one) => `| [\`sluice ${one.name}\`](#${anchor(one)}) | ${cell(one.summary)} |`),
    "",
  ];
  for (const one of commands) {
    lines.push(`## sluice ${one.name}`, "", `${one.summary}.${one.details === undefined ? "" : ` ${one.details}`}`, "", "```sh");
    for (const { command, says } of one.examples) lines.push(`${command}  # ${says}`);
    lines.push("```", "");
    const rows = [
      ...(one.arguments ?? []).map(({ name, description }) => [name, description]),
      ...one.options.map((option) => [option.flags, describe(option)]),
    ];
    lines.push("| | |", "| --- | --- |", ...rows.map(([name, text]) => `| \`${cell(name ?? "")}\` | ${cell(text ?? "")} |`), "");
    if (one.findings !== undefined) lines.push(`Ends with ${ExitCode.findings} when ${one.findings}.`, "");
    lines.push("`--json`:", "", "```ts", one.json, "```", "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function describe(option: CommandSpec["options"][number]): string {
  const choices = option.choices === undefined ? "" : ` (${option.choices.map((one) => `\`${one}\``).join(", ")})`;
  const preset = option.default === undefined ? "" : `. Default: \`${option.default}\``;
  return `${option.description}${choices}${preset}`;
}

function anchor(one: CommandSpec): string {
  return `sluice ${one.name}`.replaceAll(" ", "-");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
