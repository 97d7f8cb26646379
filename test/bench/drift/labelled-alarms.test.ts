import { expect, test } from "vitest";
import { scoreAlarms, scoreText, sumScores } from "../../../bench/drift/labelled-alarms.ts";

test("a change is found by the first alarm of its ten windows; what nothing explains is false", () => {
  const score = scoreAlarms([5, 25, 42, 44, 59, 75], [22, 40, 70], 100);
  // 5 is still learned from; 25, 42 and 75 are found after 4, 3 and 6 windows; 44 is of the same change, 59 of none.
  expect(score).toEqual({ changes: 3, delays: [4, 3, 6], falseAlarms: 1, quiet: 50 });
  expect(scoreText(score)).toBe("3 of 3, after 4; 1 false in 50");
});

test("an alarm is of the newest change, and of none after ten windows", () => {
  expect(scoreAlarms([31], [28, 30], 60)).toMatchObject({ changes: 2, delays: [2], falseAlarms: 0 });
  expect(scoreAlarms([38], [28], 60)).toMatchObject({ delays: [], falseAlarms: 1 });
  expect(scoreAlarms([37, 37], [28], 60)).toMatchObject({ delays: [10], falseAlarms: 0 });
  // Changes while everything is learned from are nobody's.
  expect(scoreAlarms([], [3], 60)).toMatchObject({ changes: 0, delays: [], quiet: 40 });
});

test("an alarm in a quiet window counts once, and scores add up", () => {
  const score = scoreAlarms([50, 50, 51], [], 60);
  expect(score).toEqual({ changes: 0, delays: [], falseAlarms: 2, quiet: 40 });
  expect(sumScores([score, scoreAlarms([30], [28], 60)])).toEqual({ changes: 1, delays: [3], falseAlarms: 2, quiet: 70 });
});
