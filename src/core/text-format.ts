/** What a format's name stands for: in a sentence (`expected ...`), and for the reference. */
export interface TextFormat {
  readonly name: string;
  /** `an e-mail address` */
  readonly words: string;
  readonly doc: string;
}

const format = (name: string, words: string, doc: string): TextFormat => ({ name, words, doc });

/** The formats of text that rules can ask for. */
export const textFormats: readonly TextFormat[] = [
  format("email", "an e-mail address", "RFC 5321 section 4.1.2: a mailbox in ASCII, local part of at most 64 octets."),
  format("uuid", "a UUID", "RFC 9562: 8-4-4-4-12 hexadecimal digits, any version."),
  ...[1, 3, 4, 5, 6, 7, 8].map((version) =>
    format(`uuid-v${version}`, `a UUID of version ${version}`, `RFC 9562, version ${version} and its variant.`),
  ),
  format("ulid", "a ULID", "26 characters of Crockford's base32, at most 128 bits."),
  format("uri", "an absolute URI", "RFC 3986, with a scheme."),
  format("url", "a web address", "An absolute http, https, ws, wss, ftp or ftps URI with a host."),
  format("hostname", "a host name", "RFC 1123 section 2.1."),
  format("idn-hostname", "an international host name", "RFC 5890: labels of any script, 63 bytes as Punycode at most."),
  format("ipv4", "an IPv4 address", "Four numbers of 0 to 255 without leading zeros."),
  format("ipv6", "an IPv6 address", "RFC 4291 section 2.2, without a zone."),
  format("ip", "an IP address", "IPv4 or IPv6."),
  format("cidr", "a network in CIDR notation", "IPv4 or IPv6 with a prefix length."),
  format("ipv4-cidr", "an IPv4 network in CIDR notation", "RFC 4632: `10.0.0.0/8`."),
  format("ipv6-cidr", "an IPv6 network in CIDR notation", "RFC 4291 section 2.3: `2001:db8::/32`."),
  format("mac", "a MAC address", "Six bytes in hexadecimal with `:` or `-` between, or three groups of four digits with points."),
  format("date", "a date such as 2026-01-31", "RFC 3339 `full-date`: a day that there is."),
  format("time", "a time with an offset such as 13:45:00Z", "RFC 3339 `full-time`."),
  format("date-time", "a date and time such as 2026-01-31T13:45:00Z", "RFC 3339 `date-time`."),
  format("duration", "a duration such as P1DT12H", "RFC 3339, appendix A; the last number of the time may have a fraction."),
  format("country-alpha-2", "a country code of two letters (ISO 3166-1)", "ISO 3166-1 alpha-2, capital letters."),
  format("country-alpha-3", "a country code of three letters (ISO 3166-1)", "ISO 3166-1 alpha-3, capital letters."),
  format("country-numeric", "a country code of three digits (ISO 3166-1)", "ISO 3166-1 numeric."),
  format("currency", "a currency code (ISO 4217)", "ISO 4217, capital letters; codes in use."),
  format("language-alpha-2", "a language code of two letters (ISO 639-1)", "ISO 639-1, small letters."),
  format("language-alpha-3", "a language code of three letters (ISO 639-3)", "ISO 639-3, small letters."),
  format("language-tag", "a language tag such as en-GB", "BCP 47 (RFC 5646): well-formed; whether its parts are registered is not judged."),
  format("phone", "a phone number such as +4930123456", "ITU E.164: `+`, then 7 to 15 digits, the first not 0."),
  format("card", "a payment card number", "ISO/IEC 7812: 12 to 19 digits, the last by Luhn; spaces and hyphens may stand between."),
  format(
    "iban",
    "an IBAN",
    "ISO 13616: the registry's length and structure for its country, check digits modulo 97; spaces may stand between.",
  ),
  format("bic", "a BIC", "ISO 9362: 8 or 11 capital letters and digits, with a country."),
  format("lei", "a legal entity identifier", "ISO 17442: 20 characters, check digits modulo 97."),
  format("isin", "an ISIN", "ISO 6166: 12 characters, the last a check digit."),
  format("ean", "a GTIN (EAN, UPC)", "GS1: 8, 12, 13 or 14 digits, the last a check digit."),
  format("isbn", "an ISBN", "10 or 13 characters with a check digit; hyphens and spaces may stand between."),
  format("issn", "an ISSN", "ISO 3297: seven digits and a check digit; a hyphen may stand in the middle."),
  format("semver", "a semantic version such as 1.2.3", "Semantic Versioning 2.0.0."),
  format("hex-color", "a colour such as #1a2b3c", "`#` and 3, 4, 6 or 8 hexadecimal digits."),
  format("base64", "base64 text", "RFC 4648 section 4, padded."),
  format("base64url", "base64url text", "RFC 4648 section 5, padded or not."),
  format("json", "JSON text", "RFC 8259."),
  format("latitude", "a latitude from -90 to 90", "Decimal degrees; of a number column, a range."),
  format("longitude", "a longitude from -180 to 180", "Decimal degrees; of a number column, a range."),
];

/** Those that JSON Schema names, and ODCS's of text: others say nothing in a JSON Schema. */
export const jsonSchemaFormats: readonly string[] = [
  "email",
  "uuid",
  "uri",
  "hostname",
  "idn-hostname",
  "ipv4",
  "ipv6",
  "date",
  "time",
  "date-time",
  "duration",
  "byte",
  "binary",
  "password",
];
