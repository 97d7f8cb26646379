import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { peerRules } from "../../../bench/drift/peer-rules.ts";
import { sampleOfValues } from "../../../bench/drift/peer-sample.ts";
import { samplePairs } from "../../../bench/drift/peer-samples.ts";
import { peerAnswers } from "../../../bench/drift/peers.ts";

type Answer = Readonly<Record<string, { readonly score: number; readonly drift: boolean }>>;

/** What the packages said of the same pairs: `npm run bench -- drift-peers` asks them again. */
const answers = JSON.parse(readFileSync(peerAnswers, "utf8")) as Readonly<Record<string, Answer>>;
const pairs = samplePairs();

describe("rules of other tools, recomputed", () => {
  for (const { name, judge } of peerRules) {
    test(`${name}: every verdict is the package's, and every score but those of TFDV's sketched histograms`, () => {
      let [drifts, scores] = [0, 0];
      for (const pair of pairs) {
        const theirs = answers[pair.name]![name]!;
        const [before, now] = [sampleOfValues(pair.before), sampleOfValues(pair.now)];
        const own = judge(before, now)!;
        expect([pair.name, own.isDrift]).toEqual([pair.name, theirs.drift]);
        if (theirs.drift) drifts++;
        if (name.startsWith("TFDV") && before.numbers !== null) continue;
        expect([pair.name, Math.abs(own.score - theirs.score) < 1e-7 * Math.max(1, theirs.score)]).toEqual([pair.name, true]);
        scores++;
      }
      expect(drifts).toBeGreaterThan(20);
      expect(drifts).toBeLessThan(pairs.length - 20);
      expect(scores).toBeGreaterThanOrEqual(pairs.length / 3);
    });
  }
});
