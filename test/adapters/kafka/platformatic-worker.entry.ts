import { createKafkaSource } from "../../../src/adapters/kafka/kafka-source.ts";
import { runWorker } from "../../contract-suites/source-worker.ts";

await runWorker(createKafkaSource, process.argv.slice(2));
