import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SecureBroker } from "../../src/adapters/broker/secure-broker.ts";
import { secureBroker } from "../live/harness/own-brokers.ts";
import { produce } from "../live/harness/produce.ts";
import { ownBrokersHere } from "../live/harness/shared-broker.ts";
import { createTopic } from "../live/harness/topics.ts";
import { ended, sluice, start } from "./sluice.ts";

describe.skipIf(!ownBrokersHere)("sluice run by TLS and SASL", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-secure-"));
  let broker: SecureBroker;

  beforeAll(async () => {
    broker = await secureBroker();
    const contract = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
    writeFileSync(join(folder, "orders.odcs.yaml"), contract);
    for (const part of ["ca", "cert", "key"] as const) writeFileSync(join(folder, `${part}.pem`), broker.tls[part]);
    await createTopic(broker.bootstrapPlain, "orders");
    const records = Array.from({ length: 10 }, (_, id) => ({
      value: `{"id": ${id}, "customer": "c1", "amount": ${id === 0 ? -1 : 1}, "placed_at": "2024-01-01T00:00:00Z"}`,
    }));
    await produce(broker.bootstrapPlain, "orders", records);
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const configure = (name: string, source: Record<string, unknown>): string => {
    const file = join(folder, `${name}.yaml`);
    const config = {
      source: { kind: "kafka", group: name, ...source },
      lake: { folder: `lake-${name}` },
      datasets: [{ contract: "orders.odcs.yaml" }],
      dlq: { enabled: name.startsWith("PLAIN") },
      http: { enabled: false },
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  };
  const sasl = (mechanism: string, extra: Record<string, unknown> = { password: "${KAFKA_PASSWORD}" }) => ({
    brokers: [broker.bootstrap],
    tls: { ca: "ca.pem" },
    sasl: { mechanism, username: broker.users.find((one) => one.mechanism === mechanism)?.username, ...extra },
  });
  const passwordOf = (mechanism: string): string => broker.users.find((one) => one.mechanism === mechanism)?.password ?? "";

  /**
   * Runs until its first window; its counts. Where dead letters are copied (user PLAIN), their topic is missing and this broker makes none: that
   * holds up neither the window nor, for longer than sinks are waited for, the end.
   */
  const firstWindow = async (config: string, password: string): Promise<unknown> => {
    const worker = start(["run", "--config", config, "--json"], { KAFKA_PASSWORD: password });
    const over = ended(worker);
    await Promise.race([new Promise((settle) => worker.stdout?.once("data", settle)), over]);
    worker.kill("SIGTERM");
    const { code, out, err } = await over;
    expect(out + err).not.toContain(password);
    expect(code, err).toBe(0);
    return (JSON.parse(out.split("\n")[0] ?? "") as { counts: unknown }).counts;
  };

  it.each([
    ["PLAIN", "platformatic"],
    ["SCRAM-SHA-256", "platformatic"],
    ["SCRAM-SHA-512", "platformatic"],
    ["SCRAM-SHA-512", "kafkajs"],
  ])("%s, client %s", async (mechanism, client) => {
    const config = configure(`${mechanism}-${client}`, { client, ...sasl(mechanism) });
    const password = passwordOf(mechanism);
    expect(await firstWindow(config, password)).toMatchObject({ records: 10, promoted: 9, quarantined: 1 });
    const status = await sluice(["source", "status", "--config", config, "--json"], { env: { KAFKA_PASSWORD: password } });
    expect(JSON.parse(status.out)).toMatchObject({ partitions: [{ next: "10", end: "10", lag: "0" }], reachable: true });
  });

  it("a password file, and a client certificate alone", async () => {
    const mechanism = "SCRAM-SHA-512";
    writeFileSync(join(folder, "password"), `${passwordOf(mechanism)}\n`);
    const byFile = configure("by-file", sasl(mechanism, { passwordFile: "password" }));
    expect(await firstWindow(byFile, passwordOf(mechanism))).toMatchObject({ records: 10 });
    const mutual = configure("mutual", { brokers: [broker.bootstrapTls], tls: { ca: "ca.pem", cert: "cert.pem", key: "key.pem" } });
    expect(await firstWindow(mutual, "none")).toMatchObject({ records: 10 });
  });

  it("says what is wrong, and never the password", async () => {
    const env = { KAFKA_PASSWORD: "a-wrong-password" };
    const wrong = await sluice(["run", "--config", configure("wrong", sasl("PLAIN"))], { env });
    expect([wrong.code, wrong.err.includes("SASL_AUTHENTICATION_FAILED [SOURCE_UNREACHABLE]")]).toEqual([1, true]);
    expect(wrong.out + wrong.err).not.toContain("a-wrong-password");
    const written = await sluice(["run", "--config", configure("written", sasl("PLAIN", { password: "hunter2" }))]);
    expect([written.code, written.err.includes("a secret may not stand in the configuration")]).toEqual([1, true]);
    expect(written.out + written.err).not.toContain("hunter2");
  });
});
