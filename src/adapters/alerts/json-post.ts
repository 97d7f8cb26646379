import { SluiceError } from "../../core/errors.ts";
import type { TlsOptions } from "../../core/tls.ts";
import type { HttpReply } from "../http-client/http-connections.ts";
import { HttpConnections } from "../http-client/http-connections.ts";

export interface JsonPostOptions {
  /** For messages; the URL may be a secret. */
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  /** Sent with every request, such as an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a URL with https; null: the system's authorities, and no client certificate. */
  readonly tls?: TlsOptions | null;
}

/** Posts JSON texts to one receiver. */
export interface JsonPost {
  /** Rejects with SINK_UNAVAILABLE (no answer, 408, 425, 429, 5xx, and where someone must mend access: 401, 403, 404, 410), with ALERT_REFUSED for any other 4xx. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends what is under way. */
  close(): void;
}

/** Answers that say no to this very message, where all else says no to whoever sends it, or to sending now. */
const refusals: ReadonlySet<number> = new Set([400, 405, 406, 409, 411, 413, 414, 415, 422, 431]);
/** An answer's text is for the message of an error: so much of it is read, and told. */
const answerBytesMax = 4096;
const answerCharsMax = 300;
/** Datasets that tell one receiver at once; the others wait for them. */
const connectionsMax = 8;

/** What Retry-After says (RFC 9110, 10.2.3: seconds, or a date), in ms; null where it says nothing that can be read. */
export function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** A receiver at a URL. Redirects are not followed: they would take secrets elsewhere. */
export function jsonPost({ name, url, timeoutMs, headers = {}, tls = null }: JsonPostOptions): JsonPost {
  const connections = new HttpConnections({ tls, timeoutMs, connectionsMax, replyBytesMax: answerBytesMax, cutsReplies: true });
  return {
    async post(body, more = {}) {
      let reply: HttpReply;
      try {
        const all = { "content-type": "application/json", ...headers, ...more };
        reply = await connections.send({ method: "POST", url: new URL(url), headers: all, body });
      } catch (cause) {
        throw new SluiceError("SINK_UNAVAILABLE", `the alert receiver ${name} does not answer: ${(cause as Error).message}`, { cause });
      }
      const { status, text } = reply;
      if (status >= 200 && status < 300) return;
      const answer = text.slice(0, answerCharsMax).replaceAll(/\s+/g, " ");
      const message = `the alert receiver ${name} answered ${status}${answer === "" ? "" : `: ${answer}`}`;
      if (refusals.has(status)) throw new SluiceError("ALERT_REFUSED", message, { details: { status } });
      const wait = retryAfterMs(reply.headers["retry-after"] ?? null, Date.now());
      throw new SluiceError("SINK_UNAVAILABLE", message, { details: { status, ...(wait === null ? {} : { retryAfterMs: wait }) } });
    },
    close: () => connections.close(),
  };
}
