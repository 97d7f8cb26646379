import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** A certificate and its private key, both PEM (the key PKCS#8). */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;

/** A fresh certificate authority on P-256, valid for a year: for brokers of tests only. */
export function makeAuthority(commonName: string): Certificate & { readonly commonName: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = [extension("2.5.29.19", sequence(boolean(true)), true), extension("2.5.29.15", bits(0b00000110), true)];
  return { commonName, ...build({ issuer: commonName, subject: commonName, publicKey, signer: privateKey, extensions }, privateKey) };
}

/** A certificate of the authority for the given names, for servers and clients alike. */
export function issueCertificate(
  authority: Certificate & { readonly commonName: string },
  subject: { readonly commonName: string; readonly dnsNames: readonly string[]; readonly addresses: readonly string[] },
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = [
    ...subject.dnsNames.map((name) => tagged(0x82, Buffer.from(name, "latin1"))),
    ...subject.addresses.map((address) => tagged(0x87, Buffer.from(address.split(".").map(Number)))),
  ];
  const extensions = [
    extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2")), false),
    ...(names.length > 0 ? [extension("2.5.29.17", sequence(...names), false)] : []),
  ];
  const signer = createPrivateKey(authority.key);
  return build({ issuer: authority.commonName, subject: subject.commonName, publicKey, signer, extensions }, privateKey);
}

interface Request {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** X.509 version 3 (RFC 5280, section 4.1) in DER, signed by ECDSA with SHA-256. */
function build(request: Request, ownKey: KeyObject): Certificate {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const serial = randomBytes(16);
  // Positive, and its first byte not zero, as DER's shortest form asks.
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name(request.issuer),
    sequence(time(now - day), time(now + 365 * day)),
    name(request.subject),
    request.publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...request.extensions)),
  );
  const signature = sign("sha256", body, request.signer);
  const certificate = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return { cert: pem("CERTIFICATE", certificate), key: ownKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function tagged(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
/** A bit string of one byte whose lowest bit is unused. */
const bits = (value: number): Buffer => tagged(0x03, Buffer.from([1, value]));
const time = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tagged(0x17, Buffer.from(digits.slice(2), "latin1"));
};
const name = (commonName: string): Buffer => sequence(tagged(0x31, sequence(oid("2.5.4.3"), tagged(0x0c, Buffer.from(commonName)))));

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(Number) as [number, number, ...number[]];
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}
