import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textFormats as namedFormats } from "../../src/core/text-format.ts";
import { checksums } from "../../src/rules/formats/checksums.ts";
import { allTextFormats } from "../../src/rules/formats/index.ts";

const accepts = (name: string, text: string): boolean => (allTextFormats.get(name) as (text: string) => boolean)(text);

const known: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  "uuid-v4": [["f47ac10b-58cc-4372-a567-0e02b2c3d479"], ["f47ac10b-58cc-1372-a567-0e02b2c3d479", "f47ac10b-58cc-4372-c567-0e02b2c3d479"]],
  "uuid-v7": [["017f22e2-79b0-7cc3-98c4-dc0c0c07398f"], ["017f22e2-79b0-4cc3-98c4-dc0c0c07398f"]],
  ulid: [["01ARZ3NDEKTSV4RRFFQ69G5FAV"], ["81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU"]],
  url: [
    ["https://example.com/a?b#c", "http://[::1]:80/", "ftp://u@h/x"],
    ["mailto:a@b.c", "http://", "https://exa mple.com", "http:/a", "https://-a.b"],
  ],
  "idn-hostname": [
    ["münchen.de", "例え.jp", "example.com", "ελλάδα.gr"],
    ["-münchen.de", "u\u0308nchen.de", "a b.de", `${"ü".repeat(60)}.de`, "Ünchen.de"],
  ],
  ip: [
    ["1.2.3.4", "::1"],
    ["1.2.3", ":::"],
  ],
  cidr: [
    ["10.0.0.0/8", "2001:db8::/32", "::/0"],
    ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "::/129"],
  ],
  "ipv4-cidr": [["10.0.0.0/8"], ["::/0"]],
  "ipv6-cidr": [["::/0"], ["10.0.0.0/8"]],
  mac: [
    ["00:1A:2b:3c:4d:5e", "00-1A-2b-3c-4d-5e", "001a.2b3c.4d5e"],
    ["00:1A-2b:3c:4d:5e", "001A2b3c4d5e"],
  ],
  date: [
    ["2024-02-29", "2000-02-29"],
    ["2023-02-29", "1900-02-29", "2024-2-9", "2024-13-01", "2024-04-31"],
  ],
  time: [
    ["23:59:60Z", "12:00:00.5+01:00", "00:59:60+01:00"],
    ["24:00:00Z", "12:00:60Z", "12:00:00", "23:59:60+01:00"],
  ],
  "date-time": [
    ["2024-02-29T12:00:00Z", "2024-02-29t12:00:00z"],
    ["2024-02-29", "2024-02-30T12:00:00Z"],
  ],
  duration: [
    ["P1D", "PT36H", "P1DT12H", "P2W", "P3Y6M4DT12H30M5S", "PT0.5S"],
    ["P", "PT", "P1", "1D", "P1S", "P1W2D", "PT0.5M1S", "P1DT"],
  ],
  "country-alpha-2": [
    ["DE", "GB"],
    ["de", "UK", "XX"],
  ],
  "country-alpha-3": [["DEU"], ["DE", "XXX"]],
  "country-numeric": [
    ["276", "008"],
    ["8", "999"],
  ],
  currency: [
    ["EUR", "XAU"],
    ["eur", "XYZ", "DEM"],
  ],
  "language-alpha-2": [["de"], ["DE", "xx"]],
  "language-alpha-3": [
    ["deu", "zza"],
    ["xyz1", "qqq"],
  ],
  "language-tag": [
    ["de", "en-GB", "zh-Hans-CN", "sl-rozaj-biske", "de-CH-1901", "x-whatever", "en-a-bbb-x-a-ccc", "i-klingon", "sr-Latn-RS", "es-419"],
    ["de-419-DE", "a-DE", "ar-a-aaa-b-bbb-a-ccc", "en-", "", "en-gb-", "de-1901-1901", "en_GB"],
  ],
  phone: [["+4930123456"], ["030123", "+0123456", "+12345", "+1234567890123456"]],
  card: [
    ["4111111111111111", "5500 0000 0000 0004", "378282246310005"],
    ["4111111111111112", "0000000000000000", "411111111111111"],
  ],
  iban: [
    ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947"],
    ["GB82WEST12345698765433", "DE8937040044053201300", "XX8237040044053201300", "DE89A70400440532013000", "de89370400440532013000"],
  ],
  bic: [
    ["DEUTDEFF", "DEUTDEFF500"],
    ["DEUTXXFF", "DEUTDEF", "deutdeff"],
  ],
  lei: [["5493001KJTIIGC8Y1R12"], ["5493001KJTIIGC8Y1R13"]],
  isin: [["US0378331005", "AU0000XVGZA3", "GB0002634946"], ["US0378331006"]],
  ean: [
    ["4006381333931", "73513537", "036000291452"],
    ["4006381333932", "123"],
  ],
  isbn: [
    ["0-306-40615-2", "978-0-306-40615-7", "080442957X"],
    ["9780306406158", "0306406153"],
  ],
  issn: [["0378-5955", "2434561X"], ["0378-5954"]],
  semver: [
    ["1.0.0", "1.2.3-alpha.1+b.2", "1.0.0-0a"],
    ["1.0", "01.1.1", "1.0.0-01", "v1.0.0"],
  ],
  "hex-color": [
    ["#fff", "#1a2B3c", "#12345678"],
    ["fff", "#ggg", "#12345"],
  ],
  base64: [
    ["", "YQ==", "YWI="],
    ["YQ", "YQ=", "Y-=="],
  ],
  base64url: [
    ["YQ", "YQ==", "a-_b"],
    ["YQ=", "a+b", "a"],
  ],
  json: [
    ['{"a":[1]}', "null"],
    ["{a:1}", ""],
  ],
  latitude: [
    ["-90", "89.9"],
    ["91", "9e1", "-90.1"],
  ],
  longitude: [["180", "-179.5"], ["181"]],
};

