import { createHmac } from "node:crypto";
import type { AlertSink } from "../../core/alert-sink.ts";
import type { JsonPostOptions } from "./json-post.ts";
import { jsonPost } from "./json-post.ts";
import { noticeDocument } from "./notice-document.ts";

export interface WebhookOptions extends JsonPostOptions {
  /** Key of the signature; null: requests are not signed. */
  readonly secret: string | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The signature of a request: `t=SECONDS,v1=HEX`, where HEX is HMAC-SHA-256 over `SECONDS.BODY` by the shared secret. A receiver computes it again over the
 * bytes that came, and turns away what is more than some minutes old.
 */
function signature(secret: string, body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

/** Posts each notice as `schemas/incident-notice.schema.json` describes it, signed if there is a secret. */
export function createWebhookSink(options: WebhookOptions): AlertSink {
  const { name, secret, now } = options;
  const receiver = jsonPost(options);
  return {
    name,
    tracksSeverity: true,
    async tell(message) {
      const body = JSON.stringify(noticeDocument(message));
      const signed = secret === null ? {} : { "sluice-signature": signature(secret, body, now()) };
      await receiver.post(body, { "sluice-notice-id": message.notice.id, ...signed });
    },
    close: async () => receiver.close(),
  };
}
