import type { NamedRef } from "../../core/lake-refs.ts";
import type { Producer, Sink } from "../../core/ports.ts";
import type { CloudEvent } from "./cloud-event.ts";
import { tagEvent, windowEvents } from "./cloud-event.ts";

export interface EventsOptions {
  readonly producer: Producer;
  readonly topic: string;
  /** The events' `source`: names this installation. */
  readonly source: string;
  /** Branches and tags of a dataset, as they now are. */
  readonly refsOf: (dataset: string) => Promise<readonly NamedRef[]>;
}

/** A sink of commits and of tags. */
export interface EventsSink extends Sink {
  deliverTag(dataset: string, ref: NamedRef): Promise<void>;
}

const encoder = new TextEncoder();
const headers = [{ key: "content-type", value: encoder.encode("application/cloudevents+json; charset=UTF-8") }];

/** Produces CloudEvents in structured mode (Kafka protocol binding 1.0.2), keyed by dataset, so that a dataset's events keep their order. */
export function createEventsSink({ producer, topic, source, refsOf }: EventsOptions): EventsSink {
  const send = async (events: readonly CloudEvent[]): Promise<void> => {
    if (events.length === 0) return;
    await producer.send(
      events.map((event) => ({
        topic,
        key: encoder.encode(event.partitionkey),
        value: encoder.encode(JSON.stringify(event)),
        headers,
        timestampMs: BigInt(Date.parse(event.time)),
      })),
    );
  };
  return {
    name: "events-kafka",
    deliver: async (window) => {
      const { dataset } = window.decision;
      const tags = (await refsOf(dataset)).filter((ref) => isTag(ref) && ref.snapshotId === window.snapshotId).map((ref) => ref.name);
      await send(windowEvents(window, source, tags));
    },
    deliverTag: (dataset, ref) => send([tagEvent(dataset, ref, source)]),
    close: () => producer.close(),
  };
}

function isTag({ kind }: NamedRef): boolean {
  return kind === "tag" || kind === "release";
}
