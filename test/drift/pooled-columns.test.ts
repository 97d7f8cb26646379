import { describe, expect, test } from "vitest";
import { allFields } from "../../src/core/all-fields.ts";
import type { ColumnProfile, Profile } from "../../src/core/profile.ts";
import type { Field } from "../../src/core/schema.ts";
import { checkedColumns, summarizeColumns } from "../../src/drift/checked-columns.ts";
import { driftTests } from "../../src/drift/drift-tests.ts";
import type { CommittedDrift, DriftState } from "../../src/drift/index.ts";
import { emptyDriftState, foldDrift, judgeDrift, pinBaseline } from "../../src/drift/index.ts";
import { PooledColumn } from "../../src/drift/pooled-column.ts";
import { decodeProfile, encodeProfile, mergeProfiles, profileBatch } from "../../src/sketches/index.ts";
import { mergeColumns } from "../../src/sketches/merge-profiles.ts";
import { distributionOf, isExact, shareBelow } from "../../src/sketches/quantiles.ts";
import type { TestValue } from "../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "../sketches/columns.ts";
import { check, fields, planOf, profileOf } from "./windows.ts";

const random = seededRandom(8);

/** A window's profile as a ledger reads it: carriers of so many names, and delays. */
function windowProfile(rows: number, names: number, shift = 0): Profile {
  return decodeProfile(
    encodeProfile(
      profileOf(
        Array.from({ length: rows }, () => `c${Math.floor(names * random() ** 3)}`),
        Array.from({ length: rows }, () => (random() < 0.02 ? null : 10 * (normal(random) + shift))),
      ),
    ),
  );
}

function column(profile: Profile, path: string): ColumnProfile {
  return profile.columns.get(path)!;
}

/** All that tests read of a column. */
function read({
  count,
  nulls,
  missing,
  nan,
  min,
  max,
  moments,
  lengths,
  quantiles,
  top,
  distinct,
}: ColumnProfile): Record<string, unknown> {
  const distribution = quantiles === null ? null : distributionOf(quantiles);
  return { count, nulls, missing, nan, min, max, moments, lengths, top, distinct, distribution, exact: quantiles && isExact(quantiles) };
}

describe("columns of a baseline's windows together", () => {
  test("say nothing of which windows came and went before, nor of what else was asked for", () => {
    const profiles = Array.from({ length: 30 }, (_, i) => windowProfile(i % 3 === 0 ? 300 : 3000, i % 2 === 0 ? 20 : 900));
    const windows = profiles.map(summarizeColumns);
    for (let newest = 1; newest <= windows.length; newest += newest % 4 === 0 ? 3 : 1) {
      const from = Math.max(0, newest - 8);
      for (const path of ["carrier", "delay"]) {
        const columns = windows.slice(from, newest).map((window) => column(window, path));
        const begun = profiles.slice(from, newest).map((profile) => column(summarizeColumns(profile), path));
        expect(read(new PooledColumn(columns))).toEqual(read(new PooledColumn(begun)));
        if (columns.length < 3) continue;
        // Each window against the others, as a spread asks for.
        for (const i of [0, 1, columns.length - 1]) {
          expect(read(new PooledColumn(columns.toSpliced(i, 1)))).toEqual(read(new PooledColumn(begun.toSpliced(i, 1))));
        }
      }
    }
  });

  test("are what merging gives, with smaller errors", () => {
    const few = Array.from({ length: 12 }, () => summarizeColumns(windowProfile(40, 20)));
    for (const path of ["carrier", "delay"]) {
      const columns = few.map((window) => column(window, path));
      const [pooled, merged] = [new PooledColumn(columns), columns.reduce(mergeColumns)].map(read);
      // More values than a merged summary lists: it has cut them twelve times, the pool once.
      if (path === "delay") {
        delete pooled!.top;
        delete merged!.top;
      }
      expect(pooled).toEqual(merged);
    }
    const many = Array.from({ length: 12 }, () => windowProfile(3000, 900));
    const values = Array.from({ length: 99 }, (_, i) => (i - 49) / 2);
    const pooled = new PooledColumn(many.map((window) => column(summarizeColumns(window), "delay")));
    const shares = values.map((value) => shareBelow(distributionOf(pooled.quantiles!), value, true));
    values.forEach((value, i) => {
      const each = many.map((window) => shareBelow(distributionOf(column(window, "delay").quantiles!), value, true));
      expect(Math.abs(shares[i]! - each.reduce((sum, share) => sum + share) / each.length)).toBeLessThan(1 / 256);
    });
    const names = many.map((window) => column(window, "carrier"));
    const merged = names.reduce(mergeColumns).top!;
    const top = new PooledColumn(names).top!;
    expect([top.total, top.entries.length]).toEqual([36_000, expect.any(Number)]);
    expect(top.entries.length).toBeLessThanOrEqual(256);
    expect(top.error).toBeLessThanOrEqual(merged.error);
  });
});

const kinds: readonly { readonly field: Field; readonly draw: () => TestValue }[] = [
  { field: fieldOf("n", { kind: "double" }), draw: () => normal(random) },
  { field: fieldOf("t", { kind: "timestamp", zoned: true, unit: "micros" }), draw: () => BigInt(Math.floor(1e9 * random())) },
  { field: fieldOf("s", { kind: "string" }), draw: () => `v${Math.floor(400 * random() ** 4)}` },
  { field: fieldOf("b", { kind: "boolean" }), draw: () => random() < 0.7 },
];

