import type { ChecksumName } from "../../core/rule.ts";

/** A way to check a number by digits that it carries itself; the text has neither spaces nor hyphens. */
export interface Checksum {
  /** What is expected: `a number whose last digit is right (Luhn)`. */
  readonly words: string;
  readonly isValid: (text: string) => boolean;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return text.length > 0;
}

function digitAt(text: string, i: number): number {
  return text.charCodeAt(i) - 0x30;
}

/** ISO/IEC 7812-1, annex B: from the right every second digit doubled; the digits' sum is a multiple of 10. */
export function isLuhn(text: string): boolean {
  if (!isDigits(text) || text.length < 2) return false;
  let sum = 0;
  for (let i = text.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digitAt(text, i);
    const doubled = double ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** 0 to 9 for digits, 10 to 35 for letters of either case, -1 for others. */
function alphanumericAt(text: string, i: number): number {
  const c = text.charCodeAt(i);
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x7a ? letter - 0x61 + 10 : -1;
}

/** ISO/IEC 7064 MOD 97-10: digits and letters (A is 10, Z is 35) as one decimal number leave 1 when divided by 97. */
export function isMod97(text: string): boolean {
  let rest = 0;
  for (let i = 0; i < text.length; i++) {
    const value = alphanumericAt(text, i);
    if (value < 0) return false;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return text.length > 2 && rest === 1;
}

/** ISO/IEC 7064 MOD 11-2: digits with a last one that may be X (10). */
function isMod11(text: string): boolean {
  if (text.length < 2) return false;
  let rest = 0;
  for (let i = 0; i < text.length; i++) {
    const last = i === text.length - 1;
    const c = text.charCodeAt(i) | 0x20;
    const digit = last && c === 0x78 ? 10 : digitAt(text, i);
    if (digit < 0 || digit > (last ? 10 : 9)) return false;
    rest = last ? (rest + digit) % 11 : ((rest + digit) * 2) % 11;
  }
  return rest === 1;
}

/** ISO/IEC 7064 hybrid systems MOD m, m+1: over digits (m = 10) or digits and letters (m = 36). */
function isHybrid(text: string, m: number): boolean {
  if (text.length < 2) return false;
  let product = m;
  for (let i = 0; i < text.length; i++) {
    const value = alphanumericAt(text, i);
    if (value < 0 || value >= m) return false;
    if (i === text.length - 1) return (product + value) % m === 1;
    const sum = (product + value) % m;
    product = ((sum === 0 ? m : sum) * 2) % (m + 1);
  }
  return false;
}

/** GS1: from the right, without the check digit, weights 3 and 1 in turn; with it the sum is a multiple of 10. */
export function isGs1(text: string): boolean {
  if (!isDigits(text) || text.length < 2) return false;
  let sum = 0;
  for (let i = text.length - 1, weight = 1; i >= 0; i--, weight = 4 - weight) sum += digitAt(text, i) * weight;
  return sum % 10 === 0;
}

/** ISBN-10 (weights 10 to 1, modulo 11, X for 10) or ISBN-13 (GS1, beginning with 978 or 979). */
export function isIsbn(text: string): boolean {
  if (text.length === 13) return (text.startsWith("978") || text.startsWith("979")) && isGs1(text);
  if (text.length !== 10) return false;
  let sum = 0;
  for (let i = 0; i < 10; i++) {
    const digit = i === 9 && (text.charCodeAt(i) | 0x20) === 0x78 ? 10 : digitAt(text, i);
    if (digit < 0 || digit > (i === 9 ? 10 : 9)) return false;
    sum += digit * (10 - i);
  }
  return sum % 11 === 0;
}

/** Multiplication in the dihedral group D5, as Verhoeff (1969) numbers its elements. */
function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5);
  return b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5;
}

const permuted = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

function isVerhoeff(text: string): boolean {
  if (!isDigits(text) || text.length < 2) return false;
  let check = 0;
  for (let i = text.length - 1, turns = 0; i >= 0; i--, turns = (turns + 1) % 8) {
    let digit = digitAt(text, i);
    for (let turn = 0; turn < turns; turn++) digit = permuted[digit] as number;
    check = dihedral(check, digit);
  }
  return check === 0;
}

/** The totally anti-symmetric quasigroup of order 10 in Damm (2004). */
const damm = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
];

function isDamm(text: string): boolean {
  if (!isDigits(text) || text.length < 2) return false;
  let interim = 0;
  for (let i = 0; i < text.length; i++) interim = digitAt(damm[interim] as string, digitAt(text, i));
  return interim === 0;
}

/** The checksums that contracts may name. */
export const checksums: Readonly<Record<ChecksumName, Checksum>> = {
  luhn: { words: "digits with a right check digit (Luhn)", isValid: isLuhn },
  mod97: { words: "letters and digits with right check digits (ISO 7064 MOD 97-10)", isValid: isMod97 },
  mod11: { words: "digits with a right check digit (ISO 7064 MOD 11-2)", isValid: isMod11 },
  "mod11-10": { words: "digits with a right check digit (ISO 7064 MOD 11,10)", isValid: (text) => isHybrid(text, 10) },
  "mod37-36": { words: "letters and digits with a right check character (ISO 7064 MOD 37,36)", isValid: (text) => isHybrid(text, 36) },
  ean: { words: "digits with a right check digit (GS1)", isValid: isGs1 },
  isbn: { words: "an ISBN with a right check digit", isValid: isIsbn },
  verhoeff: { words: "digits with a right check digit (Verhoeff)", isValid: isVerhoeff },
  damm: { words: "digits with a right check digit (Damm)", isValid: isDamm },
};
