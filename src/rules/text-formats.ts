/** Formats of text, each checked by hand-written linear code: no regular expression engine that can be made to hang. */

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isLetter(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
}

function isHexDigit(c: number): boolean {
  return isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function every(text: string, test: (c: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!test(text.charCodeAt(i))) return false;
  return true;
}

/** RFC 1123 section 2.1: labels of letters, digits and inner hyphens, 63 octets each, 253 in all. */
export function isHostname(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return false;
  return name
    .split(".")
    .every(
      (label) =>
        label.length > 0 &&
        label.length <= 63 &&
        every(label, (c) => isDigit(c) || isLetter(c) || c === 0x2d) &&
        !label.startsWith("-") &&
        !label.endsWith("-"),
    );
}

/** Four decimal numbers of 0 to 255 without leading zeros (RFC 2673 section 3.2). */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return (
    parts.length === 4 &&
    parts.every(
      (part) => part.length > 0 && part.length <= 3 && every(part, isDigit) && Number(part) <= 255 && (part === "0" || part[0] !== "0"),
    )
  );
}

/** RFC 4291 section 2.2, without a zone. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || text.length > 45) return false;
  let groups = 0;
  for (const [h, half] of halves.entries()) {
    if (half === "") {
      if (halves.length === 1) return false;
      continue;
    }
    const parts = half.split(":");
    for (const [i, part] of parts.entries()) {
      const last = h === halves.length - 1 && i === parts.length - 1;
      if (last && part.includes(".")) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else {
        if (part.length === 0 || part.length > 4 || !every(part, isHexDigit)) return false;
        groups++;
      }
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

/** 8-4-4-4-12 hex digits (RFC 9562 section 4). */
function isUuid(text: string): boolean {
  if (text.length !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const c = text.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23 ? c !== 0x2d : !isHexDigit(c)) return false;
  }
  return true;
}

const atomSpecials = "!#$%&'*+-/=?^_`{|}~";

/** A mailbox of RFC 5321 section 4.1.2: dot-string or quoted local part of at most 64 octets, and a host name or address literal. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || text.length > 254) return false;
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (Buffer.byteLength(local) > 64) return false;
  if (domain.startsWith("[") && domain.endsWith("]")) {
    const literal = domain.slice(1, -1);
    if (!isIpv4(literal) && !(literal.toLowerCase().startsWith("ipv6:") && isIpv6(literal.slice(5)))) return false;
  } else if (domain.endsWith(".") || !isHostname(domain)) return false;
  return local.startsWith('"') ? isQuotedLocal(local) : isDotString(local);
}

function isDotString(local: string): boolean {
  return local
    .split(".")
    .every((atom) => atom.length > 0 && every(atom, (c) => isDigit(c) || isLetter(c) || atomSpecials.includes(String.fromCharCode(c))));
}

function isQuotedLocal(local: string): boolean {
  if (local.length < 2 || !local.endsWith('"')) return false;
  for (let i = 1; i < local.length - 1; i++) {
    const c = local.charCodeAt(i);
    if (c === 0x5c) {
      i++;
      if (i >= local.length - 1) return false;
    }
    const quoted = local.charCodeAt(i);
    if (quoted < 0x20 || quoted > 0x7e || (c !== 0x5c && c === 0x22)) return false;
  }
  return true;
}

const uriPunctuation = "-._~:/?#[]@!$&'()*+,;=";

/** An absolute URI of RFC 3986: a scheme, then only characters and percent-escapes that URIs have, and an authority that reads as one. */
export function isUri(text: string): boolean {
  const colon = text.indexOf(":");
  if (colon < 1 || !isLetter(text.charCodeAt(0))) return false;
  const scheme = text.slice(0, colon);
  if (!every(scheme, (c) => isLetter(c) || isDigit(c) || c === 0x2b || c === 0x2d || c === 0x2e)) return false;
  const rest = text.slice(colon + 1);
  for (let i = 0; i < rest.length; i++) {
    const c = rest.charCodeAt(i);
    if (c === 0x25) {
      if (!isHexDigit(rest.charCodeAt(i + 1)) || !isHexDigit(rest.charCodeAt(i + 2))) return false;
      i += 2;
    } else if (!isLetter(c) && !isDigit(c) && !uriPunctuation.includes(rest[i] as string)) return false;
  }
  if (rest.indexOf("#") !== rest.lastIndexOf("#")) return false;
  return hasGoodAuthority(rest);
}

function hasGoodAuthority(rest: string): boolean {
  const authority = rest.startsWith("//") ? (rest.slice(2).split(/[/?#]/, 1)[0] as string) : null;
  const path = authority === null ? rest : rest.slice(2 + authority.length);
  // Brackets belong to address literals only.
  if (/[[\]]/.test(path)) return false;
  if (authority === null) return true;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (authority.indexOf("@") !== authority.lastIndexOf("@")) return false;
  if (host.startsWith("[")) {
    const close = host.indexOf("]");
    return close > 0 && isIpv6(host.slice(1, close)) && isPort(host.slice(close + 1));
  }
  const port = host.indexOf(":");
  return !/[[\]]/.test(authority) && isPort(port < 0 ? "" : host.slice(port));
}

function isPort(text: string): boolean {
  return text === "" || (text.startsWith(":") && every(text.slice(1), isDigit));
}

/** Padded base64 of RFC 4648 section 4. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return every(text.slice(0, text.length - padding), (c) => isLetter(c) || isDigit(c) || c === 0x2b || c === 0x2f);
}

/** What a text must be to have a format; formats that say nothing about the text itself (password, binary) accept any. */
export const textFormats: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["email", isEmail],
  ["uuid", isUuid],
  ["uri", isUri],
  ["hostname", isHostname],
  ["ipv4", isIpv4],
  ["ipv6", isIpv6],
  ["byte", isBase64],
  ["binary", () => true],
  ["password", () => true],
]);
