export type { CommittedDrift, DriftState, PinnedProfile } from "./drift-state.ts";
export { emptyDriftState, foldDrift, foldEvidence, pinBaseline } from "./drift-state.ts";
export { judgeDrift } from "./judge-drift.ts";
export { calibrationOf, scoresMax } from "./sequential/sequence-state.ts";
export { limitDefaultOf, thresholdChance } from "./threshold-chance.ts";
