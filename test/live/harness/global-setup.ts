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

/**
 * Gives every test file of a run one folder to share a broker in, which holds their temporary folders too; starts nothing. At the end the broker
 * that a live test started there is stopped and the folder goes, with what tests that failed left in it.
 */
export default function setUp(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  project.provide("testRun", { folder, owner: process.pid });
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  return async () => {
    await (await findBroker(join(folder, "broker")))?.stop();
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
}