describe.each(Object.entries(known))("%s", (name, [good, bad]) => {
  test("takes what is one, and nothing else", () => {
    expect(good.filter((text) => !accepts(name, text))).toEqual([]);
    expect(bad.filter((text) => accepts(name, text))).toEqual([]);
  });
});

test("every format has words and a check, and the other way round", () => {
  const named = namedFormats.map(({ name }) => name);
  expect(new Set(named).size).toBe(named.length);
  expect([...named, "byte", "binary", "password"].toSorted()).toEqual([...allTextFormats.keys()].toSorted());
  const tested = new Set([
    ...Object.keys(known),
    "email",
    "uuid",
    "uri",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid-v1",
    "uuid-v3",
    "uuid-v5",
    "uuid-v6",
    "uuid-v8",
  ]);
  expect(named.filter((name) => !tested.has(name))).toEqual([]);
});

test("no format takes forever, or throws, on any text", () => {
  const nasty = [
    "a".repeat(50_000),
    "0".repeat(50_000),
    "1.".repeat(20_000),
    "-".repeat(50_000),
    `P${"1D".repeat(10_000)}`,
    "ü".repeat(20_000),
    "x-".repeat(20_000),
  ];
  for (const check of allTextFormats.values()) for (const text of nasty) check(text);
  fc.assert(
    fc.property(fc.constantFrom(...allTextFormats.keys()), fc.string({ unit: "binary" }), (name, text) => {
      expect(typeof accepts(name, text)).toBe("boolean");
    }),
    { numRuns: 2000 },
  );
});

describe("checksums", () => {
  const valid: Readonly<Record<keyof typeof checksums, readonly string[]>> = {
    luhn: ["79927398713", "4111111111111111"],
    mod97: ["79444", "3214282912345698765432161182"],
    mod11: ["07940", "079X"],
    "mod11-10": ["07945"],
    "mod37-36": ["A12425GABC1234002M"],
    ean: ["4006381333931"],
    isbn: ["0306406152", "9780306406157"],
    verhoeff: ["2363", "758722"],
    damm: ["5724"],
  };

  test.each(Object.entries(checksums))("%s: the standards' examples are right", (name, { isValid }) => {
    expect(valid[name as keyof typeof valid].filter((text) => !isValid(text))).toEqual([]);
  });

  test.each(Object.entries(checksums))("%s: one wrong digit is always found", (name, { isValid }) => {
    const [right = ""] = valid[name as keyof typeof valid];
    for (let i = 0; i < right.length; i++) {
      if (!/\d/.test(right[i] as string)) continue;
      for (let digit = 0; digit < 10; digit++) {
        const text = right.slice(0, i) + digit + right.slice(i + 1);
        if (text !== right) expect(isValid(text), text).toBe(false);
      }
    }
  });

  test("Verhoeff's and Damm's find every two neighbours that changed places", () => {
    for (const name of ["verhoeff", "damm"] as const) {
      for (const right of valid[name]) {
        for (let i = 1; i < right.length; i++) {
          const swapped = right.slice(0, i - 1) + right[i] + right[i - 1] + right.slice(i + 1);
          if (swapped !== right) expect(checksums[name].isValid(swapped), swapped).toBe(false);
        }
      }
    }
  });
});
