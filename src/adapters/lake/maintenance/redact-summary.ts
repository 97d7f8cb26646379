import { summaryKeys } from "../summary-keys.ts";

type Summary = Readonly<Record<string, string>>;

/** A summary that names redacted decisions where it named others. */
export function redactSummary(summary: Summary, hashes: ReadonlyMap<string, string>): Summary {
  const renamed = [summaryKeys.decisionHash, summaryKeys.heldDecisionHash].flatMap((key) => {
    const hash = hashes.get(summary[key] ?? "");
    return hash === undefined ? [] : [[key, hash] as const];
  });
  return renamed.length === 0 ? summary : { ...summary, ...Object.fromEntries(renamed) };
}
