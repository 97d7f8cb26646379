import { createKafkaSource } from "../../../src/adapters/kafka/kafka-source.ts";
import { sourceContract } from "../../contract-suites/source.ts";

// As workers have it: what is read of a run after its release would be another's bytes.
sourceContract("platformatic", (options) => createKafkaSource({ ...options, reuseMemory: true }), {
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  readCommitted: true,
  topicIdentity: true,
  checksums: true,
  bounded: true,
  partialBlocks: true,
  handOver: true,
  workerModule: new URL("platformatic-worker.entry.ts", import.meta.url),
});
