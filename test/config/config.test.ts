import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { KafkaSourceConfig } from "../../src/config/config.ts";
import { loadConfig, parseConfig } from "../../src/config/config.ts";
import { DocumentError, SluiceError } from "../../src/core/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "sluice.yaml");

const small = "source:\n  kind: kafka\n  brokers: [localhost:9092]\ndatasets:\n  - contract: a.yaml\n";

function faults(text: string, environment: Record<string, string> = {}): string[] {
  try {
    parseConfig("c.yaml", text, environment);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return error.diagnostics.map(
      ({ location, message, code }) => `${location.file}:${location.line}:${location.column} ${code} ${message}`,
    );
  }
  return [];
}

function kafka(text: string, environment: Record<string, string> = {}): KafkaSourceConfig {
  const { source } = parseConfig(file, text, environment).config;
  if (source.kind !== "kafka") throw new Error("no Kafka source");
  return source;
}

describe("a small configuration", () => {
  it("has all defaults and absolute paths", () => {
    expect(parseConfig(file, small, {})).toEqual({
      warnings: [],
      config: {
        file,
        worker: "sluice",
        lake: {
          folder: join(folder, "sluice-lake"),
          catalog: join(folder, "sluice-lake/catalog.db"),
          namespace: "sluice",
          s3: null,
          postgres: null,
          rest: null,
          archives: [],
        },
        source: {
          kind: "kafka",
          brokers: ["localhost:9092"],
          group: "sluice",
          client: "platformatic",
          isolation: "read_committed",
          start: { at: "earliest" },
          bytesInFlightMax: 67_108_864,
          recordBytesMax: 67_108_864,
          sessionTimeoutMs: 15_000,
        },
        registry: null,
        datasets: [{ contract: join(folder, "a.yaml"), schema: null }],
        dlq: { enabled: false, topicSuffix: ".dlq" },
        lineage: { namespace: "sluice", transports: [] },
        alerts: { receivers: [], routes: [] },
        events: { enabled: false, topic: "sluice.events", source: "/sluice" },
        telemetry: {},
        http: {
          enabled: true,
          host: "127.0.0.1",
          port: 8650,
          catalog: { enabled: false, host: "127.0.0.1", port: 8181, anonymous: null, tokens: [], sessions: null },
        },
        engine: { kind: "compiled", heapMib: 512 },
        quarantine: { attemptsMax: 5 },
        maintenance: {
          enabled: true,
          intervalMs: 3_600_000,
          snapshotAgeMsMax: 432_000_000,
          snapshotsMin: 20,
          snapshotsMax: 2000,
          fileBytesTarget: 134_217_728,
          filesMin: 16,
          orphanAgeMsMin: 259_200_000,
          incidentAgeMsMax: 31_536_000_000,
          statistics: false,
        },
        log: { level: "info", format: "auto" },
      },
    });
  });

  it("has a schema registry where it is named", () => {
    const registry = (lines: string, environment = {}) =>
      parseConfig(file, `${small}registry: { url: "http://r:8081", ${lines} }\n`, environment).config.registry;
    expect(registry("")).toEqual({ url: "http://r:8081", auth: null, tls: null, timeoutMs: 10_000 });
    expect(registry('username: u, password: "${PW}", timeoutMs: 500', { PW: "x" })).toEqual({
      url: "http://r:8081",
      auth: { kind: "basic", username: "u", password: "x" },
      tls: null,
      timeoutMs: 500,
    });
    expect(registry('token: "${T}"', { T: "t" })?.auth).toEqual({ kind: "bearer", token: "t" });
    expect(() => registry("token: t")).toThrow(/a secret may not stand/);
    for (const wrong of ["username: u", 'password: "${PW}"', 'username: u, password: "${PW}", token: "${PW}"'])
      expect(() => registry(wrong, { PW: "x" })).toThrow(/give a username with one of/);
  });

  it("starts at a time", () => {
    expect(kafka(small.replace("kind: kafka", "kind: kafka\n  start: 2013-01-02T03:04:05Z")).start).toEqual({
      at: "time",
      ms: Date.UTC(2013, 0, 2, 3, 4, 5),
    });
  });
});

