/** Why a record's bytes gave no row: stable codes, each with what it says to people. */
export const decodeFaults = {
  "record.tombstone": "the record has no value (a tombstone), and the contract's policy sets those aside",
  "record.oversized": "the value is larger than the contract's limit, so it was not decoded",
  "json.empty": "the value is empty (0 bytes)",
  "json.bom": "the value begins with a byte order mark, which JSON text must not have",
  "json.not-object": "the value is JSON, but not an object",
  "json.truncated": "the value ends in the middle of the JSON text",
  "json.trailing": "there are bytes after the end of the JSON text",
  "json.syntax": "the value is no JSON",
  "json.not-a-number": "NaN and Infinity are no JSON",
  "json.utf8": "the bytes are no UTF-8",
  "json.control-character": "a control character stands unescaped in a string",
  "json.escape": "a backslash is not followed by an escape that JSON knows",
  "json.lone-surrogate": "an escape names half a surrogate pair, which is no character",
  "json.depth": "the JSON text is nested deeper than 100 levels",
  "json.duplicate-key": "an object has the same key twice, and keeping one would lose the other",
  "json.unknown-field": "the record has a field that the contract doesn't name, and its policy rejects those",
  "json.too-many-elements": "a list has so many nearly empty elements that its columns would take far more memory than the record",
} as const satisfies Record<string, string>;

export type DecodeFaultCode = keyof typeof decodeFaults;
