import { ibanStructures } from "./code-tables.ts";
import { isGs1, isIsbn, isLuhn, isMod97 } from "./checksums.ts";

/** Without the spaces and hyphens that people group digits with. */
function ungrouped(text: string): string {
  return text.replace(/[ -]/g, "");
}

/** A payment card number: 12 to 19 digits (ISO/IEC 7812-1), the last of them by Luhn; 13 to 19 unless it begins with 5 or 6 (Maestro). */
export function isCardNumber(text: string): boolean {
  const digits = ungrouped(text);
  if (digits.length < 12 || digits.length > 19 || digits.startsWith("0")) return false;
  if (digits.length === 12 && !/^[56]/.test(digits)) return false;
  return isLuhn(digits);
}

const runs = new Map(
  [...ibanStructures].map((each) => {
    const parts = [...each.slice(2).matchAll(/(\d+)([nac])/g)].map(([, count, kind]) => ({ count: Number(count), kind: kind as string }));
    return [each.slice(0, 2), parts] as const;
  }),
);

function isOfKind(c: number, kind: string): boolean {
  const digit = c >= 0x30 && c <= 0x39;
  const letter = c >= 0x41 && c <= 0x5a;
  return kind === "n" ? digit : kind === "a" ? letter : digit || letter;
}

/** An IBAN (ISO 13616): a country of the registry, its length and structure, and check digits modulo 97; capital letters, spaces every four are passed over. */
export function isIban(text: string): boolean {
  const plain = text.replaceAll(" ", "");
  const parts = runs.get(plain.slice(0, 2));
  if (parts === undefined || !/^\d\d/.test(plain.slice(2, 4))) return false;
  let at = 4;
  for (const { count, kind } of parts) {
    for (let i = 0; i < count; i++, at++) if (!isOfKind(plain.charCodeAt(at), kind)) return false;
  }
  return at === plain.length && isMod97(plain.slice(4) + plain.slice(0, 4));
}

/** A legal entity identifier (ISO 17442): 18 capital letters or digits and two check digits. */
export function isLei(text: string): boolean {
  return /^[0-9A-Z]{18}[0-9]{2}$/.test(text) && isMod97(text);
}

/** A security number (ISO 6166): two letters, nine letters or digits, a check digit by Luhn over the digits that letters stand for. */
export function isIsin(text: string): boolean {
  if (!/^[A-Z]{2}[0-9A-Z]{9}[0-9]$/.test(text)) return false;
  return isLuhn(Array.from(text, (c) => Number.parseInt(c, 36)).join(""));
}

/** A GTIN of GS1: 8, 12, 13 or 14 digits with a check digit (EAN-8, UPC-A, EAN-13, ITF-14). */
export function isEan(text: string): boolean {
  return [8, 12, 13, 14].includes(text.length) && isGs1(text);
}

/** An ISBN of 10 or 13 characters, hyphens and spaces passed over. */
export function isIsbnText(text: string): boolean {
  return isIsbn(ungrouped(text));
}

/** An ISSN (ISO 3297): seven digits and a check digit modulo 11, X for 10; a hyphen in the middle may stand. */
export function isIssn(text: string): boolean {
  const plain = text.replace(/^(\d{4})-/, "$1");
  if (!/^\d{7}[0-9Xx]$/.test(plain)) return false;
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += (i === 7 && /[Xx]/.test(plain[7] as string) ? 10 : Number(plain[i])) * (8 - i);
  return sum % 11 === 0;
}