describe("faults", () => {
  it("come all at once, each with its place and the nearest name", () => {
    const text = [
      "workers: a",
      "source:",
      "  kind: kafka",
      "  broker: [x:1]",
      "  client: kafakjs",
      "datasets: []",
      "http: { port: 99999, host: 7 }",
      "lineage:",
      "  transports:",
      "    - kind: htp",
    ].join("\n");
    expect(faults(text)).toEqual([
      'c.yaml:1:1 unknown-key unknown key "workers"',
      'c.yaml:3:3 missing-key source: "brokers" is missing',
      'c.yaml:4:3 unknown-key source: unknown key "broker"',
      'c.yaml:5:11 not-allowed source.client: "kafakjs" is not one of platformatic, kafkajs',
      "c.yaml:6:11 out-of-range datasets: [] has fewer than 1 entries",
      "c.yaml:7:15 out-of-range http.port: 99999 is not <= 65535",
      "c.yaml:7:28 wrong-type http.host: must be a string, not 7",
      'c.yaml:10:13 unknown-kind lineage.transports[0]: no kind "htp"; one of file, http, kafka',
    ]);
    expect(() => parseConfig("c.yaml", text, {})).toThrow(/did you mean "brokers"\?[^]*did you mean "kafkajs"\?/);
  });

  it.each([
    ["broken YAML", "a: [1", /^c\.yaml:\d+:\d+ yaml /],
    ["a key twice", `worker: a\nworker: b\n${small}`, /^c\.yaml:2:1 yaml .*unique/],
    ["a list", "- 1", /^c\.yaml:1:1 wrong-type/],
    ["nothing", "", /^c\.yaml:1:1 wrong-type/],
    ["a prototype for a key", `__proto__: { worker: x }\n${small}`, /^c\.yaml:1:1 unknown-key unknown key "__proto__"/],
    ["no kind", small.replace("  kind: kafka\n", ""), /^c\.yaml:2:3 missing-key source: "kind" is missing; one of kafka, files/],
    ["an address without a port", small.replace("localhost:9092", "localhost"), /source\.brokers\[0\]: "localhost" has the wrong form/],
    ["half a client certificate", small.replace("kind: kafka", "kind: kafka\n  tls: { cert: a.pem }"), /"cert" needs "key"/],
  ])("name %s", (_title, text, says) => {
    expect(faults(text).join("\n")).toMatch(says);
  });

  it("bound aliases", () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(", ")}]`);
    expect(faults(`l0: &l0 x\n${levels.join("\n")}`).join("\n")).toMatch(/more than 20000 values/);
  });

  it("say which file is missing", () => {
    expect(() => loadConfig(join(folder, "nowhere.yaml"), {})).toThrow(/no configuration at .*nowhere\.yaml: there is no such file/);
  });

  it("refuse a dead letter topic without Kafka", () => {
    const text = "source: { kind: files, paths: [a.ndjson] }\ndatasets: [{ contract: a.yaml }]\ndlq: { enabled: true }";
    expect(() => parseConfig("c.yaml", text, {})).toThrow(SluiceError);
  });
});

describe("the environment", () => {
  it("stands in values, with defaults and escapes", () => {
    const text = `worker: "w-\${WORKER}"\nhttp: { port: "\${PORT:-9000}" }\nlineage: { namespace: "$$\{x}" }\n${small}`;
    const { config } = parseConfig(file, text, { WORKER: "7" });
    expect([config.worker, config.http.port, config.lineage.namespace]).toEqual(["w-7", 9000, "${x}"]);
    expect(parseConfig(file, text, { WORKER: "7", PORT: "81" }).config.http.port).toBe(81);
  });

  it("is missed where it is not set", () => {
    expect(faults(`worker: \${WORKER}\n${small}`)).toEqual(["c.yaml:1:9 unset-variable the environment has no WORKER"]);
  });

  it("never becomes structure", () => {
    expect(faults(`worker: \${WORKER}\n${small}`, { WORKER: "a\nhttp: { port: 1 }" }).join()).toMatch(
      /worker: the value given has the wrong form/,
    );
  });

  it("goes before the file by SLUICE_ names", () => {
    const set = { SLUICE_HTTP_PORT: "1234", SLUICE_SOURCE_BROKERS: "a:1, b:2", SLUICE_DLQ_ENABLED: "true", SLUICE_LAKE_FOLDER: "x" };
    const { config, warnings } = parseConfig(file, small, set);
    expect(warnings).toEqual([]);
    expect([config.http.port, config.dlq.enabled, config.lake.folder]).toEqual([1234, true, join(process.cwd(), "x")]);
    expect(kafka(small, set).brokers).toEqual(["a:1", "b:2"]);
    expect(kafka(small, { SLUICE_BROKERS: "c:3" }).brokers).toEqual(["c:3"]);
  });

  it("is named as the place of its faults", () => {
    expect(faults(small, { SLUICE_HTTP_PORT: "many" })).toEqual([
      "SLUICE_HTTP_PORT:1:1 wrong-type http.port: must be an integer, not the value given",
    ]);
  });

  it("warns of a name that nothing reads", () => {
    const { warnings } = parseConfig(file, small, { SLUICE_HTP_PORT: "1", SLUICE_TEST_X: "1", HOME: "/" });
    expect(warnings.map((one) => [one.message, one.hint])).toEqual([
      ["nothing reads the environment variable SLUICE_HTP_PORT", 'did you mean "SLUICE_HTTP_PORT"?'],
    ]);
  });
});

describe("secrets", () => {
  const login = (rest: string): string => small.replace("kind: kafka", `kind: kafka\n  sasl: { mechanism: PLAIN, username: u, ${rest} }`);

  it("come from the environment or a file", () => {
    expect(kafka(login('password: "${PW}"'), { PW: "12345" }).sasl?.password).toBe("12345");
    writeFileSync(join(folder, "pw"), "se cret\n");
    expect(kafka(login("passwordFile: pw")).sasl?.password).toBe("se cret");
  });

  it("never stand in the file", () => {
    const found = faults(login("password: hunter2"));
    expect(found).toEqual(["c.yaml:3:52 secret-in-config source.sasl.password: a secret may not stand in the configuration"]);
  });

  it.each(["${PW:-hunter2}", "hunter${PW}"])("nor any part of one: %s", (text) => {
    expect(faults(login(`password: "${text}"`), { PW: "2" }).join()).toMatch(/^c\.yaml:3:52 secret-in-config [^2]*$/);
    expect(kafka(login(`password: "${text}"`), { PW: "2", SLUICE_SOURCE_SASL_PASSWORD: "x" }).sasl?.password).toBe("x");
  });

  it("are told once, and not both ways", () => {
    expect(faults(login('password: "${PW}", passwordFile: pw'), { PW: "x" }).join()).toMatch(
      /needs "password" or "passwordFile", and not both/,
    );
    expect(faults(login("").replace(", }", " }"))).toHaveLength(1);
  });

  it("are not repeated by errors about them", () => {
    expect(faults(`http: { port: "\${PW}" }\n${small}`, { PW: "hunter2" }).join()).not.toContain("hunter2");
  });

  it("read certificates", () => {
    writeFileSync(join(folder, "ca.pem"), "PEM");
    expect(kafka(small.replace("kind: kafka", "kind: kafka\n  tls: { ca: ca.pem, verify: false }")).tls).toEqual({
      ca: "PEM",
      rejectUnauthorized: false,
    });
    expect(() => kafka(small.replace("kind: kafka", "kind: kafka\n  tls: { ca: no.pem }"))).toThrow(/source\.tls\.ca: .*no such file/);
  });
});
