import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { startBroker } from "../../../src/adapters/broker/broker.ts";
import type { Broker } from "../../../src/adapters/broker/broker.ts";
import { startCluster } from "../../../src/adapters/broker/broker-cluster.ts";
import type { BrokerCluster } from "../../../src/adapters/broker/broker-cluster.ts";
import { startSecureBroker } from "../../../src/adapters/broker/secure-broker.ts";
import type { SecureBroker } from "../../../src/adapters/broker/secure-broker.ts";
import { testRuntime, testSettings } from "./shared-broker.ts";

/** A broker of the test's own, to stop, kill and restart (`restart` keeps port and data). Stop it in `afterAll`; its folder goes with it. */
export async function ownBroker(settings: Readonly<Record<string, string>> = {}): Promise<Broker & { restart: () => Promise<Broker> }> {
  const runtime = await testRuntime();
  const folder = scratchFolder("own");
  const start = (port?: number) =>
    startBroker({ runtime, folder, settings: { ...testSettings, ...settings }, ...(port !== undefined && { port }) });
  const first = await start();
  let current = first;
  return {
    ...first,
    restart: async () => {
      await current.stop();
      current = await start(first.port);
      return current;
    },
    kill: () => current.kill(),
    stop: () => current.stop().then(() => rmSync(folder, { recursive: true, force: true })),
  };
}

/** Three brokers; stop them in `afterAll`. */
export async function cluster(settings: Readonly<Record<string, string>> = {}): Promise<BrokerCluster> {
  return startCluster({ runtime: await testRuntime(), folder: scratchFolder("cluster"), settings: { ...testSettings, ...settings } });
}

/** A broker with TLS and SASL listeners; stop it in `afterAll`. */
export async function secureBroker(): Promise<SecureBroker> {
  return startSecureBroker({ runtime: await testRuntime(), folder: scratchFolder("secure"), settings: testSettings });
}

function scratchFolder(name: string): string {
  return mkdtempSync(join(inject("testRun").folder, `${name}-`));
}
