const types: Readonly<Record<string, string>> = { null_type: "null", string: "text" };

/** `_+_` as people write it: `+`. */
const operator = (name: string): string => name.replaceAll("_", "") || name;

const wordings: readonly (readonly [pattern: RegExp, words: (found: readonly string[]) => string])[] = [
  [
    /^found no matching overload for '([^']+)' applied to '(.*)'$/s,
    ([, name = "", given = ""]) =>
      given.includes("null_type")
        ? `${operator(name)} takes no null`
        : `${operator(name)} does not take ${given.replace(/^\((.*)\)$/s, "$1")}`,
  ],
  [/^type mismatch: iterable vs (\w+)$/, ([, type = ""]) => `${types[type] ?? type} has no items`],
  [/^int (?:divide|modulus) by zero$/, () => "division by zero"],
  [/^(u?int) overflow during (_\S+_)$/, ([, type = "", name = ""]) => `${operator(name)} leaves ${type}'s 64 bits`],
  [/^(u?int) overflow during /, ([, type = ""]) => `a number leaves ${type}'s 64 bits`],
  [/^index (\S+) out of bounds/, ([, index = ""]) => `there is no item ${index} in the list (the first is 0)`],
  [/^(?:field not found|no such key): (.*)$/s, ([, name = ""]) => `there is no ${name}`],
  [/^Cannot convert (.*) to a BigInt$/s, ([, text = ""]) => `"${text}" is no whole number`],
  [/^Failed to parse (timestamp|duration)/, ([, type = ""]) => `the text is no ${type}`],
];

/** Why an expression has no value on a row, in a producer's words: the messages of the library that evaluates it are those of its own functions and types. */
export function celErrorWords(message: string): string {
  for (const [pattern, words] of wordings) {
    const found = pattern.exec(message);
    if (found !== null) return words(found);
  }
  return message;
}
