import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { findJavas, findOnPath } from "../../../src/adapters/broker/broker-facts.ts";
import { cacheFolder } from "../../../src/adapters/broker/cache-folder.ts";
import { freePorts } from "../../../src/adapters/broker/ports.ts";
import { runCommand } from "../../../src/adapters/broker/run-command.ts";
import "./global-setup.ts";
import { withLock } from "./lock.ts";

const version = "3.3.3";
const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
const copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

const java = (await findJavas()).find((each) => each.major >= 21)?.path ?? null;
const maven = findOnPath("mvn", process.env);
const cached = join(cacheFolder(), `apicurio-${version}`);

/** Whether a real schema registry (Apicurio, 160 MB by Maven, once a machine) can run here: `describe.skipIf(!registryHere)`. */
export const registryHere: boolean = java !== null && (maven !== null || existsSync(cached));
if (!registryHere) console.warn("tests with a schema registry are skipped: they need Java 21 or later, and Maven to fetch Apicurio");

export interface SubjectReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** A real registry of the test's own on loopback, which keeps its schemas through `stop` and `start`. */
export interface TestRegistry {
  /** Base of Confluent's API. */
  readonly url: string;
  /** Registers a schema; resolves with its id. */
  readonly register: (
    subject: string,
    schema: string | object,
    options?: { readonly type?: "AVRO" | "PROTOBUF" | "JSON"; readonly references?: readonly SubjectReference[] },
  ) => Promise<number>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Stops it for good and removes its files. */
  readonly close: () => Promise<void>;
}

/** Starts Apicurio (3 s, 260 MB). Close it in `afterAll`. */
export async function testRegistry(): Promise<TestRegistry> {
  const { folder: runFolder, owner } = inject("testRun");
  await withLock(join(runFolder, "registry-lock"), fetchApicurio);
  const folder = mkdtempSync(join(runFolder, "registry-"));
  const [port, management] = await freePorts(2);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const log = openSync(join(folder, "registry.log"), "a");
    const settings = {
      "quarkus.http.host": "127.0.0.1",
      "quarkus.http.port": port,
      "quarkus.management.host": "127.0.0.1",
      "quarkus.management.port": management,
      "apicurio.storage.kind": "sql",
      "apicurio.storage.sql.kind": "h2",
      "apicurio.datasource.url": `jdbc:h2:file:${join(folder, "schemas")}`,
      "apicurio.datasource.jdbc.initial-size": 2,
      "apicurio.datasource.jdbc.min-size": 2,
    };
    const args = [
      "-Xmx256m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
    ];
    const started = spawn(java as string, [...args, "-jar", join(cached, "quarkus-run.jar")], { stdio: ["ignore", log, log], cwd: folder });
    closeSync(log);
    // It must not outlive the test run, even one that is killed.
    const watch = 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill -9 "$2" 2>/dev/null';
    spawn("/bin/sh", ["-c", watch, "sh", String(owner), String(started.pid)], { stdio: "ignore", detached: true }).unref();
    child = started;
    await ready(url, started, join(folder, "registry.log"));
  };
  const stop = async (): Promise<void> => {
    if (child === null) return;
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
    child = null;
  };
  await start();
  return {
    url,
    start,
    stop,
    register: (subject, schema, options = {}) => register(url, subject, schema, options),
    close: () => stop().then(() => rmSync(folder, { recursive: true, force: true })),
  };
}

async function fetchApicurio(): Promise<void> {
  if (existsSync(cached)) return;
  const scratch = mkdtempSync(join(cacheFolder(), "fetch-"));
  try {
    await must(maven as string, ["-q", "-B", copyGoal, `-Dartifact=${artifact}`, `-DoutputDirectory=${scratch}`], scratch);
    const app = join(scratch, "app");
    mkdirSync(app);
    await must("tar", ["xzf", join(scratch, `apicurio-registry-app-${version}-all.tar.gz`), "-C", app], scratch);
    renameSync(app, cached);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function must(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { status, stdout, stderr } = await runCommand(program, args, { cwd });
  if (status !== 0) throw new Error(`${program} failed: ${stdout}${stderr}`);
}

async function ready(url: string, child: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + 200_000;
  for (;;) {
    const answered = await fetch(`${url}/subjects`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the registry does not start:\n${readFileSync(log, "utf8").slice(-3000)}`);
    await sleep(50);
  }
}

async function register(
  url: string,
  subject: string,
  schema: string | object,
  options: Parameters<TestRegistry["register"]>[2] = {},
): Promise<number> {
  const response = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({
      schema: typeof schema === "string" ? schema : JSON.stringify(schema),
      ...(options.type !== undefined && { schemaType: options.type }),
      ...(options.references !== undefined && { references: options.references }),
    }),
  });
  const answer = (await response.json()) as { readonly id?: number };
  if (!response.ok || answer.id === undefined) throw new Error(`the registry refuses ${subject}: ${JSON.stringify(answer)}`);
  return answer.id;
}
