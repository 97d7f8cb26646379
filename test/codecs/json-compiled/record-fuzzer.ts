import type { Field, FieldType } from "../../../src/core/schema.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** How a producer prints: around commas, colons and brackets. */
interface Style {
  readonly comma: string;
  readonly colon: string;
  readonly open: string;
  readonly close: string;
}

export const styles: readonly Style[] = [
  { comma: ",", colon: ":", open: "", close: "" },
  { comma: ", ", colon: ": ", open: "", close: "" },
  { comma: ",\n  ", colon: ": ", open: "\n  ", close: "\n" },
];

/** Texts of JSON values that are awkward in some way, right and wrong ones. */
export const oddNumbers: readonly string[] = [
  ..."0 -0 1 -1 0.0 -0.0 1.0 -1.50 1e3 1E+3 12.5e1 1e-1 0e999 1e999 -1e999 1e-999 5e-324 2e-324 2.2250738585072014e-308".split(" "),
  ..."2147483647 2147483648 -2147483648 -2147483649 9007199254740993 9223372036854775807 9223372036854775808".split(" "),
  ..."-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 12345678901234567890".split(" "),
  ..."99999999999999999999999999999999999999 100000000000000000000000000000000000000 0.1 0.3 1e22 1e23 123456789012345678".split(" "),
  ..."9007199254740992.5 9007199254740993.0000000000001 16777217.0000000001 16777219 3.4028235e38 3.5e38 1e-46 1.17549435e-38".split(" "),
  ..."1.7976931348623157e308 1.7976931348623159e308 0.000001 123456.789 99999999 12345678.12345678 1.155 1.150 -1.10 1e2 1000000000".split(
    " ",
  ),
  ..."4503599627370496.5 9223372036854775807.0 922337203685477580.7e1 1.0000000000000000000000001 0.00 00 01 -01 1. .5 +1 1e 1e+ - 1e5: 1.5: -:1 2e308 -5e308 99999999999999999999e290".split(
    " ",
  ),
];
export const oddTexts: readonly string[] = [
  '"\\u00e9\\/\\b"',
  '"\\ud83d\\ude00"',
  '"é"',
  '"😀 ünïcödé text that is longer than sixteen"',
  '"\\u0000\\n\\"\\\\"',
  '"\\ud800"',
  '"\\udc00x"',
  '"\\u12g4"',
  '"\\x"',
  '"tab\there"',
  '"sixteen bytes ok"',
  '"sixteen bytes okk"',
  '"fifteen bytes a"',
  '"aGVsbG8="',
  '"aGVsbA=="',
  '"aGVs"',
  '"aGVsbG9="',
  '"\\u0061GVs"',
  '"===="',
  '"////"',
  '"+/+/"',
  '"\\udc00\\udc00"',
  '"AAECAwQFBgcICQoLDA0ODw=="',
  '"a\\"b"',
  '"\\u0800\\u07ff\\uFFFF"',
  '"ключ и значение, длиннее шестнадцати"',
  '"漢字"',
];
export const oddMoments: readonly string[] = [
  ..."2024-02-29 1900-02-29 2000-02-29 0001-01-01 0000-01-01 9999-12-31 2023-13-01 2023-1-1 20230101 2023-04-31 2023-12-31".split(" "),
  ..."00:00 23:59:59.999999 24:00:00 23:59:60 12:34:56.1234567 12:34:56.123456000 12:34:56Z 1:34 12:34: 12:34:5 12:60 12:34:56.5: 12:34:5:".split(
    " ",
  ),
  ..."2013-01-01T05:00:00Z 2013-01-01T05:00:00.123Z 2013-01-01T05:00:00.1234567Z 2013-01-01T05:00:00+05:30 2013-01-01T05:00:00-0800".split(
    " ",
  ),
  ..."2013-01-01T05:00:00+14 2013-01-01T05:00z 2013-01-01T05:00:00 2013-01-01T24:00:00Z 2013-01-01T05:00:00+19:00 2013-01-01T05Z".split(
    " ",
  ),
  ..."2013-01-01T05:00:00.123456789012Z 2013-01-01T05:00:00.1234567890123Z 2013-01-01t05:00:00.000001z 0001-01-01T00:00:00+18:00".split(
    " ",
  ),
  "2013-01-01 05:00:00Z",
  "9999-12-31T23:59:59.999999Z",
  "29.02.2024",
  "30.02.2024",
  ..."2013-01-01T05:00:00.123456789Z 2013-01-01T05:00:00.12345678+02:00 2013-01-01T05:00:00.1234567890Z 2013-01-01T05:00:00.1234567891Z".split(
    " ",
  ),
  ..."1677-09-21T00:12:43.145224192Z 1677-09-21T00:12:43.145224191Z 2262-04-11T23:47:16.854775807Z 2262-04-11T23:47:16.854775808Z".split(
    " ",
  ),
  ..."1677-09-21T00:12:43Z 1677-09-20T23:47:16.854775807 2262-04-11T23:47:16.854775Z 2262-04-12T01:47:16.854775807+02:00 2262-04-12".split(
    " ",
  ),
  "20130101050000+01",
  "20130101050000.000000001Z",
  "22620411234716.854775808Z",
  "\\u0032024-02-29",
  "",
];
/** Texts that are nearly a UUID, and one that is, by escapes. */
export const oddUuids: readonly string[] = [
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6",
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf",
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf66",
  "f81d4fae-7dec-41d0-a765-00a0c91e6bfg",
  "g81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "f81d4fae7dec41d0a76500a0c91e6bf6",
  "f81d4fae_7dec-41d0-a765-00a0c91e6bf6",
  "f81d4fae-7dec-41d0-a765_00a0c91e6bf6",
  "{f81d4fae-7dec-41d0-a765-00a0c91e6bf6}",
  "f81d4fae-7dec-41d0-a765-00a0c91e6b\u0066\u0036",
  "\u00668-d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "f81d4fae-7dec-41d0-a765-00a0c91e6bé",
  "/81d4fae-7dec-41d0-a765-00a0c91e6b:@",
  "`81d4fae-7dec-41d0-a765-00a0c91e6bG6",
].map((text) => `"${text}"`);
export const otherValues: readonly string[] = [
  "true",
  "false",
  "null",
  '"x"',
  "7",
  "-1.5",
  "{}",
  "[]",
  '{"a":[1,{"b":null}]}',
  "[1,[2,[]],{}]",
  "nul",
  "tru",
  "NaN",
  "-Infinity",
  "undefined",
  "urue",
  "oull",
  "galse",
];

