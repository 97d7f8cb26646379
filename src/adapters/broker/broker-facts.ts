import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { BrokerFacts, InstalledJava } from "./broker-choice.ts";
import { jarsAreCached } from "./kafka-jars.ts";
import { runCommand } from "./run-command.ts";

/** Where systems put JVMs: Debian and Fedora, macOS, and a user's own by SDKMAN. */
const jvmFolders = (env: NodeJS.ProcessEnv): readonly { folder: string; inside: string }[] => [
  { folder: "/usr/lib/jvm", inside: "bin/java" },
  { folder: "/Library/Java/JavaVirtualMachines", inside: "Contents/Home/bin/java" },
  { folder: join(env["HOME"] ?? "/", ".sdkman/candidates/java"), inside: "bin/java" },
];

/** Looks at this machine, for `chooseBroker`: about 100 ms, and starts nothing that stays. */
export async function gatherBrokerFacts(env: NodeJS.ProcessEnv = process.env): Promise<BrokerFacts> {
  const brokers = env["SLUICE_BROKERS"]?.trim() || null;
  if (brokers !== null) return { brokers, javas: [], maven: null, jarsCached: false, docker: null, python: null };
  const javas = await findJavas(env);
  const maven = await answering(env, "mvn", javas.length > 0 ? ["--version"] : null);
  const base = { brokers, javas, maven, jarsCached: jarsAreCached(env) };
  // The other ways are only looked at where Java is not enough: asking a dead Docker engine takes a while.
  if (javas.length > 0 && (maven !== null || base.jarsCached)) return { ...base, docker: null, python: null };
  return { ...base, docker: await answering(env, "docker", ["version", "--format", "{{.Server.Version}}"]), python: await findPython(env) };
}

/** Every usable Java: JAVA_HOME's, PATH's, then the installed ones, newest first. */
export async function findJavas(env: NodeJS.ProcessEnv = process.env): Promise<InstalledJava[]> {
  const candidates: { path: string; from: string }[] = [];
  if (env["JAVA_HOME"]) candidates.push({ path: join(env["JAVA_HOME"], "bin/java"), from: "JAVA_HOME" });
  candidates.push({ path: "java", from: "PATH" });
  for (const { folder, inside } of jvmFolders(env)) {
    for (const name of listFolder(folder)) candidates.push({ path: join(folder, name, inside), from: folder });
  }
  const probed = await Promise.all(candidates.map((candidate) => probeJava(candidate, env)));
  const found = probed.filter((java) => java !== null);
  const named = found.filter((java) => java.from === "JAVA_HOME" || java.from === "PATH");
  const others = found.filter((java) => !named.includes(java)).sort((a, b) => b.major - a.major);
  return [...named, ...others].filter((java, index, all) => all.findIndex((other) => other.path === java.path) === index);
}

async function probeJava(candidate: { path: string; from: string }, env: NodeJS.ProcessEnv): Promise<InstalledJava | null> {
  const { status, stdout, stderr } = await runCommand(candidate.path, ["-XshowSettings:properties", "-version"], {
    env,
    timeoutMs: 20_000,
  });
  if (status !== 0) return null;
  const settings = stderr + stdout;
  const version = /java\.specification\.version = (?:1\.)?(\d+)/.exec(settings)?.[1];
  const home = /java\.home = (.+)/.exec(settings)?.[1]?.trim();
  if (version === undefined || home === undefined) return null;
  return { path: realpathSync(join(home, "bin/java")), major: Number(version), from: candidate.from };
}

async function answering(env: NodeJS.ProcessEnv, program: string, args: readonly string[] | null): Promise<string | null> {
  const path = findOnPath(program, env);
  if (path === null || args === null) return path;
  return (await runCommand(path, args, { env, timeoutMs: 20_000 })).status === 0 ? path : null;
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const name of ["python3", "python"]) {
    const path = findOnPath(name, env);
    if (path !== null && (await runCommand(path, ["-m", "pip", "--version"], { env, timeoutMs: 20_000 })).status === 0) return path;
  }
  return null;
}

/** The first file of that name in PATH's folders; null if none. */
export function findOnPath(program: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of (env["PATH"] ?? "").split(":")) {
    if (folder !== "" && listFolder(folder).includes(program)) return join(folder, program);
  }
  return null;
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
