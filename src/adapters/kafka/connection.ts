/** How to reach a Kafka cluster. Passwords come from configuration or the environment, never from flags. */
export interface KafkaConnection {
  /** `host:port`, any of the cluster's. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Present (even empty) means TLS. */
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
}

/** PEM texts; all optional. */
export interface KafkaTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name to verify the certificate against, where it isn't the host's. */
  readonly serverName?: string;
  /** Default true. */
  readonly rejectUnauthorized?: boolean;
}

export interface KafkaSasl {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** The options that @platformatic/kafka's clients and its `Connection` share. A new `sasl` object a call: clients may keep state in it. */
export function connectionOptions(connection: KafkaConnection): {
  clientId: string;
  bootstrapBrokers: string[];
  tls?: { ca?: string; cert?: string; key?: string; rejectUnauthorized: boolean };
  tlsServerName?: string | true;
  sasl?: { mechanism: KafkaSasl["mechanism"]; username: string; password: string };
} {
  const { brokers, clientId, tls, sasl } = connection;
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    ...(tls !== undefined && {
      tls: {
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
        rejectUnauthorized: tls.rejectUnauthorized ?? true,
      },
    }),
    ...(tls?.serverName !== undefined && { tlsServerName: tls.serverName }),
    ...(sasl !== undefined && { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password } }),
  };
}
