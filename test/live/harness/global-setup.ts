import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findBroker } from "../../../src/adapters/broker/broker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder of this test run, and the process whose end ends what was started for it. */
    testRun: { readonly folder: string; readonly owner: number };
  }
}

/** Gives every test file of a run one folder to share a broker in; starts nothing. The broker that a live test started there is stopped at the end. */
export default function setUp(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  project.provide("testRun", { folder, owner: process.pid });
  return async () => {
    await (await findBroker(join(folder, "broker")))?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
