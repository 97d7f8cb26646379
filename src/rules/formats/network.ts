import { isHostname, isIpv4, isIpv6, isUri } from "../text-formats.ts";

/** An address of either version. */
export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isPrefix(text: string, bitsMax: number): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bitsMax;
}

/** An IPv4 network in CIDR notation (RFC 4632): an address, `/` and 0 to 32. Bits behind the prefix may be set. */
export function isIpv4Cidr(text: string): boolean {
  const slash = text.indexOf("/");
  return slash > 0 && isIpv4(text.slice(0, slash)) && isPrefix(text.slice(slash + 1), 32);
}

/** An IPv6 network in CIDR notation (RFC 4291 section 2.3): an address, `/` and 0 to 128. */
export function isIpv6Cidr(text: string): boolean {
  const slash = text.indexOf("/");
  return slash > 0 && isIpv6(text.slice(0, slash)) && isPrefix(text.slice(slash + 1), 128);
}

/** A MAC address: six bytes in hexadecimal with `:` or `-` between (EUI-48), or three groups of four digits with points. */
export function isMac(text: string): boolean {
  return /^(?:[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2})$/.test(text);
}

/** An absolute http, https, ws, wss, ftp or ftps address with a host. */
export function isUrl(text: string): boolean {
  const found = /^(?:https?|wss?|ftps?):\/\/([^/?#]*)/i.exec(text);
  if (found === null || !isUri(text)) return false;
  const host = (found[1] as string).replace(/^.*@/, "").replace(/:\d*$/, "");
  return host.startsWith("[") || isHostname(host);
}

/** RFC 3492 section 6.3: the bytes that a label takes as Punycode (behind `xn--`), or -1 where it overflows. */
function punycodeLength(label: string): number {
  const points = Array.from(label, (c) => c.codePointAt(0) as number);
  let n = 128;
  let delta = 0;
  let bias = 72;
  const basic = points.filter((point) => point < 128).length;
  let length = basic + (basic > 0 ? 1 : 0);
  for (let handled = basic; handled < points.length;) {
    const next = Math.min(...points.filter((point) => point >= n));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const point of points) {
      if (point < n) delta++;
      if (point !== n) continue;
      let q = delta;
      for (let k = 36; ; k += 36) {
        const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        length++;
        if (q < t) break;
        q = Math.floor((q - t) / (36 - t));
      }
      bias = adapted(delta, handled + 1, handled === basic);
      delta = 0;
      handled++;
    }
    delta++;
    n++;
    if (length > 63) return -1;
  }
  return length;
}

function adapted(delta: number, points: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? 700 : 2));
  rest += Math.floor(rest / points);
  let k = 0;
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35);
  return k + Math.floor((36 * rest) / (rest + 38));
}

/**
 * A host name whose labels may have letters, marks and digits of any script: those that RFC 5890 calls U-labels, in Unicode's composed form
 * (NFC), without a hyphen at the ends or in the third and fourth place, 63 bytes as Punycode at most. Which scripts go together is not judged.
 */
export function isIdnHostname(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return false;
  return name.split(/[.\u3002\uff0e\uff61]/).every(isIdnLabel);
}

function isIdnLabel(label: string): boolean {
  if (/^[\u0020-\u007e]*$/.test(label)) return isHostname(label);
  if (label.length > 63 || label.normalize("NFC") !== label || label.toLowerCase() !== label) return false;
  if (label.startsWith("-") || label.endsWith("-") || label.slice(2, 4) === "--") return false;
  // Joiners stand inside of some scripts' words; where exactly is not judged.
  const plain = label.replaceAll("\u200c", "").replaceAll("\u200d", "");
  if (!/^[\p{L}\p{M}\p{Nd}\u00b7\u0375\u05f3\u05f4\u30fb-]+$/u.test(plain) || /^\p{M}/u.test(label)) return false;
  const length = punycodeLength(label);
  return length >= 0 && length + 4 <= 63;
}
