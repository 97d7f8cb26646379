import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../../src/adapters/broker/kafka-node.ts";

/** Runs `work` in one process at a time, by a folder made as lock; one whose holder died is taken over. */
export async function withLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  while (!tryLock(lock)) await sleep(50);
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, "pid"), String(process.pid));
    return true;
  } catch {
    try {
      const holder = Number(readFileSync(join(lock, "pid"), "utf8"));
      if (!isAlive(holder)) rmSync(lock, { recursive: true, force: true });
    } catch {
      // The holder has not written its number yet, or has just let go.
    }
    return false;
  }
}
