import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { Producer } from "../../core/ports.ts";
import type { RunEvent } from "./run-event.ts";

/** Carries run events, in order; rejects with SINK_UNAVAILABLE to be called again with the same ones. */
export interface LineageTransport {
  readonly name: string;
  send(events: readonly RunEvent[]): Promise<void>;
  close(): Promise<void>;
}

function unavailable(message: string, cause: unknown): SluiceError {
  return new SluiceError("SINK_UNAVAILABLE", message, { cause });
}

/** Appends one JSON object a line. */
export function fileTransport(path: string): LineageTransport {
  return {
    name: "lineage-file",
    async send(events) {
      try {
        await mkdir(dirname(path), { recursive: true });
        const file = await open(path, "a");
        try {
          await file.write(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
        } finally {
          await file.close();
        }
      } catch (error) {
        throw unavailable(`the lineage file ${path} can't be written: ${String(error)}`, error);
      }
    },
    close: async () => {},
  };
}

/** Posts each event to an OpenLineage endpoint (Marquez: `/api/v1/lineage`). 4xx other than 408 and 429 are the receiver's final word, and still retried: nothing is lost while someone mends it. */
export function httpTransport(options: {
  readonly url: string;
  readonly apiKey: string | null;
  readonly timeoutMs: number;
}): LineageTransport {
  return {
    name: "lineage-http",
    async send(events) {
      for (const event of events) {
        let response: Response;
        try {
          response = await fetch(options.url, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              ...(options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` }),
            },
            body: JSON.stringify(event),
            signal: AbortSignal.timeout(options.timeoutMs),
          });
          await response.arrayBuffer();
        } catch (error) {
          throw unavailable(`the lineage endpoint ${options.url} does not answer: ${String(error)}`, error);
        }
        if (!response.ok) throw unavailable(`the lineage endpoint ${options.url} answered ${response.status}`, null);
      }
    },
    close: async () => {},
  };
}

/** Produces each event to a topic, keyed by its job so that a job's events keep their order. */
export function kafkaTransport(producer: Producer, topic: string): LineageTransport {
  const encoder = new TextEncoder();
  return {
    name: "lineage-kafka",
    async send(events) {
      await producer.send(
        events.map((event) => ({
          topic,
          key: encoder.encode(`run:${event.job.namespace}/${event.job.name}`),
          value: encoder.encode(JSON.stringify(event)),
          headers: [
            {
              key: "sluice.event.id",
              value: encoder.encode(createHash("sha256").update(`${event.run.runId}:${event.eventType}`).digest("hex")),
            },
          ],
          timestampMs: null,
        })),
      );
    },
    close: () => producer.close(),
  };
}