/** Bytes that mean something somewhere in JSON. */
const tellingBytes: readonly number[] = [...Buffer.from('0123456789abcdefgijlmosx  .,-+eE"\\{}[]:tfnuZT\n')];

function pad(value: number, size: number): string {
  return String(value).padStart(size, "0");
}

/** Makes records of a contract's fields as producers might write them, and worse. */
export class RecordFuzzer {
  readonly #random: SeededRandom;
  readonly #fields: readonly Field[];
  /** Share of values that are awkward. */
  readonly #odd: number;

  constructor(fields: readonly Field[], random: SeededRandom, odd = 0.04) {
    this.#fields = fields;
    this.#random = random;
    this.#odd = odd;
  }

  /** A record; one in some has another order, spacing, missing, unknown or doubled fields. */
  record(style: Style = this.#style()): string {
    return this.#random.chance(0.01)
      ? this.#random.of(otherValues)
      : this.#object(this.#fields, style, 0) + (this.#random.chance(0.02) ? "\n" : "");
  }

  /** A record's bytes with some damage. */
  mutant(): Uint8Array {
    return this.damaged(Buffer.from(this.record()));
  }

  /** Bytes of which a few were changed, put in, taken out, repeated or cut off. */
  damaged(whole: Uint8Array): Uint8Array {
    const random = this.#random;
    let bytes = whole;
    for (let left = 1 + random.below(2); left > 0 && bytes.length > 0; left--) {
      const at = random.below(bytes.length);
      const byte = random.chance(0.7) ? random.of(tellingBytes) : random.below(256);
      const kind = random.below(12);
      if (kind < 4) {
        const copy = Uint8Array.from(bytes);
        copy[at] = byte;
        bytes = copy;
      } else if (kind < 7) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)]);
      else if (kind < 9) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))]);
      else if (kind < 10) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))]);
      else bytes = bytes.subarray(0, at);
    }
    return bytes;
  }

  #style(): Style {
    return this.#random.chance(0.9) ? (styles[0] as Style) : this.#random.of(styles);
  }

  #object(fields: readonly Field[], style: Style, depth: number): string {
    const random = this.#random;
    const shuffled = random.chance(0.1);
    const parts: string[] = [];
    for (const field of shuffled ? random.shuffled(fields) : fields) {
      if (random.chance(0.06)) continue;
      parts.push(this.#key(field.sourceName) + style.colon + this.#value(field.type, field, style, depth));
      if (random.chance(0.003)) parts.push(this.#key(field.sourceName) + style.colon + this.#value(field.type, field, style, depth));
    }
    if (random.chance(0.05))
      parts.splice(random.below(parts.length + 1), 0, `"extra${random.below(3)}"${style.colon}${random.of(otherValues)}`);
    if (random.chance(0.004)) parts.push(`"extra0"${style.colon}1`);
    return parts.length === 0 ? "{}" : `{${style.open}${parts.join(style.comma)}${style.close}}`;
  }

  #key(name: string): string {
    const text = JSON.stringify(name);
    if (!this.#random.chance(0.004) || name === "") return text;
    const [first, ...rest] = Array.from(name);
    return `"\\u${(first as string).charCodeAt(0).toString(16).padStart(4, "0")}${JSON.stringify(rest.join("")).slice(1)}`;
  }

  #value(type: FieldType, field: Field, style: Style, depth: number): string {
    const random = this.#random;
    if (random.chance(this.#odd / 2)) return random.of(otherValues);
    if (random.chance(0.05)) return "null";
    switch (type.kind) {
      case "boolean":
        return random.chance(0.5) ? "true" : "false";
      case "int":
      case "long":
      case "float":
      case "double":
      case "decimal":
        return this.#number(type);
      case "string":
        return this.#text();
      case "binary":
        return random.chance(this.#odd) ? random.of(oddTexts) : JSON.stringify(Buffer.from(this.#plain()).toString("base64"));
      case "uuid":
        return random.chance(this.#odd) ? random.of(oddUuids) : this.#uuid();
      case "date":
      case "time":
      case "timestamp":
        return random.chance(this.#odd) || field.format !== null ? `"${random.of(oddMoments)}"` : this.#moment(type);
      case "json":
        return random.of([...otherValues.slice(0, 10), this.#text(), "12.50"]);
      case "struct":
        return this.#object(type.fields, style, depth + 1);
      case "list":
        return `[${Array.from({ length: random.below(4) }, () => this.#value(type.element.type, type.element, style, depth + 1)).join(style.comma)}]`;
      case "map":
        return `{${Array.from({ length: random.below(4) }, (_, i) => {
          const key = random.chance(0.05) ? this.#text() : `"k${random.chance(0.01) ? 0 : i}"`;
          return key + style.colon + this.#value(type.value.type, type.value, style, depth + 1);
        }).join(style.comma)}}`;
    }
  }

  #uuid(): string {
    const digits = Array.from({ length: 32 }, () => this.#random.of(Array.from("0123456789abcdef"))).join("");
    const text = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    return JSON.stringify(this.#random.chance(0.3) ? text.toUpperCase() : text);
  }

  #plain(): string {
    return "The quick brown fox jumps over the lazy dog".slice(0, this.#random.below(40));
  }

  #text(): string {
    const random = this.#random;
    return random.chance(this.#odd) ? random.of(oddTexts) : JSON.stringify(this.#plain());
  }

  #number(type: FieldType): string {
    const random = this.#random;
    if (random.chance(this.#odd)) return random.of(oddNumbers);
    const sign = random.chance(0.2) ? "-" : "";
    const whole = String(random.below(10 ** (1 + random.below(9))));
    if (type.kind === "int" || type.kind === "long")
      return sign + whole + (random.chance(0.02) ? random.of(["0".repeat(random.below(12)), ".0", "e2"]) : "");
    if (type.kind === "decimal") return `${sign}${whole.slice(0, 7)}${random.chance(0.7) ? `.${pad(random.below(100), 2)}` : ""}`;
    const kind = random.below(8);
    if (kind < 4) return `${sign}${whole.slice(0, 6)}.${random.below(10 ** (1 + random.below(7)))}`;
    if (kind < 5) return sign + whole;
    if (kind < 6) return String((random.below(1e9) / 1e9 + random.below(1000)) * 10 ** (random.below(60) - 30));
    // Any double there is, as its shortest text or with 17 to 19 digits.
    const bits = new Uint32Array([random.below(2 ** 32), random.below(2 ** 32)]);
    const value = new Float64Array(bits.buffer)[0] as number;
    if (!Number.isFinite(value)) return "0.5";
    return kind < 7 ? String(value) : value.toExponential(16 + random.below(3));
  }

  #moment(type: FieldType): string {
    const random = this.#random;
    const date = `${pad(1990 + random.below(60), 4)}-${pad(1 + random.below(12), 2)}-${pad(1 + random.below(28), 2)}`;
    const time = `${pad(random.below(24), 2)}:${pad(random.below(60), 2)}:${pad(random.below(60), 2)}`;
    if (type.kind === "date") return `"${date}"`;
    const digits = type.kind === "timestamp" && type.unit === "nanos" ? 1 + random.below(9) : 3;
    const fraction = random.chance(0.3) ? `.${pad(random.below(10 ** digits), digits)}` : "";
    if (type.kind === "time") return `"${time}${fraction}"`;
    const zone = type.kind === "timestamp" && type.zoned ? random.of(["Z", "Z", "+02:00", "-0500", ""]) : "";
    return `"${date}T${time}${fraction}${zone}"`;
  }
}
