// `npm run check`: types, lint, format, dead code, and the project's own tidiness. Every check runs; the exit code is 1 if any found something.
// `--root DIR` judges another folder (the planted violations of the tests), `--only a,b` runs some, `--fix` formats and mends what can be mended.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const home = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({
  options: { root: { type: "string", default: home }, only: { type: "string" }, fix: { type: "boolean", default: false } },
});
const root = resolve(values.root);
const bin = (name) => join(home, "node_modules", ".bin", name);

const checks = [
  { name: "types", command: [bin("tsc"), "-p", "."] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings", ...(values.fix ? ["--fix"] : []), "."] },
  { name: "format", command: [bin("oxfmt"), ...(values.fix ? [] : ["--check"]), "."] },
  { name: "dead-code", command: [bin("knip"), "--no-progress", "--no-config-hints"] },
  { name: "tidy", command: [bin("node"), "--disable-warning=ExperimentalWarning", join(home, "scripts", "check-tidy.ts"), root] },
];

const chosen = values.only === undefined ? checks : checks.filter((check) => values.only.split(",").includes(check.name));
if (chosen.length === 0) {
  console.error(`--only takes ${checks.map((check) => check.name).join(", ")}`);
  process.exit(2);
}
if (!existsSync(bin("tsc"))) {
  console.error("node_modules is missing: `npm ci` installs it.");
  process.exit(1);
}

function run([command, ...args]) {
  return new Promise((settle) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" } });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => settle({ code: 1, output: String(error) }));
    child.on("close", (code) => settle({ code: code ?? 1, output }));
  });
}

let failed = 0;
for (const check of chosen) {
  const began = performance.now();
  const { code, output } = await run(check.command);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (code !== 0) failed++;
  console.log(`${code === 0 ? "passed" : "FAILED"}  ${check.name}  ${seconds} s`);
  if (code !== 0) console.log(output.trimEnd());
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
