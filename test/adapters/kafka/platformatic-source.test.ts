import { createKafkaSource } from "../../../src/adapters/kafka/kafka-source.ts";
import { sourceContract } from "../../contract-suites/source.ts";

sourceContract("platformatic", createKafkaSource, {
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  readCommitted: true,
  topicIdentity: true,
  checksums: true,
  bounded: true,
  partialBlocks: true,
  handOver: true,
  workerModule: new URL("platformatic-worker.entry.ts", import.meta.url),
});
