// `node scripts/with-setup.mjs COMMAND ARGS...`: installs what package-lock.json names unless it is installed, then runs the command on the
// Node that package.json pins. Any Node from 18 on runs this file itself, so that one command does everything on a fresh clone.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");

/** Whether node_modules holds the versions of package-lock.json; npm writes what it installed, last of all, into its hidden lock file. */
function isInstalled() {
  if (!existsSync(join(bin, "node"))) return false;
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8")).packages;
    return Object.entries(wanted).every(([path, { version, optional }]) => {
      if (path === "") return true;
      const found = present[path];
      // Optional ones are for other systems.
      return found === undefined ? optional === true : found.version === version;
    });
  } catch {
    return false;
  }
}

/** Runs a program with our streams and signals; resolves with how it ended. */
function run(program, args, env) {
  return new Promise((settle) => {
    const child = spawn(program, args, { cwd: root, env, stdio: "inherit" });
    const pass = (signal) => {
      // From a terminal, Ctrl-C reaches the whole group by itself.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, pass);
    const finish = (code, signal) => {
      for (const name of signals) process.off(name, pass);
      settle({ code, signal });
    };
    child.once("error", (error) => {
      console.error(`${program} can't be started: ${error.message}`);
      finish(127, null);
    });
    child.once("close", finish);
  });
}

async function install() {
  console.error("sluice: installing the packages of package-lock.json (about half a minute, only when they have changed)");
  // Not `npm ci`: it refuses a lock file that lacks optional packages of other systems, and a registry that does not carry them makes such
  // lock files. This installs the locked versions all the same, and `isInstalled` holds it to that.
  const args = ["install", "--no-save", "--include=dev", "--no-fund", "--no-audit", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  // npm's own file when npm runs us; a build that is no JavaScript file is run as it is.
  const [program, before] = npm !== undefined && /\.[cm]?js$/.test(npm) ? [process.execPath, [npm]] : [npm ?? "npm", []];
  const { code, signal } = await run(program, [...before, ...args], process.env);
  if (code !== 0) end({ code, signal });
  if (!isInstalled()) {
    console.error("sluice: npm finished, yet node_modules does not fit package-lock.json; is its `node` package's install script allowed?");
    process.exit(1);
  }
}

function end({ code, signal }) {
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error("usage: node scripts/with-setup.mjs COMMAND ARGS...");
  process.exit(2);
}
if (!isInstalled()) await install();
end(await run(command, args, { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` }));
