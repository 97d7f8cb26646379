import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../src/core/errors.ts";
import { decodeProfile, encodeProfile, profileBatch } from "../../src/sketches/index.ts";
import { batchOf, columnOf, contractOf, fieldOf, seededRandom } from "./columns.ts";

function sample(): Uint8Array {
  const random = seededRandom(5);
  const fields = [fieldOf("id", { kind: "long" }), fieldOf("name", { kind: "string" }), fieldOf("x", { kind: "double" })];
  const columns = fields.map((field) =>
    columnOf(
      field,
      Array.from({ length: 900 }, (_, i) => (field.path === "id" ? i : field.path === "name" ? `n${i % 9}` : random())),
    ),
  );
  return encodeProfile(profileBatch(contractOf(fields), batchOf(columns), null));
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return "none";
}

/** The same bytes with a checksum that fits. */
function resealed(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(0, -8);
  return Buffer.concat([body, createHash("sha256").update(body).digest().subarray(0, 8)]);
}

describe("the byte format of profiles", () => {
  test("bytes that were just made are decoded without their checksum, to the same profile", () => {
    const bytes = sample();
    expect(decodeProfile(bytes, true)).toEqual(decodeProfile(bytes));
    expect(encodeProfile(decodeProfile(bytes, true))).toEqual(bytes);
    const unsealed = bytes.slice();
    unsealed[bytes.length - 1]! ^= 1;
    expect(codeOf(() => decodeProfile(unsealed, true))).toBe("none");
    expect(codeOf(() => decodeProfile(unsealed))).toBe("PROFILE_CORRUPT");
  });

  test("every cut and every damaged byte is refused", () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length += 1 + Math.floor(length / 40)) {
      expect(codeOf(() => decodeProfile(bytes.subarray(0, length)))).toBe("PROFILE_CORRUPT");
    }
    for (let at = 0; at < bytes.length; at += 61) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at % 8);
      expect(codeOf(() => decodeProfile(damaged))).toBe("PROFILE_CORRUPT");
    }
  });

  test("bytes with a right checksum and a wrong structure never do anything but decode or be refused", () => {
    const bytes = sample();
    const random = seededRandom(6);
    const codes = new Set<string>();
    for (let round = 0; round < 3000; round++) {
      const damaged = bytes.slice();
      const at = 5 + Math.floor(random() * (round % 2 === 0 ? 60 : bytes.length - 13));
      damaged[at] = Math.floor(random() * 256);
      codes.add(codeOf(() => decodeProfile(resealed(damaged))));
    }
    expect([...codes].toSorted()).toEqual(["PROFILE_CORRUPT", "none"]);
    expect(codeOf(() => decodeProfile(resealed(Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(9)]))))).toBe("PROFILE_CORRUPT");
  });

  test("another version is refused", () => {
    const bytes = sample();
    bytes[4] = 1;
    expect(codeOf(() => decodeProfile(resealed(bytes)))).toBe("PROFILE_CORRUPT");
  });

  test("a profile of 900 rows and 3 columns is small", () => {
    expect(sample().length).toBeLessThan(16_000);
  });
});
