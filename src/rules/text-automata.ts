import { compileDfa } from "../regex/compile-dfa.ts";
import { matchDfa, type Dfa } from "../regex/dfa.ts";

/** Automata that must all accept a text of at most `bytesMax` bytes. */
interface Way {
  readonly dfas: readonly Dfa[];
  readonly bytesMax: number;
}

/** A language of texts as automata: a text is in it that one of the ways accepts. */
export interface TextAutomata {
  readonly ways: readonly Way[];
}

/** Whether the automata accept a span of bytes. */
export function acceptsText({ ways }: TextAutomata, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  return ways.some(({ dfas, bytesMax }) => length <= bytesMax && dfas.every((dfa) => matchDfa(dfa, bytes, start, length)));
}

function automaton(pattern: string): Dfa {
  const dfa = compileDfa(pattern);
  if ("reason" in dfa) throw new RangeError(`a format's pattern has no automaton: ${dfa.reason}`);
  return dfa;
}

const way = (patterns: readonly string[], bytesMax = Infinity): Way => ({
  dfas: patterns.map((one) => automaton(`^(?:${one})$`)),
  bytesMax,
});

const label = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?";
const hostname = `${label}(?:\\.${label})*`;
const octet = "(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
const ipv4 = `${octet}(?:\\.${octet}){3}`;

/** Groups of an IPv6 address with exactly, or up to, so many of them; an IPv4 address at the end stands for two. */
function ipv6Pattern(): string {
  const group = "[0-9A-Fa-f]{1,4}";
  const most = (count: number): string => {
    if (count === 0) return "";
    const plain = `(?:${group}:){0,${count - 1}}${group}`;
    return `(?:${plain}${count < 2 ? "" : `|(?:${group}:){0,${count - 2}}${ipv4}`})?`;
  };
  const whole = [`(?:${group}:){7}${group}`, `(?:${group}:){6}${ipv4}`];
  const left = (count: number): string => (count === 0 ? "" : `(?:${group}:){${count - 1}}${group}`);
  const shortened = Array.from({ length: 8 }, (_, count) => `${left(count)}::${most(7 - count)}`);
  return [...whole, ...shortened].join("|");
}

const hex = "[0-9A-Fa-f]";

function uriPattern(): string {
  const escape = `%${hex}{2}`;
  const plain = "A-Za-z0-9\\-._~!$&'()*+,;=";
  const tail = `(?:[${plain}:/?@]|${escape})*(?:#(?:[${plain}:/?@]|${escape})*)?`;
  const behindAuthority = `(?:[/?](?:[${plain}:/?@]|${escape})*)?(?:#(?:[${plain}:/?@]|${escape})*)?`;
  const user = (more: string): string => `(?:(?:[${plain}:${more}]|${escape})*@)?`;
  const named = `${user("")}(?:[${plain}]|${escape})*(?::[0-9]*)?`;
  const literal = `${user("\\[\\]")}\\[(?:${ipv6Pattern()})\\](?::[0-9]*)?`;
  const noAuthority = `(?:/(?:(?:[${plain}:?@]|${escape})${tail})?|/#(?:[${plain}:/?@]|${escape})*|(?:[${plain}:?@]|${escape})${tail}|#(?:[${plain}:/?@]|${escape})*)?`;
  return `[A-Za-z][A-Za-z0-9+.\\-]*:(?:${noAuthority}|//(?:${named}|${literal})${behindAuthority})`;
}

function emailWay(): Way {
  const atom = "[0-9A-Za-z!#$%&'*+\\-/=?^_`{|}~]+";
  const quoted = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"';
  const local = `(?:${atom}(?:\\.${atom})*|${quoted})`;
  const domain = `(?:${hostname}|\\[(?:${ipv4}|[Ii][Pp][Vv]6:(?:${ipv6Pattern()}))\\])`;
  // The local part has 64 octets at most, and the whole is ASCII.
  return way([`${local}@${domain}`, "(?s).{1,64}@[^@]*"], 254);
}

function makeWays(format: string): readonly Way[] | null {
  switch (format) {
    case "uuid":
      return [way([`${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`])];
    case "ipv4":
      return [way([ipv4])];
    case "ipv6":
      return [way([ipv6Pattern()])];
    case "hostname":
      return [way([hostname], 253), way([`${hostname}\\.`], 254)];
    case "email":
      return [emailWay()];
    case "uri":
      return [way([uriPattern()])];
    case "byte":
      return [way(["(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?"])];
    default:
      return null;
  }
}

const made = new Map<string, TextAutomata | null>();

/** The automata of a text format, made when first asked for; null for formats that have none. */
export function formatAutomata(format: string): TextAutomata | null {
  let automata = made.get(format);
  if (automata === undefined) {
    const ways = makeWays(format);
    automata = ways === null ? null : { ways };
    made.set(format, automata);
  }
  return automata;
}
