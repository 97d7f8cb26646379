export type { CommittedDrift, DriftState } from "./drift-state.ts";
export { emptyDriftState, foldDrift, pinBaseline } from "./drift-state.ts";
export { judgeDrift } from "./judge-drift.ts";
