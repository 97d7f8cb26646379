import { textFormats } from "../text-formats.ts";
import { countryAlpha2, countryAlpha3, countryNumeric, currencies, languageAlpha2 } from "./code-tables.ts";
import { languageAlpha3 } from "./language-codes.ts";
import { isLanguageTag } from "./language-tag.ts";
import { isDate, isDateTime, isDuration, isTime } from "./moments.ts";
import { isIdnHostname, isIp, isIpv4Cidr, isIpv6Cidr, isMac, isUrl } from "./network.ts";
import { isCardNumber, isEan, isIban, isIsbnText, isIsin, isIssn, isLei } from "./numbers.ts";

/** A test by a regular expression that is linear: anchored, without nested repetition. */
function like(form: RegExp): (text: string) => boolean {
  return (text) => form.test(text);
}

/** Semantic Versioning 2.0.0, its own expression. */
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

/** RFC 9562 section 4.1 and 4.2: the version's digit, and the variant's. */
function uuidOfVersion(version: number): (text: string) => boolean {
  return like(new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, "i"));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Decimal degrees without an exponent, no further from 0 than the limit. */
function degrees(limit: number): (text: string) => boolean {
  return (text) => /^[+-]?\d{1,3}(?:\.\d+)?$/.test(text) && Math.abs(Number(text)) <= limit;
}

/** RFC 4648 section 5, padded or not. */
function isBase64Url(text: string): boolean {
  const body = text.replace(/={1,2}$/, "");
  if (body.length !== text.length && text.length % 4 !== 0) return false;
  return /^[A-Za-z0-9_-]*$/.test(body) && body.length % 4 !== 1;
}

const more: readonly (readonly [string, (text: string) => boolean])[] = [
  ...[1, 3, 4, 5, 6, 7, 8].map((version) => [`uuid-v${version}`, uuidOfVersion(version)] as const),
  ["ulid", like(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i)],
  ["ip", isIp],
  ["cidr", (text) => isIpv4Cidr(text) || isIpv6Cidr(text)],
  ["ipv4-cidr", isIpv4Cidr],
  ["ipv6-cidr", isIpv6Cidr],
  ["mac", isMac],
  ["url", isUrl],
  ["idn-hostname", isIdnHostname],
  ["date", isDate],
  ["time", isTime],
  ["date-time", isDateTime],
  ["duration", isDuration],
  ["country-alpha-2", (text) => countryAlpha2.has(text)],
  ["country-alpha-3", (text) => countryAlpha3.has(text)],
  ["country-numeric", (text) => countryNumeric.has(text)],
  ["currency", (text) => currencies.has(text)],
  ["language-alpha-2", (text) => languageAlpha2.has(text)],
  ["language-alpha-3", (text) => languageAlpha3.has(text)],
  ["language-tag", isLanguageTag],
  ["phone", like(/^\+[1-9]\d{6,14}$/)],
  ["card", isCardNumber],
  ["iban", isIban],
  ["bic", (text) => /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.test(text) && countryAlpha2.has(text.slice(4, 6))],
  ["lei", isLei],
  ["isin", isIsin],
  ["ean", isEan],
  ["isbn", isIsbnText],
  ["issn", isIssn],
  ["semver", like(semver)],
  ["hex-color", like(/^#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$/)],
  ["base64", textFormats.get("byte") ?? (() => false)],
  ["base64url", isBase64Url],
  ["json", isJson],
  ["latitude", degrees(90)],
  ["longitude", degrees(180)],
];

/** What a text must be to have a format, by the format's name. */
export const allTextFormats: ReadonlyMap<string, (text: string) => boolean> = new Map([...textFormats, ...more]);
