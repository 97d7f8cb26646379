import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/adapters/broker/cache-folder.ts";
import { findOnPath } from "../../src/adapters/broker/broker-facts.ts";
import { runCommand } from "../../src/adapters/broker/run-command.ts";
import { pythonSpark } from "../live/harness/python-readers.ts";

const pom = new URL("pom.xml", import.meta.url).pathname;
const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** A Python with Spark, and the jars that it is started with. */
export interface SparkHere {
  readonly python: string;
  readonly jars: readonly string[];
}

/** Spark from PyPI and its jars from Maven, fetched into the cache by the first caller (some minutes, 600 MB); null, with a plain message, where they can't be had. */
export async function sparkHere(): Promise<SparkHere | null> {
  const missing = ["java", "mvn", "python3"].filter((program) => findOnPath(program, process.env) === null);
  if (missing.length > 0) {
    console.warn(`Spark's tests are skipped: there is no ${missing.join(", no ")} on the PATH`);
    return null;
  }
  const python = await pythonSpark();
  const jars = python === null ? null : await fetchJars();
  return python === null || jars === null ? null : { python, jars };
}

async function fetchJars(): Promise<readonly string[] | null> {
  const folder = join(cacheFolder(), `spark-jars-${createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12)}`);
  if (!existsSync(folder)) {
    const scratch = `${folder}.${process.pid}`;
    mkdirSync(scratch);
    const fetched = await runCommand("mvn", [
      "-q",
      "-B",
      "-f",
      pom,
      copyDependencies,
      `-DoutputDirectory=${scratch}`,
      "-DexcludeTransitive=true",
    ]);
    if (fetched.status !== 0) {
      rmSync(scratch, { recursive: true, force: true });
      console.warn(`Spark's tests are skipped: Maven could not fetch its jars:\n${fetched.stdout}${fetched.stderr}`);
      return null;
    }
    renameSync(scratch, folder);
  }
  return readdirSync(folder)
    .filter((name) => name.endsWith(".jar"))
    .map((name) => join(folder, name));
}

/** Python lines that give a session `spark` over the jars in `sys.argv[1]`, and `show(value)`, which prints any rows as JSON. */
const sparkSession = `
import sys, json, datetime, decimal, os
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession, Row
from pyspark.sql import functions as F
builder = SparkSession.builder.master("local[1]").config("spark.jars", sys.argv[1]).config("spark.driver.memory", "1g")
for name, value in {
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC", "spark.log.level": "ERROR",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
}.items(): builder = builder.config(name, value)
for name, value in json.loads(sys.argv[2]).items(): builder = builder.config(name, value)
spark = builder.getOrCreate()
def plain(value):
    if isinstance(value, (bytes, bytearray)): return "0x" + bytes(value).hex()
    if isinstance(value, datetime.datetime): return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, datetime.date): return value.isoformat()
    if isinstance(value, decimal.Decimal): return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53: return str(value)
    if isinstance(value, Row): return {k: plain(v) for k, v in value.asDict().items()}
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    return value
def show(value): print(json.dumps(plain(value)))
`;

/** Runs Python lines in a session of Spark; `settings` are the session's, `args` from `sys.argv[3]` on. Answers what the last line printed, as JSON. */
export async function runSpark(
  { python, jars }: SparkHere,
  script: string,
  { settings = {}, args = [] }: { readonly settings?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Promise<unknown> {
  const result = await runCommand(python, ["-c", sparkSession + script, jars.join(","), JSON.stringify(settings), ...args], {
    env: { ...process.env, TZ: "UTC" },
  });
  if (result.status !== 0) throw new Error(`Spark failed:\n${result.stderr.slice(-8000)}`);
  return JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "");
}
