// @ts-expect-error kafkajs has no types for its inner parts
import untyped from "kafkajs/src/network/requestQueue/index.js";

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

const { prototype } = untyped as { readonly prototype: RequestQueue };
const schedule = prototype.scheduleCheckPendingRequests;
let idleQueuesSleep = false;

/**
 * Lets kafkajs's request queues look for waiting requests only while there are any. kafkajs 2.2.4 looks for ever on every connection, with a timeout
 * below zero, which Node makes a millisecond and warns of; a request that has to wait, and each answer, make it look anyway.
 */
export function letIdleQueuesSleep(): void {
  if (idleQueuesSleep) return;
  idleQueuesSleep = true;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
