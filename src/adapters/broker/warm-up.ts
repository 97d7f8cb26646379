import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, Producer } from "@platformatic/kafka";
import { startBroker } from "./broker.ts";
import type { JavaRuntime } from "./java-runtime.ts";
import { moveInto } from "./kafka-jars.ts";

/**
 * Formats the cached storage and writes the class archive, by starting and stopping one broker, so that later starts take 2 s and not 6; does
 * nothing where that was done before. About 10 s.
 */
export async function warmUp(runtime: JavaRuntime, onProgress?: (message: string) => void): Promise<void> {
  if (existsSync(runtime.archive)) return;
  onProgress?.("preparing Kafka's class archive, for quick starts (once)");
  const folder = mkdtempSync(join(tmpdir(), "sluice-warm-"));
  // Beside the archive, so that moving it into place is one rename.
  const written = `${runtime.archive}.${process.pid}`;
  try {
    const broker = await startBroker({ runtime, folder, javaOptions: [`-XX:ArchiveClassesAtExit=${written}`] });
    try {
      await exercise(broker.bootstrap);
    } finally {
      await broker.stop();
    }
    if (existsSync(written)) moveInto(written, runtime.archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(written, { force: true });
  }
}

/** Loads the classes that a first topic and a first record need. */
async function exercise(bootstrap: string): Promise<void> {
  const connection = { clientId: "sluice-warm-up", bootstrapBrokers: [bootstrap] };
  const admin = new Admin(connection);
  const producer = new Producer({ ...connection, idempotent: true });
  try {
    await admin.createTopics({ topics: ["warm"], partitions: 1, replicas: 1 });
    await producer.send({ messages: [{ topic: "warm", value: Buffer.from("x") }], acks: -1 });
  } finally {
    await producer.close();
    await admin.close();
  }
}
