import { distance } from "fastest-levenshtein";

/** The candidate that a person most likely meant, or null where none is near: two letters in five may differ (case aside), four at most. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  if (name.length > 200) return null;
  let best: string | null = null;
  let least = Math.min(4, Math.max(1, Math.round(name.length * 0.4))) + 1;
  const lower = name.toLowerCase();
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const apart = distance(lower, candidate.toLowerCase());
    if (apart < least) {
      best = candidate;
      least = apart;
    }
  }
  return best;
}

/** "did you mean X?" for an unknown name, or null. */
export function suggestion(name: string, candidates: Iterable<string>): string | null {
  const near = nearestName(name, candidates);
  return near === null ? null : `did you mean "${near}"?`;
}
