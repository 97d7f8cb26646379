import { parseArgs } from "node:util";
import { checkConservation } from "./check.ts";

const { values } = parseArgs({
  options: {
    brokers: { type: "string" },
    topic: { type: "string" },
    catalog: { type: "string" },
    table: { type: "string" },
    quarantine: { type: "string" },
    dlq: { type: "string" },
    complete: { type: "boolean", default: false },
  },
});

function required(name: "brokers" | "topic" | "catalog" | "table" | "quarantine"): string {
  const value = values[name];
  if (value === undefined) {
    process.stderr.write(
      `usage: check --brokers HOST:PORT --topic T --catalog FILE --table NS.T --quarantine NS.T [--dlq TOPIC] [--complete]\n`,
    );
    process.exit(2);
  }
  return value;
}

const report = await checkConservation({
  brokers: required("brokers").split(","),
  topic: required("topic"),
  catalogFile: required("catalog"),
  table: required("table"),
  quarantineTable: required("quarantine"),
  dlqTopic: values.dlq ?? null,
  complete: values.complete,
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exit(report.ok ? 0 : 3);
