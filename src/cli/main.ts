/** The command line: `bin/sluice` starts this on the Node that package.json pins. */
import { commands, groups } from "./commands/index.ts";
import { runProgram } from "./program.ts";
import { createTerminal } from "./terminal.ts";
import { version } from "./version.ts";

const terminal = createTerminal(process.stdout, process.stderr);
// Set rather than exit: what is still on its way to a pipe gets there.
process.exitCode = await runProgram(process.argv.slice(2), { terminal, environment: process.env, version, commands, groups });
