import { badRequest } from "./rest-error.ts";

/** One page of a list, and the token for the next one where there is more. */
export interface Page {
  readonly items: readonly string[];
  readonly next: string | null;
}

const sizeDefault = 1000;
const sizeMax = 10_000;

/**
 * Cuts an ordered list as a request asks for it. A token is the last name that the page before had, so that what comes and goes in between neither
 * doubles nor hides others. Without token and size the list comes whole.
 */
export function pageOf(items: readonly string[], query: URLSearchParams): Page {
  const token = query.get("pageToken");
  const size = query.get("pageSize");
  if (token === null && size === null) return { items, next: null };
  const limit = size === null ? sizeDefault : Number(size);
  if (!Number.isSafeInteger(limit) || limit < 1) throw badRequest(`pageSize must be a whole number from 1, not ${size}`);
  const after = token === null || token === "" ? null : lastOf(token);
  const rest = after === null ? items : items.filter((each) => each > after);
  const page = rest.slice(0, Math.min(limit, sizeMax));
  const last = page.at(-1);
  return { items: page, next: page.length === rest.length || last === undefined ? null : tokenOf(last) };
}

function tokenOf(last: string): string {
  return Buffer.from(`after:${last}`).toString("base64url");
}

function lastOf(token: string): string {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (!text.startsWith("after:")) throw badRequest("pageToken is not one that this catalog gave");
  return text.slice("after:".length);
}
