import { Command, CommanderError, Help, Option } from "commander";
import type { CommandSpec, OptionSpec } from "./command.ts";
import { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { printFailure, UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Words about a group of commands, such as `quarantine`. */
export interface GroupSpec {
  readonly name: string;
  readonly summary: string;
}

export interface ProgramOptions {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly commands: readonly CommandSpec[];
  readonly groups: readonly GroupSpec[];
}

/** Runs one command line (without node and script) and answers its exit code; never throws. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ExitCode> {
  const json = argv.includes("--json");
  let code: ExitCode = ExitCode.clean;
  const program = createProgram(options, (result) => {
    code = result;
  });
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return ExitCode.usage;
    }
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return ExitCode.clean;
      if (json) printFailure(new UsageError(error.message.replace(/^error: /, "")), options.terminal, true);
      return ExitCode.usage;
    }
    printFailure(error, options.terminal, json);
    return error instanceof UsageError ? ExitCode.usage : ExitCode.error;
  }
}

function createProgram(options: ProgramOptions, done: (code: ExitCode) => void): Command {
  const { terminal } = options;
  const program = new Command("sluice");
  program
    .description(
      "A streaming data quality gate: what passes its contract is promoted to Iceberg snapshots, the rest is quarantined with reasons.",
    )
    .version(options.version, "-V, --version", "Print the version")
    .helpOption("-h, --help", "Print this help")
    .helpCommand(false)
    .showSuggestionAfterError(true);
  settle(program, terminal, topExamples(options.commands));
  const groups = new Map<string, Command>();
  for (const spec of options.commands) {
    const [first, second] = spec.name.split(" ") as [string, string?];
    if (second !== undefined && !groups.has(first)) groups.set(first, addGroup(program, first, options));
    addCommand(groups.get(first) ?? program, spec, options, done);
  }
  return program;
}

function addGroup(program: Command, name: string, options: ProgramOptions): Command {
  const spec = options.groups.find((one) => one.name === name);
  if (spec === undefined) throw new Error(`no words about the group ${name}`);
  const group = program.command(name).description(spec.summary).helpCommand(false);
  const members = options.commands.filter((one) => one.name.startsWith(`${name} `));
  settle(group, options.terminal, topExamples(members));
  return group;
}

function addCommand(parent: Command, spec: CommandSpec, options: ProgramOptions, done: (code: ExitCode) => void): void {
  const command = parent.command(spec.name.split(" ").at(-1) as string).summary(spec.summary);
  command.description(spec.details === undefined ? `${spec.summary}.` : `${spec.summary}. ${spec.details}`);
  for (const one of spec.arguments ?? []) command.argument(one.name, one.description);
  for (const one of spec.options) command.addOption(optionOf(one));
  settle(command, options.terminal, spec.examples);
  command.action(async (...given: unknown[]) => {
    const values = given.slice(0, spec.arguments?.length ?? 0);
    const { terminal, environment } = options;
    done(await spec.run(new Invocation({ terminal, environment, options: command.opts(), arguments: values })));
  });
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.repeats === true) option.default([], "none").argParser((value: string, all: string[]) => [...all, value]);
  return option;
}

/** Help leads with examples; errors point to it; nothing exits behind our back. */
function settle(command: Command, terminal: Terminal, examples: CommandSpec["examples"]): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => terminal.out(text.trimEnd()),
    writeErr: (text) => terminal.err(text.trimEnd()),
    getOutHelpWidth: () => Math.min(terminal.columns(), 110),
    getErrHelpWidth: () => Math.min(terminal.columns(), 110),
  });
  command.showHelpAfterError("`--help` shows what it takes.");
  command.configureHelp({
    subcommandTerm: (sub) => sub.name(),
    formatHelp: (one, help) => {
      const rest = Help.prototype.formatHelp.call(help, one, help);
      if (examples.length === 0) return rest;
      const lines = examples.map(({ command: text, says }) => `  ${terminal.style("cyan", text)}\n      ${says}`);
      return `${terminal.style("bold", "Examples:")}\n${lines.join("\n")}\n\n${rest}`;
    },
  });
}

function topExamples(commands: readonly CommandSpec[]): CommandSpec["examples"] {
  return commands.flatMap((one) => one.examples.slice(0, 1)).slice(0, 5);
}
