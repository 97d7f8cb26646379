import { describe, expect, it } from "vitest";
import type { VersionSpace } from "../../src/core/version-name.ts";
import { resolveVersion } from "../../src/core/version-name.ts";

const space: VersionSpace = {
  dataset: "orders",
  snapshots: ["11", "12", "13", "14"].map((snapshotId, i) => ({ snapshotId, parentId: i === 0 ? "10" : String(10 + i), committedAtMs: i })),
  refs: new Map([
    ["main", "14"],
    ["v1", "12"],
    ["13", "11"],
  ]),
  // Main went to 13, back to 12, and on to 14.
  log: [
    { snapshotId: "10", atMs: 500 },
    { snapshotId: "13", atMs: 1000 },
    { snapshotId: "12", atMs: 2000 },
    { snapshotId: "14", atMs: 3000 },
  ],
};
const at = (name: string, nowMs = 100_000): string => resolveVersion(space, name, nowMs).snapshotId;

describe("a version's name", () => {
  it("is a ref before it is anything else, then a snapshot, then a time", () => {
    expect([at("main"), at("v1"), at("13"), at("14")]).toEqual(["14", "12", "11", "14"]);
    expect(resolveVersion(space, "main~1", 0)).toEqual({ name: "main~1", snapshotId: "13", by: "ref", ref: "main" });
    expect(resolveVersion(space, "14~3", 0)).toEqual({ name: "14~3", snapshotId: "11", by: "snapshot", ref: null });
  });

  it("is a time: what main was then, a rollback included", () => {
    expect(at("1970-01-01T00:00:01.000Z")).toBe("13");
    expect(at("1970-01-01T00:00:01.999Z")).toBe("13");
    expect(at("1970-01-01T00:00:02.5Z")).toBe("12");
    expect(at("1970-01-02")).toBe("14");
    expect(at("98s")).toBe("12");
    expect(resolveVersion(space, "98s", 100_000).by).toBe("time");
  });

  it.each([
    "nothing",
    "main~4",
    "v1~2",
    "main~",
    "main~~1",
    "~1",
    "",
    "1970-01-01T00:00:00.100Z",
    "1970-01-01T00:00:00.700Z",
    "2026-13-45",
    "99",
    "1h~1",
  ])("unknown: %s", (name) => {
    expect(() => at(name)).toThrow(expect.objectContaining({ code: "VERSION_UNKNOWN" }));
  });
});