describe("what a test reads of a column", () => {
  const profileKinds = (): Profile =>
    profileBatch(
      contractOf(kinds.map(({ field }) => field)),
      batchOf(kinds.map(({ field, draw }) => columnOf(field, Array.from({ length: 1500 }, draw)))),
      null,
    );
  const [before, now] = [profileKinds(), profileKinds()];
  for (const test_ of driftTests) {
    test(`is all that a baseline keeps of it: ${test_.name}`, () => {
      for (const { field } of [...kinds, { field: allFields }]) {
        const plan = planOf([check(field.path, [test_.name])]);
        const [whole, kept] = [
          [before, now],
          [checkedColumns(plan, before), checkedColumns(plan, now)],
        ].map(([a, b]) => {
          const [first, second] = [a!.columns.get(field.path), b!.columns.get(field.path)];
          const measure = first === undefined || second === undefined ? null : test_.measure(first, second, field);
          return measure === null || "skipped" in measure
            ? measure
            : { ...measure, explain: measure.explain(), suspect: measure.suspect?.() };
        });
        expect(kept).toEqual(whole);
      }
    });
  }

  test("is nothing else", () => {
    const { columns } = checkedColumns(planOf([check("n", ["psi"]), check("s", ["psi", "null-share"])]), now);
    expect([...columns.keys()].toSorted()).toEqual(["n", "s"]);
    expect([columns.get("n")!.top, columns.get("s")!.quantiles]).toEqual([null, null]);
    // One for all, not one each.
    expect(columns.get("n")!.distinct).toBe(columns.get("s")!.distinct);
  });
});

describe("what drift remembers", () => {
  const wide = Array.from({ length: 200 }, (_, i) => fieldOf(`c${i}`, { kind: "double" }));
  const plan = planOf(
    wide.map(({ path }) => check(path, ["psi"], "observe")),
    { baseline: { kind: "rolling", windows: 20 } },
  );
  const contract = contractOf(wide, plan);
  const profiles = Array.from({ length: 2 }, () => {
    const columns = wide.map((field) =>
      columnOf(
        field,
        Array.from({ length: 800 }, () => normal(random)),
      ),
    );
    return encodeProfile(profileBatch(contract, batchOf(columns), null));
  });
  test("of 200 columns and 20 windows is under 16 MB of values, however many windows have gone by, and a worker that begins anew says the same", () => {
    let state: DriftState = emptyDriftState;
    const history: CommittedDrift[] = [];
    for (let n = 0; n < 26; n++) {
      const window = { windowId: `w${n}`, openedAtMs: n, closedAtMs: n };
      const profile = decodeProfile(profiles[n % profiles.length]!);
      const drift = judgeDrift(contract, state, { ...window, profile });
      const committed: CommittedDrift = { ...window, kind: "window", verdict: "promote", drift, profile };
      state = foldDrift(contract, state, committed);
      history.push({ ...committed, profile: null });
    }
    expect(state.windows.length).toBe(20);
    const buffers = new Set<ArrayBufferLike>();
    for (const { profile } of state.windows) {
      for (const { quantiles, distinct } of profile.columns.values()) {
        buffers.add(distinct.registers.buffer);
        for (const items of Object.values((quantiles as unknown as { weighted: Record<string, Float64Array> }).weighted))
          buffers.add(items.buffer);
      }
    }
    expect(buffers.size).toBe(2 * 200 * 20 + 1);
    expect([...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)).toBeLessThan(16e6);
    const last = { windowId: "next", openedAtMs: 99, closedAtMs: 99, profile: decodeProfile(profiles[1]!) };
    let begun: DriftState = emptyDriftState;
    for (const [n, committed] of history.entries()) {
      if (n >= 6) begun = foldDrift(contract, begun, { ...committed, profile: decodeProfile(profiles[n % profiles.length]!) });
    }
    expect(judgeDrift(contract, begun, last)).toEqual(judgeDrift(contract, state, last));
  });

  test("of how its windows vary is asked once, and is the same again, of each baseline", () => {
    const judged = contractOf(
      fields,
      planOf([check("delay", ["psi", "ks"], "observe")], { baseline: { kind: "pinned", ref: "v1" }, tick: { rows: 1, seconds: 3600 } }),
    );
    const commits = Array.from({ length: 8 }, (_, n): CommittedDrift => {
      const drift = judgeDrift(judged, emptyDriftState, { windowId: `w${n}`, closedAtMs: n, profile: windowProfile(1, 1) });
      return {
        windowId: `w${n}`,
        kind: "window",
        closedAtMs: n,
        verdict: "promote",
        drift,
        profile: windowProfile(900, 20, n % 2 === 0 ? 0 : 0.3),
      };
    });
    const built = (): DriftState => commits.reduce((state, committed) => foldDrift(judged, state, committed), emptyDriftState);
    const [near, far] = [windowProfile(5000, 20), windowProfile(5000, 20, 0.6)].map((profile) => ({ ref: "v1", profile }));
    const input = { windowId: "next", closedAtMs: 99, profile: windowProfile(900, 20, 4) };
    const state = built();
    const first = judgeDrift(judged, pinBaseline(state, near!), input);
    expect(first.results.map(({ status }) => status)).toEqual(["drift", "drift"]);
    expect(judgeDrift(judged, pinBaseline(state, near!), input)).toEqual(first);
    // Another profile under the same name, as another dataset's newest windows are.
    const other = judgeDrift(judged, pinBaseline(state, far!), input);
    expect(other).toEqual(judgeDrift(judged, pinBaseline(built(), far!), input));
    expect(other.results[0]!.limit).not.toBe(first.results[0]!.limit);
  });

  test("of an open tick is merged from what checks read alone", () => {
    const checked = checkedColumns(plan, decodeProfile(profiles[0]!));
    const merged = mergeProfiles(checked, checkedColumns(plan, decodeProfile(profiles[1]!)));
    expect(merged.columns.get("c7")!.distinct).toBe(checked.columns.get("c7")!.distinct);
  });
});
