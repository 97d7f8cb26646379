import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { cacheFolder } from "./cache-folder.ts";
import { runCommand } from "./run-command.ts";

const pomFile = new URL("../../../deploy/kafka/pom.xml", import.meta.url).pathname;

/** Kafka's version as `deploy/kafka/pom.xml` pins it. */
export function kafkaVersion(): string {
  const version = /<kafka\.version>([^<]+)</.exec(readFileSync(pomFile, "utf8"))?.[1];
  if (version === undefined) throw new SluiceError("BROKER_FAILED", `${pomFile} names no kafka.version`);
  return version;
}

/** The cache folder of the pinned broker: jars, formatted storage and class archives; a changed pom gets a new one. */
export function kafkaCache(env: NodeJS.ProcessEnv = process.env): string {
  const key = createHash("sha256").update(readFileSync(pomFile)).digest("hex").slice(0, 12);
  return join(cacheFolder(env), "kafka", `${kafkaVersion()}-${key}`);
}

/** Whether a broker can be started without Maven. */
export function jarsAreCached(env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(join(kafkaCache(env), "lib"));
}

/**
 * The folder of Kafka's jars, fetched by Maven (about 10 s, 44 MB) unless cached. `javaHome` runs Maven. Rejects with BROKER_FAILED and
 * Maven's own words.
 */
export async function fetchKafkaJars(options: {
  maven: string | null;
  javaHome: string;
  onProgress?: (message: string) => void;
  env?: NodeJS.ProcessEnv;
}): Promise<string> {
  const env = options.env ?? process.env;
  const folder = join(kafkaCache(env), "lib");
  if (existsSync(folder)) return folder;
  if (options.maven === null) throw new SluiceError("BROKER_FAILED", "Kafka's jars are not cached and Maven is not installed");
  options.onProgress?.(`fetching Kafka ${kafkaVersion()} by Maven (44 MB, once)`);
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(join(dirname(folder), "fetch-"));
  try {
    const args = ["--quiet", "--batch-mode", "-f", pomFile, "dependency:copy-dependencies", `-DoutputDirectory=${join(scratch, "lib")}`];
    const result = await runCommand(options.maven, args, { env: { ...env, JAVA_HOME: options.javaHome } });
    if (result.status !== 0) {
      throw new SluiceError("BROKER_FAILED", `Maven could not fetch Kafka's jars: ${lastLines(result.stdout + result.stderr, 5)}`);
    }
    moveInto(join(scratch, "lib"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** Renames a finished file or folder to its place; one that another process put there first is as good. */
export function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** The end of a program's output, for messages. */
export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
