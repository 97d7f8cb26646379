import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/config.ts";

const root = resolve(import.meta.dirname, "../..");
const deploy = join(root, "deploy");

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
}

const text = readFileSync(join(deploy, "compose.yaml"), "utf8");
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const dockerfile = readFileSync(join(deploy, "Dockerfile"), "utf8");
/** Instructions with their continued lines, without comments. */
const instructions = dockerfile
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, " ")
  .split("\n")
  .filter((line) => line.trim() !== "");

/** The schema of the Compose Specification, from compose-go 2.9.0 (Apache License 2.0); ajv knows its dialect by another address. */
function composeSchema(): object {
  const { $schema: _dialect, ...schema } = JSON.parse(readFileSync(join(import.meta.dirname, "compose-spec.json"), "utf8")) as {
    $schema: string;
  };
  return schema;
}

describe("deploy/compose.yaml", () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const validate = ajv.compile(composeSchema());

  it("is a document of the Compose Specification; a slip is found", () => {
    expect([validate(compose), validate.errors]).toEqual([true, null]);
    const slipped = parse(text.replace("healthcheck:", "health_check:"), { merge: true }) as object;
    expect(validate(slipped)).toBe(false);
  });

  it("mounts what exists, and names volumes and secrets that are declared", () => {
    for (const [name, service] of services) {
      for (const volume of service.volumes ?? []) {
        const [source = ""] = volume.split(":");
        if (source.startsWith(".")) expect([name, source, existsSync(join(deploy, source))]).toEqual([name, source, true]);
        else expect(Object.keys(compose.volumes), name).toContain(source);
      }
      for (const secret of service.secrets ?? []) expect(Object.keys(compose.secrets), name).toContain(secret);
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(compose.services), name).toContain(other);
    }
  });

  it("waits only for services that can be told to be well", () => {
    for (const [, service] of services) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        if (condition === "service_healthy") expect(compose.services[other]?.healthcheck, other).toBeDefined();
      }
    }
  });

  it("pins every foreign image by digest, drops capabilities, and publishes on loopback alone", () => {
    for (const [name, { image, build, ports = [], cap_drop: dropped }] of services) {
      if (build === undefined) expect([name, image]).toEqual([name, expect.stringMatching(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/)]);
      else expect(existsSync(join(deploy, build.context, build.dockerfile)), name).toBe(true);
      for (const port of ports) expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:/)]);
      if (build === undefined && name !== "kafka-topics") expect(dropped, name).toEqual(["ALL"]);
    }
    expect(compose.services["sluice"]?.read_only).toBe(true);
  });

  it("takes secrets from variables that .env.example names, and git ignores what they are filled into", () => {
    const example = [...readFileSync(join(deploy, ".env.example"), "utf8").matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1]);
    const asked = [...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map((match) => match[1]);
    const secrets = Object.values(compose.secrets).map((one) => one.environment);
    expect(new Set([...asked, ...secrets])).toEqual(new Set(example));
    expect(readFileSync(join(root, ".gitignore"), "utf8")).toContain("/deploy/.env\n");
  });

  it("gives the worker a configuration that it takes, with the files and addresses of the other services", () => {
    const file = join(deploy, "sluice/sluice.yaml");
    // The password's file is a mounted secret: here the secret is given as it is.
    const source = readFileSync(file, "utf8").replace("passwordFile: /run/secrets/postgres_password", "password: ${POSTGRES_PASSWORD}");
    const { config } = parseConfig(file, source, { S3_SECRET_KEY: "s", POSTGRES_PASSWORD: "p", SLUICE_HTTP_HOST: "0.0.0.0" });
    const hosts = [
      new URL(config.lake.s3?.endpoint ?? "").hostname,
      new URL(config.lake.postgres?.url ?? "").hostname,
      new URL(config.telemetry.otlpEndpoint ?? "").hostname,
      config.source.kind === "kafka" ? (config.source.brokers[0] ?? "").split(":")[0] : "",
    ];
    for (const host of hosts) expect(Object.keys(compose.services)).toContain(host);
    for (const { contract } of config.datasets) expect(existsSync(contract)).toBe(true);
    expect(config.http.host).toBe("0.0.0.0");
    const scraped = readFileSync(join(deploy, "prometheus/prometheus.yml"), "utf8");
    expect(scraped).toContain(`sluice:${config.telemetry.prometheusPort}`);
  });
});

describe("deploy/Dockerfile", () => {
  /** What it takes from the project. */
  const copied = (): readonly string[] =>
    instructions.filter((line) => line.startsWith("COPY ") && !line.includes("--from")).flatMap((line) => line.split(/\s+/).slice(1, -1));

  it("builds in stages from a pinned image and runs as a user who is not root", () => {
    const [argument = ""] = instructions;
    expect(argument).toMatch(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-\S+@sha256:[0-9a-f]{64}$/);
    expect(instructions.filter((line) => line.startsWith("FROM "))).toEqual(["FROM ${NODE_IMAGE} AS packages", "FROM ${NODE_IMAGE}"]);
    expect(instructions.filter((line) => line.startsWith("USER "))).toEqual(["USER node"]);
    expect(instructions.some((line) => line.startsWith("HEALTHCHECK"))).toBe(true);
    // The Node that the project pins.
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: { node: string } };
    expect(argument).toContain(`node:${dependencies.node}-`);
  });

  it("copies what exists and what its ignore file lets through, and everything that the command line reads", () => {
    const allowed = readFileSync(join(deploy, "Dockerfile.dockerignore"), "utf8").split("\n");
    const sources = copied();
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) {
      expect([source, existsSync(join(root, source))]).toEqual([source, true]);
      expect(allowed).toContain(`!${source}`);
    }
    for (const needed of ["bin", "src", "schemas", "package.json"]) expect(sources).toContain(needed);
  });

  it("the command line works with what is copied and nothing else of the project", () => {
    const copy = mkdtempSync(join(tmpdir(), "sluice-image-"));
    try {
      for (const source of copied()) cpSync(join(root, source), join(copy, source), { recursive: true });
      symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
      const run = (...args: readonly string[]) => spawnSync(join(copy, "bin/sluice"), [...args], { encoding: "utf8" });
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
      expect(run("--version").stdout.trim()).toBe(version);
      const { status, stdout, stderr } = run("contract", "lint", join(deploy, "sluice/orders.odcs.yaml"));
      expect([status, stdout, stderr]).toEqual([0, expect.stringContaining("good: orders"), ""]);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
