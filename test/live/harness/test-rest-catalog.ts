import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findJavas, findOnPath } from "../../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../../src/adapters/broker/cache-folder.ts";
import { freePorts } from "../../../src/adapters/broker/ports.ts";
import { runCommand } from "../../../src/adapters/broker/run-command.ts";
import { withLock } from "./lock.ts";

const pom = join(import.meta.dirname, "rest-fixture/pom.xml");
const program = join(import.meta.dirname, "rest-fixture/RestFixture.java");
const java = (await findJavas()).find((each) => each.major >= 17)?.path ?? null;
const maven = findOnPath("mvn", process.env);
const jars = join(cacheFolder(), `iceberg-rest-${createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12)}`);

/** Iceberg's own REST catalog (Java), over a warehouse in a folder. */
export interface TestRestCatalog {
  /** What stands before `/v1`. */
  readonly uri: string;
  readonly warehouse: string;
  readonly close: () => Promise<void>;
}

async function fetchJars(): Promise<boolean> {
  const stamp = join(jars, "complete");
  if (existsSync(stamp)) return true;
  if (maven === null) return false;
  mkdirSync(jars, { recursive: true });
  return withLock(`${jars}.lock`, async () => {
    if (existsSync(stamp)) return true;
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
    const copied = await runCommand(maven, ["-q", "-B", "-f", pom, goal, `-DoutputDirectory=${jars}`]);
    if (copied.status !== 0) console.warn(`Maven failed:\n${copied.stdout.slice(-2000)}`);
    else writeFileSync(stamp, "");
    return copied.status === 0;
  });
}

/** Starts the catalog (4 s); null, with a plain message, where Java or Maven can't give it. Close it in `afterAll`. */
export async function testRestCatalog(): Promise<TestRestCatalog | null> {
  if (java === null || !(await fetchJars())) {
    console.warn("tests with Iceberg's REST catalog are skipped: they need Java 17 or later, and Maven to fetch it");
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), "sluice-rest-"));
  const [port = 0] = await freePorts(1);
  const warehouse = join(folder, "warehouse");
  mkdirSync(warehouse);
  const args = ["-Xmx256m", "-cp", join(jars, "*"), program, String(port), join(folder, "catalog.db"), `file://${warehouse}`];
  const child = spawn(java, args, { stdio: ["pipe", "ignore", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const uri = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${uri}/v1/config`).catch(() => null);
    if (answer?.ok === true) break;
    if (tries > 600 || child.exitCode !== null) throw new Error(`Iceberg's REST catalog does not start:\n${errors}`);
    await sleep(100);
  }
  return {
    uri,
    warehouse,
    close: async () => {
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
