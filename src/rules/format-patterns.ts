import { countryAlpha2, countryAlpha3, countryNumeric, currencies, languageAlpha2 } from "./formats/code-tables.ts";
import { languageAlpha3 } from "./formats/language-codes.ts";

/** Patterns that must all hold for a whole text of at most `bytesMax` bytes. */
export interface PatternWay {
  readonly patterns: readonly string[];
  readonly bytesMax: number;
}

const way = (...patterns: readonly string[]): PatternWay => ({ patterns, bytesMax: Infinity });

const hex = "[0-9A-Fa-f]";
const label = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?";
const hostname = `${label}(?:\\.${label})*`;
const octet = "(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
const ipv4 = `${octet}(?:\\.${octet}){3}`;

/** Groups of an IPv6 address with exactly, or up to, so many of them; an IPv4 address at the end stands for two. */
function ipv6Pattern(): string {
  const group = `${hex}{1,4}`;
  const most = (count: number): string => {
    if (count === 0) return "";
    const plain = `(?:${group}:){0,${count - 1}}${group}`;
    return `(?:${plain}${count < 2 ? "" : `|(?:${group}:){0,${count - 2}}${ipv4}`})?`;
  };
  const whole = [`(?:${group}:){7}${group}`, `(?:${group}:){6}${ipv4}`];
  const left = (count: number): string => (count === 0 ? "" : `(?:${group}:){${count - 1}}${group}`);
  const shortened = Array.from({ length: 8 }, (_, count) => `${left(count)}::${most(7 - count)}`);
  return `(?:${[...whole, ...shortened].join("|")})`;
}

const ipv6 = ipv6Pattern();
const ipv4Cidr = `${ipv4}/(?:[0-9]|[12][0-9]|3[0-2])`;
const ipv6Cidr = `${ipv6}/(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])`;

function uriPattern(): string {
  const escape = `%${hex}{2}`;
  const plain = "A-Za-z0-9\\-._~!$&'()*+,;=";
  const part = `(?:[${plain}:/?@]|${escape})*`;
  const fragment = `(?:#${part})?`;
  const user = (more: string): string => `(?:(?:[${plain}:${more}]|${escape})*@)?`;
  const named = `${user("")}(?:[${plain}]|${escape})*(?::[0-9]*)?`;
  const literal = `${user("\\[\\]")}\\[${ipv6}\\](?::[0-9]*)?`;
  const first = `(?:[${plain}:?@]|${escape})`;
  // What begins with two slashes has an authority.
  const noAuthority = `(?:(?:/?${first}${part}|/)?${fragment})`;
  return `[A-Za-z][A-Za-z0-9+.\\-]*:(?:${noAuthority}|//(?:${named}|${literal})(?:[/?]${part})?${fragment})`;
}

function emailWay(): PatternWay {
  const atom = "[0-9A-Za-z!#$%&'*+\\-/=?^_`{|}~]+";
  const quoted = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"';
  const local = `(?:${atom}(?:\\.${atom})*|${quoted})`;
  const domain = `(?:${hostname}|\\[(?:${ipv4}|[Ii][Pp][Vv]6:${ipv6})\\])`;
  // The local part has 64 octets at most, and the whole is ASCII.
  return { patterns: [`${local}@${domain}`, "(?s).{1,64}@[^@]*"], bytesMax: 254 };
}

/** Without and with a user: together they would take too many states. */
function urlWays(): PatternWay[] {
  const scheme = "(?:[Hh][Tt][Tt][Pp][Ss]?|[Ww][Ss][Ss]?|[Ff][Tt][Pp][Ss]?)://";
  const tail = "(?:[/?#](?s:.)*)?";
  return ["", "[^/?#@]*@"].map((user) =>
    way(
      uriPattern(),
      `${scheme}${user}(?:\\[[^/?#@]*|${hostname}\\.?(?::[0-9]*)?)${tail}`,
      `${scheme}${user}(?:\\[(?s:.)*|[^/?#:@]{1,253}\\.?(?::[0-9]*)?${tail})`,
    ),
  );
}

