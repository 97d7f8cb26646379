import type { CommandSpec } from "../command.ts";
import { jsonOption } from "../command.ts";

/** `sluice demo` */
export const demo: CommandSpec = {
  name: "demo",
  summary: "Watch the whole gate at work: a real Kafka, real flights, faults that are declared beforehand",
  details:
    "Starts a Kafka broker on loopback (or uses SLUICE_BROKERS; or reads files where no broker can be had, and says so), produces 336,776 flights of 2013 with injected faults and a drift midway, and lets the gate judge them. Kill it with -9 at any time: `sluice demo --resume` goes on, and nothing is lost or doubled.",
  examples: [
    { command: "sluice demo", says: "a real Kafka topic of real flights through the gate, about a minute" },
    { command: "sluice demo --rows 50000", says: "less of it" },
    { command: "sluice demo --keep", says: "leaves broker and worker running until Ctrl-C" },
    { command: "sluice demo --resume", says: "goes on after a kill -9" },
  ],
  options: [
    { flags: "-n, --rows <rows>", description: "How many flights", default: "336776" },
    { flags: "--folder <folder>", description: "Where everything is put; emptied first, if the demo made it", default: ".sluice/demo" },
    { flags: "--keep", description: "Go on running when all is done, until Ctrl-C" },
    { flags: "--resume", description: "Go on with what is in the folder instead of beginning anew" },
    { flags: "--files", description: "Read files instead of a Kafka topic" },
    jsonOption,
  ],
  json: "{ broker: string, rows: number, faults: Record<string, number>, produced: number, promoted: number, quarantined: number, held: number, skipped: number, windows: number, seconds: number, folder: string, config: string }",
  run: async (invocation) => (await import("../demo/demo.ts")).runDemo(invocation),
};
