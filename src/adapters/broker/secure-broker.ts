import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerOptions } from "./broker.ts";
import { issueCertificate, makeAuthority } from "./certificates.ts";
import { randomKafkaId, startNode } from "./kafka-node.ts";
import { freePorts } from "./ports.ts";
import { secureProperties } from "./properties.ts";
import type { BrokerUser } from "./properties.ts";

/** A running broker with a listener for each way to secure one; all on 127.0.0.1, the certificate names `localhost` and 127.0.0.1. */
export interface SecureBroker {
  /** TLS and SASL. */
  readonly bootstrap: string;
  /** TLS alone; takes client certificates of `tls`. */
  readonly bootstrapTls: string;
  /** SASL without TLS. */
  readonly bootstrapSasl: string;
  /** Neither: for setting up tests. */
  readonly bootstrapPlain: string;
  /** PEM: the authority's certificate, and a client's certificate and key. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** One user a mechanism. */
  readonly users: readonly BrokerUser[];
  readonly pid: number;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
}

const users: readonly BrokerUser[] = [
  { mechanism: "PLAIN", username: "plain-user", password: "plain-secret" },
  { mechanism: "SCRAM-SHA-256", username: "scram-256-user", password: "scram-256-secret" },
  { mechanism: "SCRAM-SHA-512", username: "scram-512-user", password: "scram-512-secret" },
];

/** Starts one broker that speaks TLS and SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), with fresh certificates. Rejects with BROKER_FAILED. */
export async function startSecureBroker(options: Omit<BrokerOptions, "port">): Promise<SecureBroker> {
  const [plain, tls, saslTls, sasl, controller] = (await freePorts(5)) as [number, number, number, number, number];
  mkdirSync(options.folder, { recursive: true });
  const authority = makeAuthority("sluice test authority");
  const server = issueCertificate(authority, { commonName: "broker", dnsNames: ["localhost"], addresses: ["127.0.0.1"] });
  const client = issueCertificate(authority, { commonName: "client", dnsNames: [], addresses: [] });
  const keystore = join(options.folder, "broker.pem");
  const truststore = join(options.folder, "authority.pem");
  writeFileSync(keystore, server.key + server.cert, { mode: 0o600 });
  writeFileSync(truststore, authority.cert);
  const scramUsers = users.filter((user) => user.mechanism !== "PLAIN");
  const node = await startNode({
    runtime: options.runtime,
    folder: options.folder,
    nodeId: 1,
    clusterId: randomKafkaId(),
    properties: {
      ...secureProperties({ ports: { plain, tls, saslTls, sasl, controller }, keystore, truststore, users }),
      ...options.settings,
    },
    formatArguments: scramUsers.flatMap((user) => ["--add-scram", `${user.mechanism}=[name=${user.username},password=${user.password}]`]),
    readyPort: plain,
    heapMib: options.heapMib ?? 256,
    owner: options.owner === undefined ? process.pid : options.owner,
    javaOptions: options.javaOptions ?? [],
  });
  const at = (port: number) => `127.0.0.1:${port}`;
  return {
    bootstrap: at(saslTls),
    bootstrapTls: at(tls),
    bootstrapSasl: at(sasl),
    bootstrapPlain: at(plain),
    tls: { ca: authority.cert, cert: client.cert, key: client.key },
    users,
    pid: node.pid,
    stop: node.stop,
    kill: node.kill,
  };
}
