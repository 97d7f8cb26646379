/** Tags that RFC 5646 section 2.2.8 keeps although its grammar does not make them. */
const irregular = new Set([
  "en-gb-oed",
  "i-ami",
  "i-bnn",
  "i-default",
  "i-enochian",
  "i-hak",
  "i-klingon",
  "i-lux",
  "i-mingo",
  "i-navajo",
  "i-pwn",
  "i-tao",
  "i-tay",
  "i-tsu",
  "sgn-be-fr",
  "sgn-be-nl",
  "sgn-ch-de",
]);

/** Subtags in turn. */
class Subtags {
  readonly #parts: readonly string[];
  #at = 0;

  constructor(parts: readonly string[]) {
    this.#parts = parts;
  }

  /** The next one if it is of a form. */
  take(form: RegExp): string | null {
    const part = this.#parts[this.#at];
    if (part === undefined || !form.test(part)) return null;
    this.#at++;
    return part;
  }

  get done(): boolean {
    return this.#at === this.#parts.length;
  }
}

/** A well-formed language tag of RFC 5646 (BCP 47) section 2.2.9: whether its subtags are registered is not judged. */
export function isLanguageTag(text: string): boolean {
  const lower = text.toLowerCase();
  if (irregular.has(lower)) return true;
  if (lower.length > 255) return false;
  const subtags = new Subtags(lower.split("-"));
  if (subtags.take(/^x$/) !== null) return takesPrivate(subtags);
  if (subtags.take(/^[a-z]{2,3}$/) !== null) for (let i = 0; i < 3 && subtags.take(/^[a-z]{3}$/) !== null; i++);
  else if (subtags.take(/^[a-z]{4,8}$/) === null) return false;
  subtags.take(/^[a-z]{4}$/);
  subtags.take(/^(?:[a-z]{2}|\d{3})$/);
  return takesVariants(subtags) && takesExtensions(subtags) && (subtags.done || (subtags.take(/^x$/) !== null && takesPrivate(subtags)));
}

function takesPrivate(subtags: Subtags): boolean {
  let count = 0;
  while (subtags.take(/^[a-z0-9]{1,8}$/) !== null) count++;
  return count > 0 && subtags.done;
}

/** Each once. */
function takesVariants(subtags: Subtags): boolean {
  const seen = new Set<string>();
  for (;;) {
    const variant = subtags.take(/^(?:[a-z0-9]{5,8}|\d[a-z0-9]{3})$/);
    if (variant === null) return true;
    if (seen.has(variant)) return false;
    seen.add(variant);
  }
}

/** Each letter once, with something behind it. */
function takesExtensions(subtags: Subtags): boolean {
  const seen = new Set<string>();
  for (;;) {
    const singleton = subtags.take(/^[0-9a-wy-z]$/);
    if (singleton === null) return true;
    if (seen.has(singleton) || subtags.take(/^[a-z0-9]{2,8}$/) === null) return false;
    seen.add(singleton);
    while (subtags.take(/^[a-z0-9]{2,8}$/) !== null);
  }
}
