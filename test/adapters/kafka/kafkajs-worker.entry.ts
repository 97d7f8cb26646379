import { createKafkajsSource } from "../../../src/adapters/kafka/kafkajs-source.ts";
import { runWorker } from "../../contract-suites/source-worker.ts";

await runWorker(createKafkajsSource, process.argv.slice(2));
