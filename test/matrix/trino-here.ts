import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findJavas, findOnPath } from "../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../src/adapters/broker/cache-folder.ts";
import { runCommand } from "../../src/adapters/broker/run-command.ts";
import { freePorts } from "../../src/adapters/broker/ports.ts";

/** A server that Maven Central has whole, and the oldest Java that it runs on. */
const version = "476";
const javaMajorMin = 24;
const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/** Trino's server unpacked with its Iceberg plugin alone, and a Java for it. */
export interface TrinoHere {
  readonly java: string;
  readonly folder: string;
}

/** A server that answers. */
export interface Trino {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Trino from Maven, fetched into the cache by the first caller (821 MB, of which 540 stay); null, with a plain message, where it can't be had. */
export async function trinoHere(): Promise<TrinoHere | null> {
  const java = (await findJavas()).find(({ major }) => major >= javaMajorMin);
  const missing = ["mvn", "tar"].filter((program) => findOnPath(program, process.env) === null);
  if (java === undefined) missing.unshift(`Java ${javaMajorMin} or later`);
  if (java === undefined || missing.length > 0) {
    console.warn(`Trino is left out: there is no ${missing.join(", no ")} here`);
    return null;
  }
  const folder = join(cacheFolder(), `trino-${version}`);
  if (!existsSync(folder)) {
    const fault = await fetchServer(folder);
    if (fault !== null) {
      console.warn(`Trino is left out: ${fault}`);
      return null;
    }
  }
  return { java: java.path, folder };
}

/** Puts the server's own jars and the plugin in the folder; answers why not, or null. */
async function fetchServer(folder: string): Promise<string | null> {
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const archive = `io.trino:trino-server:${version}:tar.gz`;
    const fetched = await runCommand("mvn", ["-q", "-B", copy, `-Dartifact=${archive}`, `-DoutputDirectory=${scratch}`]);
    if (fetched.status !== 0) return `Maven could not fetch ${archive}:\n${fetched.stdout}${fetched.stderr}`;
    const whole = join(scratch, "whole");
    mkdirSync(whole);
    // All of it: jars of one plugin are links to those of another.
    const file = join(scratch, `trino-server-${version}.tar.gz`);
    const unpacked = await runCommand("tar", ["-xzf", file, "-C", whole, "--strip-components=1"]);
    if (unpacked.status !== 0) return `tar could not unpack it: ${unpacked.stderr}`;
    const kept = join(scratch, "kept");
    mkdirSync(join(kept, "plugin"), { recursive: true });
    renameSync(join(whole, "lib"), join(kept, "lib"));
    renameSync(join(whole, "plugin/iceberg"), join(kept, "plugin/iceberg"));
    renameSync(kept, folder);
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const flags = [
  "-Xmx1G",
  "-XX:+UseSerialGC",
  // It lives for minutes: compiling better would cost more than it saves.
  "-XX:TieredStopAtLevel=1",
  "-Djdk.attach.allowAttachSelf=true",
  "--enable-native-access=ALL-UNNAMED",
  "--add-modules=jdk.incubator.vector",
  "--sun-misc-unsafe-memory-access=allow",
];

const startedMs = 600_000;

/** Starts a server on a free port over the REST catalog at a URL, whose files are on this machine. Rejects where it does not answer within ten minutes. */
export async function startTrino({ java, folder }: TrinoHere, catalog: string): Promise<Trino> {
  const home = mkdtempSync(join(tmpdir(), "sluice-trino-"));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(join(home, "etc/catalog"), { recursive: true });
  const settings = {
    coordinator: "true",
    "node-scheduler.include-coordinator": "true",
    "http-server.http.port": String(port),
    "discovery.uri": url,
    "plugin.dir": join(folder, "plugin"),
    "catalog.config-dir": join(home, "etc/catalog"),
    "query.max-memory": "256MB",
    "query.max-memory-per-node": "256MB",
  };
  const lake = {
    "connector.name": "iceberg",
    "iceberg.catalog.type": "rest",
    "iceberg.rest-catalog.uri": catalog,
    "fs.hadoop.enabled": "true",
  };
  const write = (path: string, properties: Readonly<Record<string, string>>): void => {
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(home, path), lines.join(""));
  };
  write("etc/config.properties", settings);
  write("etc/catalog/lake.properties", lake);
  const node = {
    "node.environment": "matrix",
    "node.id": "one",
    "node.data-dir": home,
    "node.internal-address": "127.0.0.1",
    "node.bind-ip": "127.0.0.1",
  };
  const properties = Object.entries({ ...node, config: join(home, "etc/config.properties") }).map(([name, value]) => `-D${name}=${value}`);
  const server = spawn(java, [...flags, ...properties, "-cp", join(folder, "lib/*"), "io.trino.server.TrinoServer"], {
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(join(home, "server.log"));
  server.stdout.pipe(log);
  server.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill("SIGKILL");
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  try {
    return { url, version: await answering(url, () => server.exitCode !== null), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until a server has started; its version. */
async function answering(url: string, hasEnded: () => boolean): Promise<string> {
  const until = Date.now() + startedMs;
  while (Date.now() < until && !hasEnded()) {
    const asked = await fetch(`${url}/v1/info`).catch(() => null);
    if (asked?.ok === true) {
      const { starting, nodeVersion } = (await asked.json()) as {
        readonly starting: boolean;
        readonly nodeVersion: { readonly version: string };
      };
      if (!starting) return nodeVersion.version;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(hasEnded() ? "Trino's server ended as it started" : "Trino's server did not answer in ten minutes");
}
