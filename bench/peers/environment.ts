import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findOnPath } from "../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../src/adapters/broker/cache-folder.ts";
import { runCommand } from "../../src/adapters/broker/run-command.ts";

/** Sets of packages, each with a virtual environment of its own: what one needs breaks another. */
export type PeerEnvironment = "frames" | "great-expectations" | "deequ" | "drift" | "tfdv" | "labelled";

async function must(program: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(program, args);
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${result.stdout}${result.stderr}`);
}

/** The Python of an environment, made by pip in the cache on first use (half a minute to three minutes). Throws where there is no python3. */
export async function peerPython(environment: PeerEnvironment, say: (line: string) => void): Promise<string> {
  const python = findOnPath("python3", process.env);
  if (python === null) throw new Error("there is no python3 on the PATH");
  const requirements = new URL(`requirements-${environment}.txt`, import.meta.url).pathname;
  const key = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), `bench-peers-${environment}-${key}`);
  const interpreter = join(folder, "bin/python");
  if (existsSync(join(folder, "complete"))) return interpreter;
  say(`installing ${environment} ...`);
  rmSync(folder, { recursive: true, force: true });
  await must(python, ["-m", "venv", folder]);
  await must(interpreter, ["-m", "pip", "install", "--quiet", "--no-input", "-r", requirements]);
  writeFileSync(join(folder, "complete"), "");
  return interpreter;
}

/** The versions that environments pin, by package; with `deequ`, its jar's too. */
export function peerVersions(...environments: readonly PeerEnvironment[]): Record<string, string> {
  const pinned = environments.flatMap((environment) =>
    readFileSync(new URL(`requirements-${environment}.txt`, import.meta.url), "utf8")
      .split("\n")
      .flatMap((line) => (/^[^=]+==/.test(line) ? [line.trim().split("==") as [string, string]] : [])),
  );
  const jar: [string, string][] = environments.includes("deequ") ? [["deequ", deequ.split(":").at(-1) as string]] : [];
  return Object.fromEntries([...pinned, ...jar].map(([name, version]) => [`${name} (Python or Java)`, version]));
}

const deequ = "com.amazon.deequ:deequ:2.0.7-spark-3.5";

/** Deequ's jar, fetched by Maven once. */
export async function deequJar(): Promise<string> {
  const folder = join(cacheFolder(), "bench-peers-jars");
  const jar = join(folder, "deequ-2.0.7-spark-3.5.jar");
  if (existsSync(jar)) return jar;
  mkdirSync(folder, { recursive: true });
  const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
  await must("mvn", ["-q", "-B", plugin, `-Dartifact=${deequ}`, `-DoutputDirectory=${folder}`]);
  return jar;
}
