import { expect, it } from "vitest";
import { Recorder } from "./recording.ts";
import type { Scrape } from "./rig.ts";

const scrapeOf = (series: Readonly<Record<string, number>>): Scrape => new Map(Object.entries(series));

it("keeps series as promtool reads them: equal samples in runs, what begins late, what goes stale and comes back", () => {
  const recorder = new Recorder(new Set(["kept_total"]), 15);
  const samples: readonly (Scrape | null)[] = [
    scrapeOf({ 'kept_total{dataset="a"}': 1, 'other{code="x"}': 5 }),
    scrapeOf({ 'kept_total{dataset="a"}': 1, kept_total: 7 }),
    scrapeOf({ 'kept_total{dataset="a"}': 1, kept_total: 7.5 }),
    null,
    null,
    null,
    scrapeOf({ 'kept_total{dataset="a"}': 0 }),
  ];
  for (const [at, sample] of samples.entries()) {
    recorder.take(new Map([["w:1", sample]]));
    if (at === 2) recorder.mark("killed");
  }
  expect(recorder.finish()).toEqual({
    intervalSeconds: 15,
    samples: 7,
    marks: { killed: 30 },
    series: {
      'kept_total{job="sluice",instance="w:1",dataset="a"}': "1+0x2 stale _x2 0",
      'kept_total{job="sluice",instance="w:1"}': "_x1 7 7.5 stale _x3",
      'up{job="sluice",instance="w:1"}': "1+0x2 0+0x2 1",
    },
    exposed: { kept_total: ["dataset"], other: ["code"] },
  });
});
