import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import { kafkaVersion, lastLines } from "./kafka-jars.ts";
import { answersApiVersions, freePorts } from "./ports.ts";
import { singleNodeProperties } from "./properties.ts";
import { runCommand } from "./run-command.ts";

const readyTimeoutMs = 120_000;
const controllerPort = 29093;

/** The arguments of `docker run` for one broker of Kafka's own image, published on loopback only, its settings given by environment. */
export function dockerArguments(options: { name: string; port: number; settings: Readonly<Record<string, string>> }): string[] {
  const { port } = options;
  const properties = {
    ...singleNodeProperties({ port, controllerPort }),
    "node.id": "1",
    // Inside the container the published port arrives on its outer interface; only 127.0.0.1 of the host is published.
    listeners: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    ...options.settings,
  };
  const environment = Object.entries(properties).flatMap(([key, value]) => ["-e", `${environmentName(key)}=${value}`]);
  return ["run", "--detach", "--name", options.name, "-p", `127.0.0.1:${port}:${port}`, ...environment, `apache/kafka:${kafkaVersion()}`];
}

/** `log.dirs` is `KAFKA_LOG_DIRS` to the image. */
function environmentName(property: string): string {
  return `KAFKA_${property.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_").toUpperCase()}`;
}

/** Starts a broker in Docker and waits until it answers; `stop` removes the container with its data. Rejects with BROKER_FAILED. */
export async function startDockerBroker(
  docker: string,
  options: { folder: string; port?: number; settings?: Readonly<Record<string, string>>; onProgress?: (message: string) => void },
): Promise<{ bootstrap: string; stop: () => Promise<void> }> {
  const [freePort = 0] = await freePorts(1);
  const port = options.port ?? freePort;
  const name = `sluice-${createHash("sha256").update(options.folder).digest("hex").slice(0, 12)}-${port}`;
  options.onProgress?.(`starting Kafka ${kafkaVersion()} in Docker`);
  const remove = async () => void (await runCommand(docker, ["rm", "--force", "--volumes", name]));
  const run = await runCommand(docker, dockerArguments({ name, port, settings: options.settings ?? {} }));
  if (run.status !== 0) throw new SluiceError("BROKER_FAILED", `Docker can't start Kafka: ${lastLines(run.stderr, 5)}`);
  const deadline = Date.now() + readyTimeoutMs;
  while (!(await answersApiVersions(port))) {
    const state = await runCommand(docker, ["inspect", "--format", "{{.State.Running}}", name]);
    if (state.stdout.trim() !== "true" || Date.now() > deadline) {
      const log = await runCommand(docker, ["logs", "--tail", "12", name]);
      await remove();
      throw new SluiceError("BROKER_FAILED", `Kafka in Docker did not come up:\n${lastLines(log.stdout + log.stderr, 12)}`);
    }
    await sleep(200);
  }
  return { bootstrap: `127.0.0.1:${port}`, stop: remove };
}
