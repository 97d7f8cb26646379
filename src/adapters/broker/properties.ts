/** Settings that make a broker small and quick; every one only touches size or waiting, none weakens what acks=all means. */
function commonProperties(replicas: number): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    // Records keep their own time, which may be years ago: the default of 7 days would delete them while they are read.
    "log.retention.ms": "-1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": String(replicas),
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": String(replicas),
    "transaction.state.log.min.isr": String(Math.max(1, replicas - 1)),
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": String(replicas),
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": String(replicas),
    "min.insync.replicas": String(Math.max(1, replicas - 1)),
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "log.cleaner.dedupe.buffer.size": "4194304",
    // A killed broker is missed, and may come back, after this and not after the default of 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
  };
}

/** Settings of a broker that is its own controller, with one plain listener. */
export function singleNodeProperties(ports: { port: number; controllerPort: number }): Record<string, string> {
  return {
    ...commonProperties(1),
    "controller.quorum.voters": `1@127.0.0.1:${ports.controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${ports.port},CONTROLLER://127.0.0.1:${ports.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${ports.port}`,
  };
}

/** Settings of one node of a cluster: three replicas of everything, two of them in sync before anything is acknowledged. */
export function clusterProperties(
  nodes: readonly { nodeId: number; port: number; controllerPort: number }[],
  index: number,
): Record<string, string> {
  const own = nodes[index] as { port: number; controllerPort: number };
  return {
    ...commonProperties(nodes.length),
    "controller.quorum.voters": nodes.map((node) => `${node.nodeId}@127.0.0.1:${node.controllerPort}`).join(","),
    listeners: `PLAINTEXT://127.0.0.1:${own.port},CONTROLLER://127.0.0.1:${own.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${own.port}`,
  };
}

/** A user that a secured broker knows. */
export interface BrokerUser {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** Settings of a broker with a TLS listener, a TLS + SASL one and a SASL one beside the plain one that it uses itself. */
export function secureProperties(options: {
  ports: { plain: number; tls: number; saslTls: number; sasl: number; controller: number };
  keystore: string;
  truststore: string;
  users: readonly BrokerUser[];
}): Record<string, string> {
  const { ports } = options;
  const names = { PLAINTEXT: ports.plain, SSL: ports.tls, SASL_SSL: ports.saslTls, SASL_PLAINTEXT: ports.sasl };
  const listeners = Object.entries(names).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const plainUsers = options.users.filter((user) => user.mechanism === "PLAIN").map((user) => `user_${user.username}="${user.password}"`);
  const properties: Record<string, string> = {
    ...singleNodeProperties({ port: ports.plain, controllerPort: ports.controller }),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${ports.controller}`].join(","),
    "advertised.listeners": listeners.join(","),
    "listener.security.protocol.map": [...Object.keys(names), "CONTROLLER"]
      .map((name) => `${name}:${name === "CONTROLLER" ? "PLAINTEXT" : name}`)
      .join(","),
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": options.keystore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": options.truststore,
    "ssl.client.auth": "requested",
  };
  for (const listener of ["sasl_ssl", "sasl_plaintext"]) {
    properties[`listener.name.${listener}.plain.sasl.jaas.config`] =
      `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers.join(" ")};`;
    for (const mechanism of ["scram-sha-256", "scram-sha-512"]) {
      properties[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] =
        "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    }
  }
  return properties;
}
