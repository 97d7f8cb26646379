import { SluiceError } from "../../core/errors.ts";

export interface JsonPostOptions {
  /** For messages; the URL may be a secret. */
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  /** Sent with every request, such as an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
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
/** An answer's text is for the message of an error: so much of it is read. */
const answerCharsMax = 300;

/** What Retry-After says (RFC 9110, 10.2.3: seconds, or a date), in ms; null where it says nothing that can be read. */
export function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** Reads the beginning of an answer, and no more of it: a receiver can't fill the memory. */
async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < answerCharsMax) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, answerCharsMax);
}

/** A receiver at a URL. Redirects are not followed: they would take secrets elsewhere. */
export function jsonPost({ name, url, timeoutMs, headers = {} }: JsonPostOptions): JsonPost {
  const closing = new AbortController();
  return {
    async post(body, more = {}) {
      let response: Response;
      let answer: string;
      try {
        response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers, ...more },
          body,
          redirect: "manual",
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), closing.signal]),
        });
        answer = await beginning(response);
      } catch (cause) {
        throw new SluiceError("SINK_UNAVAILABLE", `the alert receiver ${name} does not answer: ${reasonOf(cause)}`, { cause });
      }
      if (response.ok) return;
      const { status } = response;
      const message = `the alert receiver ${name} answered ${status}${answer === "" ? "" : `: ${answer.replaceAll(/\s+/g, " ")}`}`;
      if (refusals.has(status)) throw new SluiceError("ALERT_REFUSED", message, { details: { status } });
      const wait = retryAfterMs(response.headers.get("retry-after"), Date.now());
      throw new SluiceError("SINK_UNAVAILABLE", message, { details: { status, ...(wait === null ? {} : { retryAfterMs: wait }) } });
    },
    close: () => closing.abort(),
  };
}

/** Why a request failed; fetch puts the network's reason into the cause. */
function reasonOf(fault: unknown): string {
  const { cause, message } = fault as Error;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : message;
}
