// `npm run test:rck`: the Iceberg REST Compatibility Kit (Apache Iceberg's own tests of catalogs, from Maven Central) against Sluice's catalog server
// over a fresh lake. Needs a JDK of 17 or later, and Maven the first time. The last line says how many tests passed and failed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findJavas, findOnPath } from "../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../src/adapters/broker/cache-folder.ts";
import { lastLines, moveInto } from "../../src/adapters/broker/kafka-jars.ts";
import { runCommand } from "../../src/adapters/broker/run-command.ts";
import { catalogFixture } from "../rest-catalog/catalog-fixture.ts";

const pom = new URL("pom.xml", import.meta.url).pathname;
const suites = ["org.apache.iceberg.rest.RESTCompatibilityKitCatalogTests", "org.apache.iceberg.rest.RESTCompatibilityKitViewCatalogTests"];

/** What the kit is told of this catalog: the rest of its settings stand at their defaults. */
const settings: Readonly<Record<string, string>> = {
  "rck.local": "false",
  "io-impl": "org.apache.iceberg.hadoop.HadoopFileIO",
  "rck.requires-namespace-create": "true",
  "rck.supports-serverside-retry": "true",
  // A table's files stand in a folder of its id, whatever place was asked for.
  "rck.overrides-requested-location": "true",
};

async function jars(javaHome: string): Promise<string> {
  const key = createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), `iceberg-rck-${key}`);
  if (existsSync(folder)) return folder;
  const maven = findOnPath("mvn", process.env);
  if (maven === null) throw new Error("Maven is not installed, and the kit's jars are not cached");
  console.log("fetching the compatibility kit by Maven (120 MB, once)");
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(join(dirname(folder), "fetch-"));
  try {
    const args = ["--quiet", "--batch-mode", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${join(scratch, "lib")}`];
    const result = await runCommand(maven, args, { env: { ...process.env, JAVA_HOME: javaHome } });
    if (result.status !== 0) throw new Error(`Maven could not fetch the kit: ${lastLines(result.stdout + result.stderr, 5)}`);
    moveInto(join(scratch, "lib"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

function countOf(report: string, state: string): number {
  const match = new RegExp(`\\[\\s*(\\d+) tests ${state}\\s*\\]`).exec(report);
  if (match === null) throw new Error(`the kit left no report:\n${lastLines(report, 40)}`);
  return Number(match[1]);
}

/** Runs the kit; answers whether every test that ran passed. */
async function main(): Promise<boolean> {
  const java = (await findJavas()).find((each) => each.major >= 17);
  if (java === undefined) throw new Error("the kit needs Java 17 or later");
  const lib = await jars(dirname(dirname(java.path)));
  const catalog = await catalogFixture();
  const scratch = join(catalog.folder, "kit");
  mkdirSync(scratch);
  const began = performance.now();
  try {
    const args = [
      "-Xmx1g",
      // Where one test wants a view's metadata: a place inside of the warehouse.
      `-Djava.io.tmpdir=${scratch}`,
      ...Object.entries({ ...settings, uri: catalog.url }).map(([key, value]) => `-D${key}=${value}`),
      "-cp",
      `${lib}/*`,
      "org.junit.platform.console.ConsoleLauncher",
      "execute",
      "--disable-banner",
      "--disable-ansi-colors",
      "--details=tree",
      ...suites.flatMap((suite) => ["--select-class", suite]),
    ];
    const { stdout, stderr } = await runCommand(java.path, args, { timeoutMs: 900_000 });
    const report = stdout + stderr;
    const [passed, failed, aborted] = [countOf(report, "successful"), countOf(report, "failed"), countOf(report, "aborted")];
    if (failed > 0) console.log(report);
    for (const event of catalog.events) if (event.type === "catalog.failed") console.log(`${event.endpoint}: ${event.message}`);
    const skips = report.split("\n").filter((line) => line.includes("■"));
    for (const line of skips) console.log(line.replace(/^\W+/, "not run: "));
    console.log(
      `${aborted} not run, for what the kit asks of a catalog before it runs them; ${((performance.now() - began) / 1000).toFixed(0)} s`,
    );
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 && passed > 0;
  } finally {
    await catalog.close();
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