/** Codes of one length or several, as an expression: those that differ in their last character only stand together. */
function codes(set: ReadonlySet<string>): string {
  const lasts = new Map<string, string>();
  for (const code of set) lasts.set(code.slice(0, -1), (lasts.get(code.slice(0, -1)) ?? "") + code.slice(-1));
  return `(?:${Array.from(lasts, ([begin, last]) => `${begin}[${last}]`).join("|")})`;
}

function datePattern(): string {
  const leapYear = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
  const long = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
  const short = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
  return `(?:[0-9]{4}-(?:${long}|${short}|02-(?:0[1-9]|1[0-9]|2[0-8]))|${leapYear}-02-29)`;
}

function durationPattern(): string {
  const days = "(?:[0-9]+Y(?:[0-9]+M)?(?:[0-9]+D)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)";
  const number = "[0-9]+(?:[.,][0-9]+)?";
  const time = `T(?:${number}H|(?:[0-9]+H)?${number}M|(?:[0-9]+H)?(?:[0-9]+M)?${number}S)`;
  return `P(?:[0-9]+W|${days}(?:${time})?|${time})`;
}

const base64 = "(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?";
const base64Url = "(?:[0-9A-Za-z_-]{4})*(?:[0-9A-Za-z_-]{2}(?:==)?|[0-9A-Za-z_-]{3}=?)?";
const identifier = "(?:0|[1-9][0-9]*)";
const anyIdentifier = `(?:${identifier}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const semver = `${identifier}\\.${identifier}\\.${identifier}(?:-${anyIdentifier}(?:\\.${anyIdentifier})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const uuidOf = (version: number): string => `${hex}{8}-${hex}{4}-${version}${hex}{3}-[89ABab]${hex}{3}-${hex}{12}`;

const makers: ReadonlyMap<string, () => readonly PatternWay[]> = new Map([
  ["email", () => [emailWay()]],
  ["uuid", () => [way(`${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`)]],
  ["uri", () => [way(uriPattern())]],
  ["url", urlWays],
  [
    "hostname",
    () => [
      { patterns: [hostname], bytesMax: 253 },
      { patterns: [`${hostname}\\.`], bytesMax: 254 },
    ],
  ],
  ["ipv4", () => [way(ipv4)]],
  ["ipv6", () => [way(ipv6)]],
  ["ip", () => [way(`${ipv4}|${ipv6}`)]],
  ["ipv4-cidr", () => [way(ipv4Cidr)]],
  ["ipv6-cidr", () => [way(ipv6Cidr)]],
  ["cidr", () => [way(`${ipv4Cidr}|${ipv6Cidr}`)]],
  ["mac", () => [way(`${hex}{2}(?:(?::${hex}{2}){5}|(?:-${hex}{2}){5})|${hex}{4}(?:\\.${hex}{4}){2}`)]],
  ["byte", () => [way(base64)]],
  ["base64", () => [way(base64)]],
  ["base64url", () => [way(base64Url)]],
  ["ulid", () => [way("[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}")]],
  ["date", () => [way(datePattern())]],
  ["duration", () => [way(durationPattern())]],
  ["country-alpha-2", () => [way(codes(countryAlpha2))]],
  ["country-alpha-3", () => [way(codes(countryAlpha3))]],
  ["country-numeric", () => [way(codes(countryNumeric))]],
  ["currency", () => [way(codes(currencies))]],
  ["language-alpha-2", () => [way(codes(languageAlpha2))]],
  ["language-alpha-3", () => [way(codes(languageAlpha3))]],
  ["bic", () => [way(`[0-9A-Z]{4}${codes(countryAlpha2)}[0-9A-Z]{2}(?:[0-9A-Z]{3})?`)]],
  ["phone", () => [way("\\+[1-9][0-9]{6,14}")]],
  ["semver", () => [way(semver)]],
  ["hex-color", () => [way(`#(?:${hex}{3,4}|${hex}{6}|${hex}{8})`)]],
  ...[1, 3, 4, 5, 6, 7, 8].map((version) => [`uuid-v${version}`, () => [way(uuidOf(version))]] as const),
]);

/** A format's language as patterns of whole texts, one way or several; null where it has none (check digits, numbers, text that is read). */
export function formatPatterns(format: string): readonly PatternWay[] | null {
  return makers.get(format)?.() ?? null;
}
